import type { Verdict } from '../call/verdict.ts';
import type { StatusRule, StatusRules } from './options.ts';

export const SUCCESS: Verdict = Object.freeze({ kind: 'success' });
const PENDING: Verdict = Object.freeze({ kind: 'pending' });
const THROTTLED: Verdict = Object.freeze({ kind: 'throttled', unapplied: true });
const TRANSIENT: Verdict = Object.freeze({ kind: 'transient' });
export const UNPROCESSED: Verdict = Object.freeze({ kind: 'transient', unapplied: true });
const UNAUTHORIZED: Verdict = Object.freeze({ kind: 'unauthorized', unapplied: true });
const PERMANENT: Verdict = Object.freeze({ kind: 'permanent' });

/** What the documented statuses mean. Of the others, a 2xx is a success and any other is permanent. */
export const STATUS_VERDICTS: { readonly [status: number]: Verdict } = Object.freeze({
  400: PERMANENT, // bad request
  401: UNAUTHORIZED, // RFC 9110 §15.5.2: not applied
  403: PERMANENT, // forbidden
  404: PERMANENT, // not found
  405: PERMANENT, // method not allowed
  406: PERMANENT, // not acceptable
  408: TRANSIENT, // request timeout: may have been applied
  409: PERMANENT, // conflict
  412: PERMANENT, // precondition failed
  413: PERMANENT, // content too large; with Retry-After only for now: UNPROCESSED
  421: UNPROCESSED, // misdirected request (RFC 9110 §15.5.20): not applied
  425: UNPROCESSED, // too early (RFC 8470): not applied
  429: THROTTLED, // too many requests (RFC 6585 §4): not applied
  500: PERMANENT, // internal server error; `statuses: { 500: 'retry' }` makes it transient
  501: PERMANENT, // not implemented
  502: TRANSIENT, // bad gateway: may have been applied behind it
  503: TRANSIENT, // service unavailable: with Retry-After it was refused, not applied
  504: TRANSIENT, // gateway timeout: may have been applied behind it
});

const RULES: { readonly [R in StatusRule]: Verdict } = {
  retry: TRANSIENT,
  fail: PERMANENT,
  refresh: UNAUTHORIZED,
  pending: PENDING,
};

/**
 * What a status means: by the policy's rule, else by the table. The rule `retry` does not take away what the table knows: a 429 stays
 * throttled, and a 425 stays one that was not processed.
 */
export function verdictOfStatus(status: number, rule?: StatusRule): Verdict {
  const known = STATUS_VERDICTS[status] ?? (status >= 200 && status < 300 ? SUCCESS : PERMANENT);
  if (rule === undefined) return known;
  return rule === 'retry' && (known.kind === 'throttled' || known.kind === 'transient') ? known : RULES[rule];
}

const tens = Array.from({ length: 100 }, (_, n) => `${n}x`);
const hundreds = Array.from({ length: 10 }, (_, n) => `${n}xx`);

/** The policy's own rule for a status: `503` goes before `'50x'`, and that before `'5xx'`. */
export function ruleOf(status: number, statuses: StatusRules): StatusRule | undefined {
  const rules: { readonly [statusOrRange: string]: StatusRule | undefined } = statuses;
  // The names of the ranges are made beforehand, since every success asks for them.
  return rules[status] ?? rules[tens[Math.trunc(status / 10)] ?? ''] ?? rules[hundreds[Math.trunc(status / 100)] ?? ''];
}
