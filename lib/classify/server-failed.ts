import { type Outcome, responseOf } from '../call/outcome.ts';
import { faultOf } from '../failure/fault.ts';
import { verdictOfError } from './network.ts';

/** 5xx that speak of the request: the server cannot do that at all (501), or not in that version of HTTP (505). */
const ABOUT_THE_REQUEST: ReadonlySet<number> = new Set([501, 505]);

/**
 * Whether an outcome shows that the server is ill; `undefined` where it shows nothing.
 *
 * It asks the answer and not the verdict: a judge that has a 202 polled, or a 404 tried again, does not say that the server is ill,
 * and a 500 is a failure of the server also where nobody repeats it. Ill: no answer (a lost connection, a time-out) and every 5xx
 * but 501 and 505. Well: any other answer. What failed on our side, as a wrong URL or a missing file, shows nothing.
 */
export function serverFailed(outcome: Outcome): boolean | undefined {
  const response = responseOf(outcome);
  const status = Number(response?.status);
  // axios' http adapter rejects an answer that began well and broke off with a response that never got its data.
  const brokeOff = outcome.error !== undefined && status < 300 && response !== undefined && !('data' in response);
  if (status >= 100 && !brokeOff) return status >= 500 && !ABOUT_THE_REQUEST.has(status);
  // What an adapter resolves is an answer, whatever it looks like.
  if (outcome.error === undefined) return false;
  const isRetryable = verdictOfError(outcome.error).kind === 'transient' && faultOf(outcome.error) !== 'local';
  return isRetryable || undefined;
}
