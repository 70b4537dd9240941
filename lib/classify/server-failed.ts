import { brokeOff, type Outcome, responseOf } from '../call/outcome.ts';
import { faultOf } from '../failure/fault.ts';
import { verdictOfError } from './network.ts';

/** 5xx that are about the request: the server can't do that at all (501), or not in that version of HTTP (505). */
const ABOUT_THE_REQUEST: ReadonlySet<number> = new Set([501, 505]);

/**
 * Whether an outcome shows that the server fails; for the circuit breaker.
 *
 * - `true`: no answer (a lost connection, a timeout), or any 5xx but 501 and 505.
 * - `false`: any other answer.
 * - `undefined`: it shows nothing, since something failed in this process: a wrong URL, a missing file.
 *
 * The answer counts and not the verdict. A judge that has a 202 polled, or a 404 retried, does not say that the server fails; and a 500 is a
 * failure of the server, also where nobody retries it.
 */
export function serverFailed(outcome: Outcome): boolean | undefined {
  const status = Number(responseOf(outcome)?.status);
  if (status >= 100 && !brokeOff(outcome)) return status >= 500 && !ABOUT_THE_REQUEST.has(status);
  // What an adapter resolves is an answer, whatever it looks like.
  if (outcome.error === undefined) return false;
  const isServers = verdictOfError(outcome.error).kind === 'transient' && faultOf(outcome.error) !== 'local';
  return isServers || undefined;
}
