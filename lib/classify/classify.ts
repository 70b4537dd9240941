import type { AxiosResponse } from 'axios';
import { headerOf } from '../call/header.ts';
import { brokeOff, type Outcome, responseOf } from '../call/outcome.ts';
import type { Judgement, Verdict } from '../call/verdict.ts';
import { isTunnelAnswer } from '../failure/unapplied.ts';
import type { Clock } from '../time/clock.ts';
import { parseRetryAfter } from '../time/retry-after.ts';
import { checkedVerdict } from './checked-verdict.ts';
import { apiErrorOf } from './error-body.ts';
import { namedWait } from './named-wait.ts';
import { verdictOfError } from './network.ts';
import type { Classifier, Evidence, ResolvedRules } from './options.ts';
import { ruleOf, SUCCESS, UNPROCESSED, verdictOfStatus } from './status.ts';

const REDUCED_CAPACITY = 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity';
const TRUNCATED: Verdict = Object.freeze({ kind: 'transient', reason: 'truncated' });

/**
 * What an outcome means, by the policy's judges; where none has an opinion, by the status; without an answer, by the error. A promise only
 * where a judge gives one.
 *
 * @param evidence what the judges are shown; called only where there are judges
 * @throws whatever a judge throws, and a TypeError where it gives what is no verdict
 */
export function classify(
  outcome: Outcome,
  policy: ResolvedRules,
  evidence: () => Evidence,
  clock: Pick<Clock, 'wall'>,
): Judgement | Promise<Judgement> {
  const opinion = policy.classify.length === 0 ? undefined : firstOpinion(policy.classify, evidence());
  return opinion instanceof Promise
    ? opinion.then((late) => conclude(late, outcome, policy, clock))
    : conclude(opinion, outcome, policy, clock);
}

/** What an outcome means, given the opinion of the judges, if they have one. Adds the wait that the server names. */
export function conclude(
  opinion: Verdict | undefined,
  outcome: Outcome,
  policy: Pick<ResolvedRules, 'statuses'>,
  clock: Pick<Clock, 'wall'>,
): Judgement {
  const verdict = opinion === undefined ? builtIn(outcome, policy, clock) : saidByPolicy(opinion);
  if (verdict.kind === 'pending') return withPollWait(verdict, outcome, clock);
  if (verdict.kind !== 'throttled' && verdict.kind !== 'transient') return verdict;
  return withNamedWait(verdict, outcome, clock);
}

/** The first opinion that one of the judges has, beginning with the judge `from`. */
function firstOpinion(
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
  return checkedVerdict(await promise, 'a promise of ') ?? firstOpinion(judges, evidence, next);
}

/** A promise of any realm or library. */
const isThenable = (given: unknown): given is PromiseLike<unknown> =>
  typeof (given as PromiseLike<unknown> | null | undefined)?.then === 'function';

/** Marks that the policy says `unauthorized`: then the challenges of the answer are not asked. */
const saidByPolicy = (verdict: Verdict): Judgement =>
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
  if (brokeOff(outcome)) {
    const verdict = verdictOfError(outcome.error);
    return verdict.kind === 'cancelled' ? verdict : TRUNCATED;
  }
  const rule = ruleOf(status, statuses);
  if ((rule === undefined || rule === 'retry') && isTooLargeForNow(response, clock)) return UNPROCESSED;
  if ((rule === undefined || rule === 'retry') && status === 503 && isReducedCapacity(outcome)) return UNPROCESSED;
  const verdict = verdictOfStatus(status, rule);
  if (verdict.kind === 'transient' && isTunnelAnswer(outcome.error ?? response)) return UNPROCESSED;
  return rule === undefined ? verdict : saidByPolicy(verdict);
}

/** With Retry-After, a 413 holds for a while only, and the body was not taken (RFC 9110 §15.5.14). */
function isTooLargeForNow(response: AxiosResponse, clock: Pick<Clock, 'wall'>): boolean {
  return response.status === 413 && parseRetryAfter(response.headers, clock.wall()) !== undefined;
}

/**
 * The problem type of the RateLimit draft, §5.2: the request cannot be satisfied, since there is less capacity for a while. So it was not
 * applied, also where no Retry-After says so.
 */
function isReducedCapacity(outcome: Outcome): boolean {
  const headers = responseOf(outcome)?.headers;
  const isProblem = headerOf(headers, 'content-type')?.toLowerCase().startsWith('application/problem+json');
  return isProblem === true && apiErrorOf(outcome, undefined)?.code === REDUCED_CAPACITY;
}

/** Adds how long the server asks to wait. */
function withNamedWait(verdict: Verdict, outcome: Outcome, clock: Pick<Clock, 'wall'>): Verdict {
  const response = responseOf(outcome);
  if (response === undefined || verdict.retryAfterMs !== undefined) return verdict;
  const named = namedWait(response, clock, verdict.kind === 'throttled');
  if (named === undefined) return verdict;
  // A 503 with Retry-After was refused and not applied (RFC 9110 §15.6.4).
  const refused = named.byRetryAfter && response.status === 503 && verdict.unapplied === undefined;
  return { ...verdict, retryAfterMs: named.ms, ...(refused && { unapplied: true }) };
}

/**
 * Adds when the server wants to be asked again. By Retry-After alone: the state of a quota is the limiter's business. `Retry-After: 0`
 * names no time here: the number of polls has no bound, so that to ask at once, for minutes, would be a storm.
 */
function withPollWait(verdict: Verdict, outcome: Outcome, clock: Pick<Clock, 'wall'>): Verdict {
  if (verdict.retryAfterMs !== undefined) return verdict;
  const named = parseRetryAfter(responseOf(outcome)?.headers, clock.wall());
  return named ? { ...verdict, retryAfterMs: named } : verdict;
}

/** Whether the answer's content type is JSON, so that it makes sense to read an unread body. */
export function announcesJson(headers: unknown): boolean {
  return /[/+]json\b/i.test(headerOf(headers, 'content-type')?.slice(0, 256) ?? '');
}
