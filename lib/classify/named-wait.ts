import type { AxiosResponse } from 'axios';
import { quotaWaitMs, readQuota } from '../limit/quota/headers.ts';
import type { Clock } from '../time/clock.ts';
import { parseRetryAfter } from '../time/retry-after.ts';

/** How long an answer asks to wait, in ms, and whether it does so by Retry-After. */
export interface NamedWait {
  readonly ms: number;
  readonly explicit: boolean;
}

/** What a failed answer asks for: its Retry-After, else the reset of its rate limit. */
export function namedWait(
  { headers }: Pick<AxiosResponse, 'headers'>,
  clock: Pick<Clock, 'wall'>,
  throttled: boolean,
): NamedWait | undefined {
  const explicit = parseRetryAfter(headers, clock.wall());
  if (explicit !== undefined) return { ms: explicit, explicit: true };
  const quota = readQuota(headers, clock, throttled);
  const ms = quota && quotaWaitMs(quota, throttled);
  return ms === undefined ? undefined : { ms, explicit: false };
}
