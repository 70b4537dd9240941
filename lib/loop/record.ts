import { addressOf } from '../call/address.ts';
import type { Decision } from '../call/decision.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { wholeMs } from '../call/time-shown.ts';
import type { Judgement } from '../call/verdict.ts';
import { codeOf } from '../failure/code.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { Plan } from './plan.ts';

/** A send that has been judged. */
interface JudgedSend {
  readonly outcome: Outcome;
  readonly verdict: Judgement;
  readonly decision: Decision;
  /** Until when its answer pauses the bucket, on the clock, if it does. */
  readonly pausedUntil?: number | undefined;
}

/** Writes a send into the report, and tells of it: the answer first, then what followed from it. */
export function record(
  call: CallUnderWay,
  { auth, budget, limit }: Plan,
  { outcome, verdict, decision, pausedUntil }: JudgedSend,
): void {
  const { kind, reason } = verdict;
  const startedAt = call.sentAt;
  const durationMs = call.answeredAt - startedAt;
  const status = responseOf(outcome)?.status;
  const code = outcome.error === undefined ? undefined : codeOf(outcome.error);
  call.addSend({
    startedAt,
    durationMs,
    queuedMs: limit?.queuedMs(call) ?? 0,
    refreshMs: auth?.has(call)
      ? call.refreshMs - call.sends.reduce((sum, send) => sum + (send.refreshMs ?? 0), 0)
      : undefined,
    status,
    code,
    verdict: kind,
    decision: decision.kind,
    delayMs: 'delayMs' in decision ? decision.delayMs : undefined,
    polled: call.asked,
  });
  if (call.terms.hears.answered()) {
    call.tell('answered', { send: call.sent, status, code, verdict: kind, reason, durationMs: wholeMs(durationMs) });
  }
  if (limit !== undefined && pausedUntil !== undefined) {
    const untilAt = Math.ceil(pausedUntil + call.terms.wallAheadMs());
    call.tell('paused', { key: limit.bucketOf(call), untilAt });
  }
  if (decision.kind === 'retry') {
    const delayMs = wholeMs(decision.delayMs);
    call.tell('retry-scheduled', { retry: call.retries + 1, delayMs, status, code, verdict: kind, reason });
  }
  if (decision.kind === 'poll' && call.terms.hears['poll-scheduled']()) {
    const url = addressOf(decision.url === undefined ? call.template : { url: decision.url });
    call.tell('poll-scheduled', { poll: call.polls + 1, delayMs: wholeMs(decision.delayMs), url, status, reason });
  }
  if (call.refusedRetry !== undefined) budget?.refuse(call, call.refusedRetry);
}
