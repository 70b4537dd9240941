import type { LiveCall } from '../call/live-call.ts';
import type { Outcome } from '../call/outcome.ts';
import type { Evidence } from '../classify/options.ts';
import { hasSameNumbers } from '../group.ts';
import { Circuits, isBreaker } from './circuits.ts';
import { BREAKER, type ResolvedBreaker } from './options.ts';
import { BreakerStation, type BrokenCall } from './station.ts';

/** What they need of their attachment. */
export interface BreakersPorts<C extends LiveCall> {
  /** What `isFailure` is shown. */
  readonly evidence: (call: C, outcome: Outcome) => Evidence;
}

/** The circuits of one attachment: those of its own, which all its calls share, and those that were handed in. */
export class Breakers<C extends BrokenCall> {
  readonly #ports: BreakersPorts<C>;
  #given: false | ResolvedBreaker | Circuits;
  #attached: Circuits;

  /** @param attached what the attachment was given: a call may turn on what it has not, and has the defaults then */
  constructor(attached: false | ResolvedBreaker | Circuits, ports: BreakersPorts<C>) {
    this.#ports = ports;
    this.#given = attached;
    this.#attached = isBreaker(attached) ? attached : new Circuits(attached || BREAKER.defaults);
  }

  /** The attachment has another: where the numbers are as they were, the circuits go on. So they do where it is off: a call may turn it on. */
  update(attached: false | ResolvedBreaker | Circuits): void {
    const before = this.#given;
    this.#given = attached;
    if (isBreaker(attached)) this.#attached = attached;
    else if (attached !== false && (isBreaker(before) || !hasSameNumbers(before, attached)))
      this.#attached = new Circuits(attached);
  }

  station(breaker: ResolvedBreaker | Circuits): BreakerStation<C> {
    const [circuits, options] = isBreaker(breaker) ? [breaker, breaker.options] : [this.#attached, breaker];
    return new BreakerStation(circuits, options, this.#ports.evidence);
  }

  /** The keys whose circuit is open, of those that the attachment was given. */
  open(): readonly string[] {
    return this.#attached.open();
  }
}
