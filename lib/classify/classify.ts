import type { ApiError } from '../failure/api-error.ts';
import { quotaWaitMs, readQuota } from '../limit/quota-headers.ts';
import type { Call } from '../model/call.ts';
import { type Outcome, responseOf } from '../model/outcome.ts';
import type { Verdict, VerdictKind } from '../model/verdict.ts';
import type { Classifier, ResolvedPolicy } from '../policy/options.ts';
import { headerOf } from '../wait/header.ts';
import { parseRetryAfter } from '../wait/retry-after.ts';
import { verdictOfError } from './network.ts';
import { SUCCESS, verdictOfStatus } from './status.ts';

const KINDS: ReadonlySet<unknown> = new Set<VerdictKind>([
  'success',
  'throttled',
  'transient',
  'unauthorized',
  'permanent',
  'cancelled',
]);

const TORN: Verdict = Object.freeze({ kind: 'transient', reason: 'truncated' });

/** What the judges of a policy are shown; made only when there is a judge. */
export interface Evidence {
  readonly call: Call;
  readonly api: ApiError | undefined;
}

/**
 * What an outcome means: the policy's judges first, then the status, then the network's error.
 *
 * @throws whatever a judge of the policy throws, and a TypeError when it gives what is no verdict.
 */
export function classify(
  outcome: Outcome,
  policy: Pick<ResolvedPolicy, 'statuses' | 'classify'>,
  evidence: () => Evidence,
  nowMs: number,
): Verdict {
  const verdict = opinion(outcome, policy, evidence, nowMs) ?? builtIn(outcome, policy);
  if (verdict.kind !== 'throttled' && verdict.kind !== 'transient') return verdict;
  return withWait(verdict, outcome, nowMs);
}

function opinion(
  outcome: Outcome,
  policy: Pick<ResolvedPolicy, 'classify'>,
  evidence: () => Evidence,
  nowMs: number,
): Verdict | undefined {
  if (policy.classify.length === 0) return undefined;
  const argument = exhibit(outcome, evidence(), nowMs);
  for (const judge of policy.classify) {
    const verdict = judge(argument);
    if (verdict === undefined) continue;
    // An async judge gives a promise, and `condition && verdict` gives false: neither may pass for an opinion.
    if (KINDS.has((verdict as Verdict | null)?.kind)) return verdict;
    throw new TypeError("classify must give a verdict, such as { kind: 'transient' }, or undefined");
  }
  return undefined;
}

/** What the judges of a policy are shown of an outcome. */
export function exhibit(outcome: Outcome, evidence: Evidence, nowMs: number): Parameters<Classifier>[0] {
  const failed = Number(responseOf(outcome)?.status) >= 400;
  const retryAfterMs = failed ? namedWait(outcome, nowMs)?.ms : undefined;
  return Object.freeze({ outcome, retryAfterMs, ...evidence });
}

function builtIn(outcome: Outcome, { statuses }: Pick<ResolvedPolicy, 'statuses'>): Verdict {
  const response = responseOf(outcome);
  if (response === undefined) return verdictOfError(outcome.error);
  const { status } = response;
  if (typeof status !== 'number') return outcome.error === undefined ? SUCCESS : verdictOfError(outcome.error);
  // An answer that began well and broke off: axios' http adapter rejects with a 200 that never got its data.
  if (outcome.error !== undefined && status >= 200 && status < 300 && !('data' in response)) {
    const verdict = verdictOfError(outcome.error);
    return verdict.kind === 'cancelled' ? verdict : TORN;
  }
  return verdictOfStatus(status, statuses[status]);
}

/** Adds how long the server asked to wait. */
function withWait(verdict: Verdict, outcome: Outcome, nowMs: number): Verdict {
  const named = verdict.retryAfterMs === undefined ? namedWait(outcome, nowMs) : undefined;
  if (named === undefined) return verdict;
  // RFC 9110 §15.6.4: a 503 that says when to come back was refused, not applied.
  const refused = named.explicit && responseOf(outcome)?.status === 503 && verdict.unapplied === undefined;
  return { ...verdict, retryAfterMs: named.ms, ...(refused && { unapplied: true }) };
}

/** What a failed answer asks for: its Retry-After, else the reset of its rate limit. */
function namedWait(outcome: Outcome, nowMs: number): { readonly ms: number; readonly explicit: boolean } | undefined {
  const response = responseOf(outcome);
  if (response === undefined) return undefined;
  const explicit = parseRetryAfter(response.headers, nowMs);
  if (explicit !== undefined) return { ms: explicit, explicit: true };
  const quota = readQuota(response.headers, nowMs);
  const ms = quota && quotaWaitMs(quota);
  return ms === undefined ? undefined : { ms, explicit: false };
}

/** Whether the answer announces JSON, so that reading an unread body for it is worth while. */
export function announcesJson(headers: unknown): boolean {
  return /[/+]json\b/i.test(headerOf(headers, 'content-type')?.slice(0, 256) ?? '');
}
