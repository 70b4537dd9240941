import { fieldsOf } from '../failure/code.ts';
import { verdictOfError } from './network.ts';
import { verdictOfStatus } from './status.ts';

/**
 * Whether an error of anybody's HTTP client may pass: axios' and what fetch throws, as well as those that carry the status
 * themselves, as OAuth libraries' do.
 */
export function isRetryable(error: unknown): boolean {
  const { response, status, httpCode } = fieldsOf(error) as {
    response?: unknown;
    status?: unknown;
    httpCode?: unknown;
  };
  const answered = (response as { status?: unknown } | null | undefined)?.status ?? status ?? httpCode;
  const { kind } = typeof answered === 'number' ? verdictOfStatus(answered) : verdictOfError(error);
  return kind === 'transient' || kind === 'throttled';
}
