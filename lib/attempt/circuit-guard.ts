import type { Circuit } from '../decide/breaker.ts';
import { CircuitOpenError } from '../failure/errors.ts';
import { type Outcome, responseOf } from '../model/outcome.ts';
import type { Verdict } from '../model/verdict.ts';
import type { CallContext, Refusal } from './context.ts';

/** One call's dealings with the circuit breaker. */
export class CircuitGuard {
  private readonly context: CallContext;
  private readonly circuit: Circuit;
  /** A send has been let out and not been heard of since. */
  private isOut = false;
  private isProbe = false;

  constructor(context: CallContext, circuit: Circuit) {
    this.context = context;
    this.circuit = circuit;
  }

  /** Why nothing may be sent now. Asked before the call waits for anything else. */
  refusal(): Refusal | undefined {
    const { call, shared } = this.context;
    const retryAt = this.circuit.closedUntil(shared.clock.now());
    if (retryAt === undefined) return undefined;
    const { key } = this.circuit;
    const error = new CircuitOpenError(
      `the circuit of ${key} is open until ${new Date(retryAt).toISOString()}`,
      retryAt,
    );
    return { outcome: call.outcome ?? { error }, why: 'circuit-open' };
  }

  /** The send is about to leave, if it may. */
  enter(): Refusal | undefined {
    const refusal = this.refusal();
    if (refusal !== undefined) return refusal;
    this.isOut = true;
    this.isProbe = this.circuit.enter(this.context.shared.clock.now());
    return undefined;
  }

  /** Whether a retry after so long would find the circuit open. */
  isOpenIn(delayMs: number, nowMs: number): boolean {
    const retryAt = this.circuit.closedUntil(nowMs);
    return retryAt !== undefined && retryAt > nowMs + delayMs;
  }

  answered(outcome: Outcome, { kind }: Verdict, nowMs: number): void {
    const { circuit, context } = this;
    if (!this.isOut) return;
    this.isOut = false;
    // Without an answer, what is no failure of the server says nothing of it: a wrong URL, a certificate.
    const learnt = kind === 'transient' || responseOf(outcome) !== undefined ? kind : 'cancelled';
    const turned = circuit.sent(learnt, this.isProbe, nowMs);
    const { key } = circuit;
    if (turned === 'open') context.tell('circuit-opened', { key, retryAt: Number(circuit.closedUntil(nowMs)) });
    if (turned === 'closed') context.tell('circuit-closed', { key });
  }

  /** The send did not take place, or nobody will say what came of it. */
  release(): void {
    if (this.isOut) this.circuit.sent('cancelled', this.isProbe, this.context.shared.clock.now());
    this.isOut = false;
  }
}
