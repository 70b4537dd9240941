import type { InternalAxiosRequestConfig } from 'axios';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { isReentrant, trackReentrancy } from '../call/reentrancy.ts';
import { shown } from '../check.ts';
import type { Evidence } from '../classify/options.ts';
import { serverFailed } from '../classify/server-failed.ts';
import type { CallContext, Refusal } from '../context.ts';
import { CircuitOpenError } from '../failure/errors.ts';
import { keyOf } from '../send/key.ts';
import type { Circuit, Learnt, Ticket } from './circuit.ts';
import type { ResolvedBreaker } from './options.ts';

/** One call's dealings with the circuit breaker. */
export class CircuitGuard {
  private readonly context: CallContext;
  private readonly options: ResolvedBreaker;
  /** Of where the call itself would go. */
  private home: Circuit;
  /** Of where the send goes. */
  private circuit: Circuit;
  /** Of a send that has been let out and not been heard of since. */
  private ticket: Ticket | undefined;

  constructor(context: CallContext, options: ResolvedBreaker) {
    this.context = context;
    this.options = options;
    this.home = this.circuitOf(context.call.config);
    this.circuit = this.home;
  }

  /**
   * Why nothing may be sent now. Asked before the call waits for anything else, by where it would go itself; but whether a further send
   * goes there `beforeSend` has to say, if there is one.
   */
  refusal(): Refusal | undefined {
    const { call, mayMove } = this.context;
    this.circuit = this.home;
    return mayMove && call.sent > 0 ? undefined : this.closedDoor();
  }

  /** The sends to come go there. */
  reroute(config: InternalAxiosRequestConfig): void {
    this.home = this.circuitOf(config);
  }

  /** The send goes there; gives the reason where nothing may be sent there now. */
  moveTo(config: InternalAxiosRequestConfig): Refusal | undefined {
    this.circuit = this.circuitOf(config);
    return this.closedDoor();
  }

  private circuitOf(config: InternalAxiosRequestConfig): Circuit {
    const { options } = this;
    return this.context.shared.breaker.circuit(keyOf(options.key, config, 'breaker.key'));
  }

  private closedDoor(): Refusal | undefined {
    const { call, shared } = this.context;
    const nowMs = shared.clock.now();
    const retryAt = this.circuit.refusesUntil(nowMs, call.deadlineAt - nowMs);
    // What the probe itself calls for belongs to it.
    if (retryAt === undefined || isReentrant(this.circuit)) return undefined;
    const { key } = this.circuit;
    const shownAt = Math.ceil(retryAt + shared.wallAheadMs());
    const message = `the circuit of ${key} is open until ${new Date(shownAt).toISOString()}`;
    return {
      outcome: call.outcome ?? { error: new CircuitOpenError(message, shownAt) },
      why: 'circuit-open',
    };
  }

  /** The send leaves, if it may. */
  enter(): Refusal | undefined {
    const refusal = this.closedDoor();
    if (refusal === undefined && !isReentrant(this.circuit))
      this.ticket = this.circuit.enter(this.context.shared.clock.now());
    return refusal;
  }

  /** Does what the probe needs, which may be a call through the same circuit. */
  probing<T>(body: () => T): T {
    return this.ticket?.isProbe ? trackReentrancy(this.circuit, body) : body();
  }

  /** Whether a retry after so long is known to find the circuit open. */
  isOpenIn(delayMs: number, nowMs: number): boolean {
    if (this.context.mayMove) return false;
    const retryAt = this.circuit.refusesUntil(nowMs, this.context.call.deadlineAt - nowMs - delayMs);
    return retryAt !== undefined && retryAt > nowMs + delayMs;
  }

  /**
   * What came of the send; gives what that turned the circuit to.
   *
   * @param cutOff whether the call's deadline ended it
   * @param evidence what `isFailure` is shown
   */
  answered(outcome: Outcome, nowMs: number, cutOff: boolean, evidence: () => Evidence): 'open' | 'closed' | undefined {
    const { ticket } = this;
    if (ticket === undefined) return undefined;
    const learnt = this.learnt(outcome, ticket, nowMs, cutOff, evidence);
    this.ticket = undefined;
    return this.circuit.sent(ticket, learnt, nowMs);
  }

  tell(turned: 'open' | 'closed' | undefined, nowMs: number): void {
    const { circuit, context } = this;
    const { key } = circuit;
    if (turned === 'open') {
      const retryAt = Number(circuit.refusesUntil(nowMs, 0)) + context.shared.wallAheadMs();
      context.tell('circuit-opened', { key, retryAt: Math.ceil(retryAt) });
    }
    if (turned === 'closed') context.tell('circuit-closed', { key });
  }

  /** The send did not take place, or nobody will say what came of it. */
  release(): void {
    const { ticket } = this;
    this.ticket = undefined;
    if (ticket !== undefined) this.circuit.sent(ticket, 'nothing', this.context.shared.clock.now());
  }

  /** What a send says of the server: by the policy's own judge, else by the answer. */
  private learnt(
    outcome: Outcome,
    { at, isProbe }: Ticket,
    nowMs: number,
    cutOff: boolean,
    evidence: () => Evidence,
  ): Learnt {
    const { call, cancellation } = this.context;
    const isAnswered = responseOf(outcome) !== undefined;
    const reason: unknown = (call.config.signal as AbortSignal | undefined)?.reason;
    const gaveUp = !isAnswered && cancellation?.requested === true;
    // `AbortSignal.timeout()` is a timeout, whatever axios makes of it. Who gives up otherwise has reasons of their own.
    const timedOut = gaveUp && (reason as Error | undefined)?.name === 'TimeoutError';
    if (gaveUp && !timedOut) return 'nothing';
    const failed = this.opinion(evidence) ?? (timedOut || serverFailed(outcome));
    if (failed === undefined) return 'nothing';
    if (!failed) return 'well';
    // It stood in a queue, or had been sent before, for longer than it was given time then.
    const isLate = nowMs - at < at - call.startedAt;
    return (cutOff && isProbe) || ((cutOff || timedOut) && isLate) ? 'impatient' : 'failed';
  }

  private opinion(evidence: () => Evidence): boolean | undefined {
    const { isFailure } = this.options;
    const opinion: unknown = isFailure?.(evidence());
    if (opinion === undefined || typeof opinion === 'boolean') return opinion;
    // A promise would pass for true.
    throw new TypeError(`breaker.isFailure must give true, false or undefined, got ${shown(opinion)}`);
  }
}
