import type { AxiosResponse } from 'axios';
import { headerOf } from '../call/header.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { Judgement, Verdict } from '../call/verdict.ts';
import { isTunnelAnswer } from '../failure/unapplied.ts';
import type { Clock } from '../time/clock.ts';
import { parseRetryAfter } from '../time/retry-after.ts';
import { checkedVerdict } from './checked-verdict.ts';
import { namedWait } from './named-wait.ts';
import { verdictOfError } from './network.ts';
import type { Classifier, Evidence, ResolvedRules } from './options.ts';
import { ruleOf, SUCCESS, UNPROCESSED, verdictOfStatus } from './status.ts';

const TORN: Verdict = Object.freeze({ kind: 'transient', reason: 'truncated' });

/**
 * What an outcome means: the policy's judges first, then the status, then the network's error. A promise only where a judge gives
 * one.
 *
 * @param evidence what the judges are shown; asked only when there are any
 * @throws whatever a judge of the policy throws, and a TypeError when it gives what is no verdict.
 */
export function classify(
  outcome: Outcome,
  policy: ResolvedRules,
  evidence: () => Evidence,
  clock: Pick<Clock, 'wall'>,
): Judgement | Promise<Judgement> {
  const told = policy.classify.length === 0 ? undefined : opinion(policy.classify, evidence());
  return told instanceof Promise
    ? told.then((late) => conclude(late, outcome, policy, clock))
    : conclude(told, outcome, policy, clock);
}

/** What an outcome means where no judge has an opinion. */
export function conclude(
  told: Verdict | undefined,
  outcome: Outcome,
  policy: Pick<ResolvedRules, 'statuses'>,
  clock: Pick<Clock, 'wall'>,
): Judgement {
  const verdict = told === undefined ? builtIn(outcome, policy, clock) : explicit(told);
  if (verdict.kind === 'pending') return atItsPace(verdict, outcome, clock);
  if (verdict.kind !== 'throttled' && verdict.kind !== 'transient') return verdict;
  return withWait(verdict, outcome, clock);
}

/** The first one that a judge has, from the n-th judge on. */
function opinion(
  judges: readonly Classifier[],
  evidence: Evidence,
  from = 0,
): Verdict | undefined | Promise<Verdict | undefined> {
  for (let n = from; n < judges.length; n++) {
    const given: unknown = judges[n]?.(evidence);
    if (isThenable(given)) return lateOpinion(given, judges, evidence, n + 1);
    const verdict = checkedVerdict(given);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

async function lateOpinion(
  promise: PromiseLike<unknown>,
  judges: readonly Classifier[],
  evidence: Evidence,
  next: number,
): Promise<Verdict | undefined> {
  return checkedVerdict(await promise, 'a promise of ') ?? opinion(judges, evidence, next);
}

/** Of whichever realm or library. */
const isThenable = (given: unknown): given is PromiseLike<unknown> =>
  typeof (given as PromiseLike<unknown> | null | undefined)?.then === 'function';

/** That the policy says so, which goes before what the challenges of the answer say. */
const explicit = (verdict: Verdict): Judgement =>
  verdict.kind === 'unauthorized' ? { ...verdict, explicit: true } : verdict;

function builtIn(
  outcome: Outcome,
  { statuses }: Pick<ResolvedRules, 'statuses'>,
  clock: Pick<Clock, 'wall'>,
): Judgement {
  const response = responseOf(outcome);
  if (response === undefined) return verdictOfError(outcome.error);
  const { status } = response;
  if (typeof status !== 'number') return outcome.error === undefined ? SUCCESS : verdictOfError(outcome.error);
  // An answer that began well and broke off: axios' http adapter rejects with a 200 that never got its data.
  if (outcome.error !== undefined && status >= 200 && status < 300 && !('data' in response)) {
    const verdict = verdictOfError(outcome.error);
    return verdict.kind === 'cancelled' ? verdict : TORN;
  }
  const rule = ruleOf(status, statuses);
  if ((rule === undefined || rule === 'retry') && isTooLargeForNow(response, clock)) return UNPROCESSED;
  const verdict = verdictOfStatus(status, rule);
  if (verdict.kind === 'transient' && isTunnelAnswer(outcome.error ?? response)) return UNPROCESSED;
  return rule === undefined ? verdict : explicit(verdict);
}

/** RFC 9110 §15.5.14: with Retry-After a 413 is one for now, and the body was not taken. */
function isTooLargeForNow(response: AxiosResponse, clock: Pick<Clock, 'wall'>): boolean {
  return response.status === 413 && namedWait(response, clock, false)?.explicit === true;
}

/** Adds how long the server asked to wait. */
function withWait(verdict: Verdict, outcome: Outcome, clock: Pick<Clock, 'wall'>): Verdict {
  const response = responseOf(outcome);
  if (response === undefined || verdict.retryAfterMs !== undefined) return verdict;
  const named = namedWait(response, clock, verdict.kind === 'throttled');
  if (named === undefined) return verdict;
  // RFC 9110 §15.6.4: a 503 that says when to come back was refused, not applied.
  const refused = named.explicit && response.status === 503 && verdict.unapplied === undefined;
  return { ...verdict, retryAfterMs: named.ms, ...(refused && { unapplied: true }) };
}

/**
 * When the server wants to be asked again. By Retry-After alone: what is left of a quota is the limiter's business. And a 0 names no
 * time: nothing counts polls, so asking at once for minutes would be a storm.
 */
function atItsPace(verdict: Verdict, outcome: Outcome, clock: Pick<Clock, 'wall'>): Verdict {
  if (verdict.retryAfterMs !== undefined) return verdict;
  const named = parseRetryAfter(responseOf(outcome)?.headers, clock.wall());
  return named ? { ...verdict, retryAfterMs: named } : verdict;
}

/** Whether the answer announces JSON, so that reading an unread body for it is worth while. */
export function announcesJson(headers: unknown): boolean {
  return /[/+]json\b/i.test(headerOf(headers, 'content-type')?.slice(0, 256) ?? '');
}
