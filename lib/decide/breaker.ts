import type { VerdictKind } from '../model/verdict.ts';
import type { ResolvedBreaker } from '../policy/options.ts';
import { SlidingCount } from './sliding-count.ts';

/** How long a probe that is not heard of again keeps the next one from leaving, in ms. */
const PROBE_MS = 60_000;
/** Keys remembered; a server must not be able to make us hold millions. */
const MAX_KEYS = 10_000;

/** Circuits, one per key. */
export class Breaker {
  readonly #options: ResolvedBreaker;
  readonly #circuits = new Map<string, Circuit>();

  constructor(options: ResolvedBreaker) {
    this.#options = options;
  }

  circuit(key: string): Circuit {
    let circuit = this.#circuits.get(key);
    if (circuit === undefined) {
      const [oldest] = this.#circuits.keys();
      if (this.#circuits.size >= MAX_KEYS && oldest !== undefined) this.#circuits.delete(oldest);
      circuit = new Circuit(key, this.#options);
      this.#circuits.set(key, circuit);
    }
    return circuit;
  }

  /** The keys whose circuit is open. */
  open(): readonly string[] {
    return [...this.#circuits.values()].filter(({ isOpen }) => isOpen).map(({ key }) => key);
  }
}

/**
 * One circuit. Closed, it counts how many sends fail; open, it lets none out for a while, and then one, to see.
 *
 * Written here rather than taken from cockatiel 3.2: that one reads the clock itself, has whoever comes during the probe wait for
 * its end (however long that takes, and whatever their deadline), does not tell when it will try again, and moves its sampling window
 * on with the sends and not with the time, so that it opens on failures of an hour ago.
 */
export class Circuit {
  readonly key: string;
  readonly #options: ResolvedBreaker;
  readonly #sends: SlidingCount;
  readonly #failures: SlidingCount;
  /** The instant from which a probe may leave; `undefined` while closed. */
  #probeAt: number | undefined;

  constructor(key: string, options: ResolvedBreaker) {
    this.key = key;
    this.#options = options;
    this.#sends = new SlidingCount(options.windowMs);
    this.#failures = new SlidingCount(options.windowMs);
  }

  get isOpen(): boolean {
    return this.#probeAt !== undefined;
  }

  /** The instant before which nothing may leave; `undefined` where something may now. */
  closedUntil(nowMs: number): number | undefined {
    if (this.#probeAt === undefined || nowMs >= this.#probeAt) return undefined;
    // A clock that was set back must not keep it open for as long.
    if (this.#probeAt - nowMs > Math.max(PROBE_MS, this.#options.openMs)) this.#probeAt = nowMs + this.#options.openMs;
    return this.#probeAt;
  }

  /** A send leaves, with `closedUntil`'s leave. Gives whether it is the probe: then no other leaves until `sent` is told of it. */
  enter(nowMs: number): boolean {
    if (this.#probeAt === undefined) return false;
    this.#probeAt = nowMs + PROBE_MS;
    return true;
  }

  /**
   * What came of a send. A transient failure says that the server is ill, any answer that it is well: also one that throttles or
   * rejects. `cancelled`: nothing was learnt.
   *
   * @returns whether the circuit is `open` or `closed` by this, if that has changed
   */
  sent(kind: VerdictKind, isProbe: boolean, nowMs: number): 'open' | 'closed' | undefined {
    if (isProbe) return this.#probed(kind, nowMs);
    // What left before it opened.
    if (this.#probeAt !== undefined || kind === 'cancelled') return undefined;
    this.#sends.add(nowMs);
    if (kind !== 'transient') return undefined;
    this.#failures.add(nowMs);
    const { failureRatio, minimumThroughput, openMs } = this.#options;
    const sends = this.#sends.in(nowMs);
    if (sends < minimumThroughput || this.#failures.in(nowMs) < failureRatio * sends) return undefined;
    this.#probeAt = nowMs + openMs;
    return 'open';
  }

  #probed(kind: VerdictKind, nowMs: number): 'closed' | undefined {
    if (kind === 'cancelled') this.#probeAt = nowMs;
    else if (kind === 'transient') this.#probeAt = nowMs + this.#options.openMs;
    else {
      this.#probeAt = undefined;
      this.#sends.clear();
      this.#failures.clear();
      return 'closed';
    }
    return undefined;
  }
}
