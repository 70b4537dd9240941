import type { InternalAxiosRequestConfig } from 'axios';
import type { LiveCall } from '../call/live-call.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { isReentrant, trackReentrancy } from '../call/reentrancy.ts';
import type { Refusal } from '../call/refusal.ts';
import type { Station } from '../call/station.ts';
import { shown } from '../check.ts';
import type { Evidence } from '../classify/options.ts';
import { serverFailed } from '../classify/server-failed.ts';
import { CircuitOpenError } from '../failure/errors.ts';
import { keyOf } from '../send/key.ts';
import type { Circuit, Learnt, Ticket } from './circuit.ts';
import type { Circuits } from './circuits.ts';
import type { ResolvedBreaker } from './options.ts';

/** What is remembered of a call here. */
interface Slot {
  /** Of where the call itself would go. */
  home: Circuit;
  /** Of where the send goes. */
  circuit: Circuit;
  /** Of a send that has been let out and not been heard of since. */
  ticket: Ticket | undefined;
}

export interface BrokenCall extends LiveCall {
  breaker: Slot | undefined;
}

/** The circuit breaker on a call's way. */
export class BreakerStation<C extends BrokenCall> implements Station<C> {
  readonly #circuits: Circuits;
  readonly #options: ResolvedBreaker;
  readonly #evidence: (call: C, outcome: Outcome) => Evidence;

  /** @param evidence what `isFailure` is shown */
  constructor(circuits: Circuits, options: ResolvedBreaker, evidence: (call: C, outcome: Outcome) => Evidence) {
    this.#circuits = circuits;
    this.#options = options;
    this.#evidence = evidence;
  }

  /**
   * Asked before the call waits for anything else, so that nobody waits for nothing; by where it would go itself. But whether a further
   * send goes there `beforeSend` has to say, if there is one.
   */
  enter(call: C, nowMs: number): Refusal | undefined {
    const slot = this.#slotOf(call);
    slot.circuit = slot.home;
    return call.terms.mayMove && call.sent > 0 ? undefined : refusal(call, slot.circuit, nowMs);
  }

  reroute(call: C, config: InternalAxiosRequestConfig): undefined {
    this.#slotOf(call).home = this.#circuitOf(config);
  }

  moveTo(call: C, config: InternalAxiosRequestConfig): Refusal | undefined {
    const slot = this.#slotOf(call);
    slot.circuit = this.#circuitOf(config);
    return refusal(call, slot.circuit, call.terms.clock.now());
  }

  depart(call: C, nowMs: number): Refusal | undefined {
    const slot = this.#slotOf(call);
    const { circuit } = slot;
    const refused = refusal(call, circuit, nowMs);
    if (refused === undefined && !isReentrant(circuit)) slot.ticket = circuit.enter(nowMs);
    return refused;
  }

  /** Whether the send that is under way is the probe of its circuit. */
  isProbing({ breaker }: C): boolean {
    return breaker?.ticket?.isProbe === true;
  }

  /** Does what the probe needs, which may be a call through the same circuit. */
  probing<T>(call: C, body: () => T): T {
    const { circuit, ticket } = this.#slotOf(call);
    return ticket?.isProbe ? trackReentrancy(circuit, body) : body();
  }

  /** Takes note of what came of the send; gives what that turned the circuit to. */
  arrive(call: C, outcome: Outcome, nowMs: number): 'open' | 'closed' | undefined {
    const slot = this.#slotOf(call);
    const { circuit, ticket } = slot;
    if (ticket === undefined) return undefined;
    const learnt = this.#learnt(call, outcome);
    slot.ticket = undefined;
    return circuit.sent(ticket, learnt, nowMs);
  }

  tell(call: C, turned: 'open' | 'closed' | undefined, nowMs: number): void {
    if (turned === undefined) return;
    const { circuit } = this.#slotOf(call);
    const { key } = circuit;
    if (turned === 'open') {
      const retryAt = Number(circuit.refusesUntil(nowMs)) + call.terms.wallAheadMs();
      call.tell('circuit-opened', { key, retryAt: Math.ceil(retryAt) });
    } else call.tell('circuit-closed', { key });
  }

  /** Whether a retry after so long is known to find the circuit open. */
  isOpenIn(call: C, delayMs: number, nowMs: number): boolean {
    if (call.terms.mayMove) return false;
    const retryAt = this.#slotOf(call).circuit.refusesUntil(nowMs);
    return retryAt !== undefined && retryAt > nowMs + delayMs;
  }

  /** The send did not take place, or nobody will say what came of it. */
  leave(call: C): void {
    const { breaker: slot } = call;
    if (slot?.ticket === undefined) return;
    slot.circuit.sent(slot.ticket, 'nothing', call.terms.clock.now());
    slot.ticket = undefined;
  }

  #slotOf(call: C): Slot {
    if (call.breaker === undefined) {
      const home = this.#circuitOf(call.config);
      call.breaker = { home, circuit: home, ticket: undefined };
    }
    return call.breaker;
  }

  #circuitOf(config: InternalAxiosRequestConfig): Circuit {
    return this.#circuits.circuit(keyOf(this.#options.key, config, 'breaker.key'));
  }

  /** What a send says of the server: by the policy's own judge, else by the answer. */
  #learnt(call: C, outcome: Outcome): Learnt {
    const isAnswered = responseOf(outcome) !== undefined;
    const reason: unknown = (call.config.signal as AbortSignal | undefined)?.reason;
    const gaveUp = !isAnswered && call.cancellation?.requested === true;
    // `AbortSignal.timeout()` is a timeout, whatever axios makes of it. Who gives up otherwise has reasons of their own.
    const timedOut = gaveUp && (reason as Error | undefined)?.name === 'TimeoutError';
    if (gaveUp && !timedOut) return 'nothing';
    const failed = this.#opinion(call, outcome) ?? (timedOut || serverFailed(outcome));
    if (failed === undefined) return 'nothing';
    return failed ? 'failed' : 'well';
  }

  #opinion(call: C, outcome: Outcome): boolean | undefined {
    const { isFailure } = this.#options;
    const opinion: unknown = isFailure?.(this.#evidence(call, outcome));
    if (opinion === undefined || typeof opinion === 'boolean') return opinion;
    // A promise would pass for true.
    throw new TypeError(`breaker.isFailure must give true, false or undefined, got ${shown(opinion)}`);
  }
}

function refusal(call: LiveCall, circuit: Circuit, nowMs: number): Refusal | undefined {
  const retryAt = circuit.refusesUntil(nowMs);
  // What the probe itself calls for belongs to it.
  if (retryAt === undefined || isReentrant(circuit)) return undefined;
  const shownAt = Math.ceil(retryAt + call.terms.wallAheadMs());
  const message = `the circuit of ${circuit.key} is open until ${new Date(shownAt).toISOString()}`;
  return { outcome: call.outcome ?? { error: new CircuitOpenError(message, shownAt) }, why: 'circuit-open' };
}
