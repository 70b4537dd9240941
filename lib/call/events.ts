import type { Call } from './call.ts';
import type { BudgetState } from './refused-retry.ts';
import type { EndReason, Report } from './report.ts';
import type { VerdictKind } from './verdict.ts';

/** What the library tells while it works. Plain data without headers, bodies or queries, so it can be logged as it is. */
export interface Events {
  /** A request left. `send` counts from 1. */
  sent: { readonly call: Call; readonly send: number };
  /** A send ended, with a status or with an error's code. */
  answered: {
    readonly call: Call;
    readonly send: number;
    readonly status: number | undefined;
    readonly code: string | undefined;
    readonly verdict: VerdictKind;
    readonly reason: string | undefined;
    readonly durationMs: number;
  };
  /** A retry will be made in `delayMs`; `retry` counts from 1. */
  'retry-scheduled': {
    readonly call: Call;
    readonly retry: number;
    readonly delayMs: number;
    /** Of the answer that it follows, or the error's code. */
    readonly status: number | undefined;
    readonly code: string | undefined;
    readonly verdict: VerdictKind;
    readonly reason: string | undefined;
  };
  /** The answer was pending: it will be asked for again in `delayMs`; `poll` counts from 1, `url` is what is asked, without its query. */
  'poll-scheduled': {
    readonly call: Call;
    readonly poll: number;
    readonly delayMs: number;
    readonly url: string;
    readonly status: number | undefined;
    readonly reason: string | undefined;
  };
  /** A token refresh began; `key` is the policy's `auth.key`. It is one for all calls that wait for it. */
  refreshing: { readonly key: string; readonly reason: 'expiring' | 'unauthorized' };
  /** There is a new token: refreshed here, or by another process that shares the store. */
  refreshed: { readonly key: string; readonly durationMs: number };
  /** The refresh failed for good; its error is the `cause` of what the waiting calls reject with. */
  'refresh-failed': { readonly key: string; readonly code: string | undefined; readonly durationMs: number };
  /** The token store could not be reached: this process refreshes on its own, or keeps for itself what its refresh gave. */
  'store-lost': { readonly key: string; readonly code: string | undefined };
  /**
   * A send waits for the limiter's permit. The rest is told where the limiter knows it: the `place` in its line (1 is next) `of` so many,
   * the instant `untilAt` before which it cannot be let go, ms since the epoch.
   */
  queued: {
    readonly call: Call;
    readonly key: string;
    /** For a person: `paused until 12:00:01Z, place 3 of 7 in the queue`. */
    readonly why: string;
    readonly place: number | undefined;
    readonly of: number | undefined;
    readonly untilAt: number | undefined;
  };
  /** The limiter refused a send. */
  limited: { readonly call: Call; readonly key: string; readonly code: string | undefined };
  /** A throttled answer paused a whole bucket until the instant `untilAt`, ms since the epoch. */
  paused: { readonly call: Call; readonly key: string; readonly untilAt: number };
  /** A retry was not made because the retry budget of `key` is spent: `rule` says by which of its two rules, the rest with what numbers. */
  'budget-empty': { readonly call: Call; readonly key: string } & BudgetState;
  /** Enough sends failed, or the probe did: until the instant `retryAt`, ms since the epoch, nothing is sent under that key. */
  'circuit-opened': { readonly call: Call; readonly key: string; readonly retryAt: number };
  /** The probe was answered: sends leave again. */
  'circuit-closed': { readonly call: Call; readonly key: string };
  /** The call ended. */
  finished: { readonly call: Call; readonly endedBecause: 'success' | EndReason; readonly report: Report };
}

export type EventName = keyof Events;

/** Any event, with its name. */
export type AnyEvent = { [E in EventName]: { readonly name: E } & Events[E] }[EventName];

/** What can be listened to; `'*'` hears every event. */
interface Heard extends Events {
  '*': AnyEvent;
}

export type EventOf<E extends EventName | '*'> = Heard[E];
export type Listener<E extends EventName | '*'> = (event: EventOf<E>) => void;

/** The name of every event. */
// The type makes sure that none is missing.
export const EVENT_NAMES: readonly EventName[] = Object.freeze(
  Object.keys({
    sent: 0,
    answered: 0,
    'retry-scheduled': 0,
    'poll-scheduled': 0,
    refreshing: 0,
    refreshed: 0,
    'refresh-failed': 0,
    'store-lost': 0,
    queued: 0,
    limited: 0,
    paused: 0,
    'budget-empty': 0,
    'circuit-opened': 0,
    'circuit-closed': 0,
    finished: 0,
  } satisfies { [E in EventName]: 0 }) as EventName[],
);
