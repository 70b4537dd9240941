import type { Decision } from '../call/decision.ts';
import type { EndReason } from '../call/report.ts';
import type { Judgement } from '../call/verdict.ts';
import type { ResolvedPoll } from '../poll/options.ts';
import { delayFor, type Occasion } from './delay.ts';
import { isHarmless, isIdempotentHere } from './harmless.ts';
import type { ResolvedRetry } from './options.ts';

/** Everything that a decision rests on; the judge looks at nothing else and changes nothing. */
export interface Facts extends Occasion {
  readonly verdict: Judgement;
  readonly retry: false | ResolvedRetry;
  readonly poll: false | ResolvedPoll;
  /** Upper case. */
  readonly method: string;
  /** Since the last answer that was pending, as `retries` are. */
  readonly replays: number;
  /** Whether the send carried a token of ours, and another one might be accepted. */
  readonly refreshable: boolean;
  /** Whether a refresh had just given that token, and the server has refused it already. */
  readonly refusedAnew: boolean;
  readonly nowMs: number;
  readonly deadlineAt: number;
  /** Whether the answer is good enough: a judge accepts it, or axios resolved a 304 that `validateStatus` lets through. */
  readonly accepted: boolean;
  readonly timedOut: boolean;
  /** Whether a repeat would carry the same idempotency key. */
  readonly sameKey: boolean;
  /** Whether the body can be sent again, as it is or made afresh. */
  readonly replayable: boolean;
  /** What a pending answer says is to be asked from now on. */
  readonly pollUrl: string | undefined;
  /** Since the first answer that was pending, in ms. */
  readonly pollingMs: number;
  /** Whether the retry budget allows a retry. */
  readonly affordable: boolean;
  /** Whether the connection was to blame, so that a fresh one is worth trying at once. */
  readonly wantsFreshConnection: boolean;
}

const AT_ONCE: Decision = Object.freeze({ kind: 'retry', delayMs: 0, backoff: false, namedMs: 0 });
const REFRESH: Decision = Object.freeze({ kind: 'refresh' });
export const FINISH: Decision = Object.freeze({ kind: 'finish' });
const stop = (why: EndReason): Decision => ({ kind: 'stop', why });

/** What to do about an outcome, and why. */
export function decide(facts: Facts): Decision {
  switch (facts.verdict.kind) {
    case 'success':
      return FINISH;
    case 'cancelled':
      return stop('cancelled');
    case 'permanent':
      return facts.accepted ? FINISH : stop('not-retryable');
    case 'unauthorized':
      return refreshOrStop(facts);
    case 'pending':
      return pollOrStop(facts);
    case 'throttled':
    case 'transient':
      return retryOrStop(facts);
  }
}

/**
 * What cannot be asked again ends the call as a success does: the server has taken the request, and says no more. With a 202, a poll
 * a second and the default of `maxMs`, a call makes 600 polls and ends as still pending when the 601st is due.
 */
function pollOrStop(facts: Facts): Decision {
  const { poll, pollUrl, pollingMs, verdict, nowMs, deadlineAt } = facts;
  if (poll === false || verdict.final || (pollUrl === undefined && !mayAskAgain(facts))) return FINISH;
  const delayMs = verdict.retryAfterMs ?? poll.intervalMs;
  if (deadlineAt < Number.POSITIVE_INFINITY && nowMs + delayMs >= deadlineAt) return stop('deadline');
  if (pollingMs + delayMs > poll.maxMs) return stop('still-pending');
  return { kind: 'poll', delayMs, url: pollUrl };
}

/** Whether sending the same request once more only asks. Never a POST or a PATCH, not even with an idempotency key. */
function mayAskAgain({ method, replayable, retry }: Facts): boolean {
  return method !== 'POST' && method !== 'PATCH' && replayable && isIdempotentHere(method, retry);
}

function refreshOrStop(facts: Facts): Decision {
  const { refreshable, refusedAnew, replays, replayable, retry, verdict, nowMs, deadlineAt } = facts;
  if (verdict.final) return stop('not-retryable');
  if (replays > 0) return stop('still-unauthorized');
  if (!refreshable) return stop('not-retryable');
  if (refusedAnew) return stop('still-unauthorized');
  // A 401 was not applied (RFC 9110 §15.5.2), unless a redirect lies between it and what was sent.
  if (!isHarmless(facts, retry, 'when-unapplied')) return stop('unsafe-method');
  if (!replayable) return stop('body-not-replayable');
  return nowMs >= deadlineAt ? stop('deadline') : REFRESH;
}

function retryOrStop(facts: Facts): Decision {
  const { retry, verdict, nowMs, deadlineAt } = facts;
  if (verdict.final) return stop('not-retryable');
  if (verdict.ends !== undefined) return stop(verdict.ends);
  if (nowMs >= deadlineAt) return stop('deadline');
  if (retry === false) return stop('disabled');
  if (facts.timedOut && !retry.timeouts) return stop('not-retryable');
  if (!isHarmless(facts, retry, retry.unsafe)) return stop('unsafe-method');
  if (!facts.replayable) return stop('body-not-replayable');
  if (facts.retries >= retry.maxRetries) return stop('retries-exhausted');
  if (facts.wantsFreshConnection && verdict.retryAfterMs === undefined) return AT_ONCE;
  const delay = delayFor(facts, retry);
  if (delay === 'too-long') return stop('wait-too-long');
  if (nowMs + delay.ms >= deadlineAt) return stop('deadline');
  if (!facts.affordable) return stop('budget-empty');
  return { kind: 'retry', delayMs: delay.ms, backoff: delay.backoff, namedMs: delay.namedMs };
}
