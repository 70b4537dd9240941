import { durationOf } from '../call/time-shown.ts';
import type { CallContext } from '../context.ts';
import type { Wait } from '../observe/pending.ts';

/** What a call waits for that waits for its next retry. */
export function untilRetry(context: CallContext, delayMs: number): Wait {
  const { call, policy } = context;
  const last = call.sends.at(-1);
  const most = policy.retry === false ? Number.POSITIVE_INFINITY : policy.retry.maxRetries;
  const retry = `${call.retries - call.retriesBefore + 1}${most === Number.POSITIVE_INFINITY ? '' : ` of ${most}`}`;
  return {
    phase: 'retry-wait',
    until: () => context.since + delayMs,
    why: () => `waits ${durationOf(delayMs)} before retry ${retry} after ${last?.status ?? last?.code ?? 'no answer'}`,
  };
}

/** What a call waits for that waits to ask again whether it is done. */
export function untilPoll(context: CallContext, delayMs: number): Wait {
  const { call } = context;
  return {
    phase: 'poll',
    until: () => context.since + delayMs,
    why: () => `waits ${durationOf(delayMs)} before poll ${call.polls + 1}: ${call.sends.at(-1)?.status} is pending`,
  };
}
