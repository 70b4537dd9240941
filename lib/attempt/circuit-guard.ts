import type { Circuit, Learnt, Ticket } from '../decide/breaker.ts';
import { CircuitOpenError } from '../failure/errors.ts';
import { type Outcome, responseOf } from '../model/outcome.ts';
import type { Verdict } from '../model/verdict.ts';
import { isWithin, within } from '../wait/within.ts';
import type { CallContext, Refusal } from './context.ts';

/** One call's dealings with the circuit breaker. */
export class CircuitGuard {
  private readonly context: CallContext;
  private readonly circuit: Circuit;
  /** Of a send that has been let out and not been heard of since. */
  private ticket: Ticket | undefined;

  constructor(context: CallContext, circuit: Circuit) {
    this.context = context;
    this.circuit = circuit;
  }

  /** Why nothing may be sent now. Asked before the call waits for anything else. */
  refusal(): Refusal | undefined {
    const { call, shared } = this.context;
    const nowMs = shared.clock.now();
    const retryAt = this.circuit.refusesUntil(nowMs, call.deadlineAt - nowMs);
    // What the probe itself calls for belongs to it.
    if (retryAt === undefined || isWithin(this.circuit)) return undefined;
    const { key } = this.circuit;
    const message = `the circuit of ${key} is open until ${new Date(retryAt).toISOString()}`;
    return { outcome: call.outcome ?? { error: new CircuitOpenError(message, retryAt) }, why: 'circuit-open' };
  }

  /** The send leaves, if it may. */
  enter(): Refusal | undefined {
    const refusal = this.refusal();
    if (refusal === undefined && !isWithin(this.circuit))
      this.ticket = this.circuit.enter(this.context.shared.clock.now());
    return refusal;
  }

  /** Does what the probe needs, which may be a call through the same circuit. */
  probing<T>(body: () => Promise<T>): Promise<T> {
    return this.ticket?.isProbe ? within(this.circuit, body) : body();
  }

  /** Whether a retry after so long would find the circuit open. */
  isOpenIn(delayMs: number, nowMs: number): boolean {
    const retryAt = this.circuit.refusesUntil(nowMs, this.context.call.deadlineAt - nowMs - delayMs);
    return retryAt !== undefined && retryAt > nowMs + delayMs;
  }

  /**
   * What came of the send; gives what that turned the circuit to.
   *
   * @param cutOff whether the call's deadline ended it
   */
  answered(outcome: Outcome, { kind }: Verdict, nowMs: number, cutOff: boolean): 'open' | 'closed' | undefined {
    const { ticket } = this;
    if (ticket === undefined) return undefined;
    this.ticket = undefined;
    const learnt = responseOf(outcome) === undefined ? this.unanswered(kind, ticket, cutOff, nowMs) : kind;
    return this.circuit.sent(ticket, learnt, nowMs);
  }

  tell(turned: 'open' | 'closed' | undefined, nowMs: number): void {
    const { circuit, context } = this;
    const { key } = circuit;
    if (turned === 'open') context.tell('circuit-opened', { key, retryAt: Number(circuit.refusesUntil(nowMs, 0)) });
    if (turned === 'closed') context.tell('circuit-closed', { key });
  }

  /** The send did not take place, or nobody will say what came of it. */
  release(): void {
    const { ticket } = this;
    this.ticket = undefined;
    if (ticket !== undefined) this.circuit.sent(ticket, 'cancelled', this.context.shared.clock.now());
  }

  /** What is learnt where no answer came. What is no failure of the server says nothing of it: a wrong URL, a certificate. */
  private unanswered(kind: Verdict['kind'], { at, isProbe }: Ticket, cutOff: boolean, nowMs: number): Learnt {
    const { config, startedAt } = this.context.call;
    const reason: unknown = (config.signal as AbortSignal | undefined)?.reason;
    // `AbortSignal.timeout()` is a timeout, whatever axios makes of it.
    const gaveUp = kind === 'cancelled' && (reason as Error | undefined)?.name === 'TimeoutError';
    if (kind !== 'transient' && !gaveUp) return 'cancelled';
    // It stood in a queue, or had been sent before, for longer than it was given time then.
    const isLate = nowMs - at < at - startedAt;
    return (cutOff && isProbe) || ((cutOff || gaveUp) && isLate) ? 'impatient' : 'transient';
  }
}
