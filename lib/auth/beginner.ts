import type { AxiosInstance } from 'axios';
import type { EventName, EventOf } from '../call/events.ts';
import { wholeMs } from '../call/time-shown.ts';
import { isRetryable } from '../classify/is-retryable.ts';
import { passThrough } from './pass-through.ts';
import { publicCodeOf } from './public-code.ts';
import type { Beginner } from './refresh.ts';

/** What a refresh needs of the attachment whose call began it. */
export interface BeginnerPorts {
  readonly axios: AxiosInstance;
  readonly counters: { refreshes: number };
  /** Tells of what happens outside of any one call. */
  readonly tell: <E extends EventName>(name: E, event: EventOf<E>) => void;
  readonly storeLost: (key: string, error: unknown) => void;
}

/** An attachment whose calls begin refreshes: they go by its instance, and it is told of them. */
export function beginnerOf({ axios, counters, tell, storeLost }: BeginnerPorts): Beginner {
  return {
    http: passThrough(axios),
    isRetryable,
    refreshing: (key, reason) => tell('refreshing', { key, reason }),
    refreshed: (key, durationMs) => {
      counters.refreshes += 1;
      tell('refreshed', { key, durationMs: wholeMs(durationMs) });
    },
    refreshFailed: (key, error, durationMs) =>
      tell('refresh-failed', { key, code: publicCodeOf(error), durationMs: wholeMs(durationMs) }),
    storeLost,
  };
}
