import type { CircuitGuard } from '../breaker/station.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { Judgement } from '../call/verdict.ts';
import type { CallContext } from '../context.ts';
import type { Admission } from '../limit/station.ts';
import type { Wait } from '../observe/pending.ts';
import { TransformedBody } from '../send/transformed-body.ts';
import { type Bounded, bounded } from '../time/bounded.ts';
import { classify } from './classify.ts';
import { shownErrorOf } from './error-body.ts';
import { evidenceOf } from './evidence.ts';
import type { Evidence } from './options.ts';

export const CANCELLED: Judgement = Object.freeze({ kind: 'cancelled' });
const JUDGE_WAIT: Wait = { phase: 'body', why: () => 'waits for a judge of `classify`' };

/** What the outcomes of one call mean, and what the judges of its policy are shown of them. */
export class Judging {
  private readonly context: CallContext;
  private readonly admission: Admission | undefined;
  private readonly guard: CircuitGuard | undefined;
  /** What the judges were shown of the last outcome, if there are any. */
  private shown: Evidence | undefined;
  /** What they made of its body, if they asked. */
  private body: TransformedBody | undefined;

  constructor(context: CallContext, admission: Admission | undefined, guard: CircuitGuard | undefined) {
    this.context = context;
    this.admission = admission;
    this.guard = guard;
  }

  /** What an outcome means; a promise where a judge gives one. */
  verdictOn(outcome: Outcome): Judgement | Promise<Judgement> {
    const { admission, guard } = this;
    const { cancellation, policy, shared } = this.context;
    if (cancellation?.requested && responseOf(outcome) === undefined) return CANCELLED;
    const ask = () => classify(outcome, policy, () => this.evidence(outcome), shared.clock);
    if (policy.classify.length === 0) return ask();
    // A call that a judge makes would wait for the permit that this one holds, or find the circuit open.
    const permitted = admission?.mayHoldUp ? () => admission.within(ask) : ask;
    return guard === undefined ? permitted() : guard.probing(permitted);
  }

  /** Waits for a judge that gave a promise, no longer than the call may last. */
  async inTime(judging: Promise<Judgement>): Promise<Bounded<Judgement>> {
    const { context } = this;
    context.waits(JUDGE_WAIT);
    const judged = await bounded(judging, context.shared.clock, context.call.deadlineAt, context.cancellation);
    context.waited();
    return judged;
  }

  /** What judges are shown of an outcome; made once. */
  evidence(outcome: Outcome): Evidence {
    if (this.shown !== undefined) return this.shown;
    const { call } = this.context;
    const response = responseOf(outcome);
    const body = response && new TransformedBody(call.config, response);
    const { errorText } = call;
    const sources = {
      call: call.snapshot(),
      api: () => shownErrorOf(outcome, errorText),
      // Once the next send is made, or the call is over, nobody is there to be shown anything.
      data: () => (this.body === body ? body?.make() : undefined),
    };
    this.body = body;
    this.shown = evidenceOf(outcome, sources, this.context.shared.clock);
    return this.shown;
  }

  /** Has axios take what a judge had made of the body of the answer that ends the call. */
  handOver(ending: Outcome): void {
    this.body?.handOver(responseOf(ending));
  }

  /** Lets go of what was shown: of an answer that another has followed, or that has been handed out. */
  forget(): void {
    this.shown = undefined;
    this.body = undefined;
  }
}
