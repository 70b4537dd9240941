import type { Decision } from '../model/decision.ts';
import type { EndReason } from '../model/report.ts';
import type { ResolvedRetry } from '../policy/options.ts';
import { delayFor, type Occasion } from './delay.ts';
import { isHarmless } from './harmless.ts';

/** Everything that a decision rests on; the judge looks at nothing else and changes nothing. */
export interface Facts extends Occasion {
  readonly retry: false | ResolvedRetry;
  /** Upper case. */
  readonly method: string;
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
  /** Whether the retry budget allows a retry. */
  readonly affordable: boolean;
}

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
    case 'throttled':
    case 'transient':
      return retryOrStop(facts);
  }
}

function refreshOrStop(facts: Facts): Decision {
  const { refreshable, refusedAnew, replays, replayable, verdict, nowMs, deadlineAt } = facts;
  if (verdict.final) return stop('not-retryable');
  if (replays > 0) return stop('still-unauthorized');
  if (!refreshable) return stop('not-retryable');
  if (refusedAnew) return stop('still-unauthorized');
  // A 401 was not applied (RFC 9110 §15.5.2), unless a redirect lies between it and what was sent.
  const idempotentMethods = facts.retry === false ? [] : facts.retry.idempotentMethods;
  if (!isHarmless(facts, { unsafe: 'when-unapplied', idempotentMethods })) return stop('unsafe-method');
  if (!replayable) return stop('body-not-replayable');
  return nowMs >= deadlineAt ? stop('deadline') : REFRESH;
}

function retryOrStop(facts: Facts): Decision {
  const { retry, verdict, nowMs, deadlineAt } = facts;
  if (verdict.final) return stop('not-retryable');
  if (nowMs >= deadlineAt) return stop('deadline');
  if (retry === false) return stop('disabled');
  if (facts.timedOut && !retry.timeouts) return stop('not-retryable');
  if (!isHarmless(facts, retry)) return stop('unsafe-method');
  if (!facts.replayable) return stop('body-not-replayable');
  if (facts.retries >= retry.maxRetries) return stop('retries-exhausted');
  const delay = delayFor(facts, retry);
  if (delay === 'too-long') return stop('wait-too-long');
  if (nowMs + delay.ms >= deadlineAt) return stop('deadline');
  if (!facts.affordable) return stop('budget-empty');
  return { kind: 'retry', delayMs: delay.ms, backoff: delay.backoff, namedMs: delay.namedMs };
}
