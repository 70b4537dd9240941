import { addressOf } from '../call/address.ts';
import type { Decision } from '../call/decision.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { wholeMs } from '../call/time-shown.ts';
import type { Judgement } from '../call/verdict.ts';
import type { CallContext } from '../context.ts';
import { codeOf } from '../failure/code.ts';
import type { Admission } from '../limit/station.ts';
import type { Transmission } from '../send/transmission.ts';

/** A send that has been judged. */
export interface JudgedSend {
  readonly outcome: Outcome;
  readonly verdict: Judgement;
  readonly decision: Decision;
  readonly answeredAt: number;
  /** Until when its answer pauses the bucket, on the clock, if it does. */
  readonly pausedUntil: number | undefined;
  /** Whether the policy has a token, which may have taken time. */
  readonly hasToken: boolean;
}

/** Writes a send into the report, and tells of it: the answer first, then what followed from it. */
export function record(
  context: CallContext,
  transmission: Transmission,
  admission: Admission | undefined,
  { outcome, verdict, decision, answeredAt, pausedUntil, hasToken }: JudgedSend,
): void {
  const { call } = context;
  const { kind, reason } = verdict;
  const startedAt = transmission.sentAt;
  const durationMs = answeredAt - startedAt;
  const status = responseOf(outcome)?.status;
  const code = outcome.error === undefined ? undefined : codeOf(outcome.error);
  call.sends.push({
    startedAt,
    durationMs,
    queuedMs: admission?.queuedMs ?? 0,
    refreshMs: hasToken ? call.refreshMs - call.sends.reduce((sum, send) => sum + (send.refreshMs ?? 0), 0) : undefined,
    status,
    code,
    verdict: kind,
    decision: decision.kind,
    delayMs: 'delayMs' in decision ? decision.delayMs : undefined,
    polled: transmission.asked,
  });
  if (context.heard('answered')) {
    const told = { send: call.sent, status, code, verdict: kind, reason, durationMs: wholeMs(durationMs) };
    context.tell('answered', told);
  }
  if (pausedUntil !== undefined) {
    context.tell('paused', {
      key: String(admission?.key),
      untilAt: Math.ceil(pausedUntil + context.shared.wallAheadMs()),
    });
  }
  if (decision.kind === 'retry') {
    const delayMs = wholeMs(decision.delayMs);
    context.tell('retry-scheduled', { retry: call.retries + 1, delayMs, status, code, verdict: kind, reason });
  }
  if (decision.kind === 'poll' && context.heard('poll-scheduled')) {
    const url = addressOf(decision.url === undefined ? transmission.template : { url: decision.url });
    context.tell('poll-scheduled', { poll: call.polls + 1, delayMs: wholeMs(decision.delayMs), url, status, reason });
  }
}
