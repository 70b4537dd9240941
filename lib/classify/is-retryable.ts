import { fieldsOf } from '../failure/code.ts';
import { verdictOfError } from './network.ts';
import { verdictOfStatus } from './status.ts';

/**
 * Whether a repeat may go well after an error of any HTTP client: of axios, of fetch, and of OAuth libraries, whose errors carry the status
 * themselves (`status`, `httpCode`).
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
