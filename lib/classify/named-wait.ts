import type { AxiosResponse } from 'axios';
import { quotaWaitMs, readQuota } from '../limit/quota/headers.ts';
import type { Clock } from '../time/clock.ts';
import { parseRetryAfter } from '../time/retry-after.ts';

/** How long an answer asks to wait. */
interface NamedWait {
  readonly ms: number;
  /** Whether Retry-After, or one of its relatives in ms, names it; else the headers of a quota do. */
  readonly byRetryAfter: boolean;
}

/** The wait that a failed answer asks for: by its Retry-After, else until its quota is reset. `undefined` where it asks for none. */
export function namedWait(
  { headers }: Pick<AxiosResponse, 'headers'>,
  clock: Pick<Clock, 'wall'>,
  throttled: boolean,
): NamedWait | undefined {
  const retryAfterMs = parseRetryAfter(headers, clock.wall());
  if (retryAfterMs !== undefined) return { ms: retryAfterMs, byRetryAfter: true };
  const quota = readQuota(headers, clock, throttled);
  const ms = quota && quotaWaitMs(quota, throttled);
  return ms === undefined ? undefined : { ms, byRetryAfter: false };
}
