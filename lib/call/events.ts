import type { Call } from './call.ts';
import type { BudgetState } from './refused-retry.ts';
import type { EndReason, Report } from './report.ts';
import type { VerdictKind } from './verdict.ts';

/**
 * Every event by its name, and what a listener is given. Frozen plain data without headers, bodies and queries, so it can be logged as it
 * is. Durations are in ms, instants in ms since the epoch.
 *
 * @example
 * const stop = attachment.on('retry-scheduled', ({ call, delayMs, status }) => metrics.retry(call.url, status, delayMs));
 * attachment.on('*', (event) => log.debug(event.name, event));
 * attach(other, { on: { finished: ({ report }) => metrics.time(report.elapsedMs) } });
 */
export interface Events {
  /** A request leaves. `send` counts from 1. */
  sent: { readonly call: Call; readonly send: number };
  /** A send has ended, with a `status` or with the `code` of an error; `durationMs` after it left. */
  answered: {
    readonly call: Call;
    readonly send: number;
    readonly status: number | undefined;
    readonly code: string | undefined;
    readonly verdict: VerdictKind;
    readonly reason: string | undefined;
    readonly durationMs: number;
  };
  /** A retry will be made in `delayMs`; `retry` counts from 1. `status` or `code` is that of the send before it. */
  'retry-scheduled': {
    readonly call: Call;
    readonly retry: number;
    readonly delayMs: number;
    readonly status: number | undefined;
    readonly code: string | undefined;
    readonly verdict: VerdictKind;
    readonly reason: string | undefined;
  };
  /** The server has not finished: it will be asked again in `delayMs`. `poll` counts from 1; `url` is what is asked, without query. */
  'poll-scheduled': {
    readonly call: Call;
    readonly poll: number;
    readonly delayMs: number;
    readonly url: string;
    readonly status: number | undefined;
    readonly reason: string | undefined;
  };
  /** A token refresh begins: one for all calls that wait for it. `key` is what `auth.key` gives. */
  refreshing: { readonly key: string; readonly reason: 'expiring' | 'unauthorized' };
  /** There is a new token: refreshed by this process, or by another one that shares the store. */
  refreshed: { readonly key: string; readonly durationMs: number };
  /** The refresh has failed, its own retries included; its error is the `cause` of what the waiting calls reject with. */
  'refresh-failed': { readonly key: string; readonly code: string | undefined; readonly durationMs: number };
  /**
   * The Redis of a limiter or of a token store is lost, or refuses what it is asked. `code` is that of the network, or the word that Redis begins
   * its error with, as `NOPERM` or `READONLY`. What happens now is `onStoreLoss`'s to say, or nothing where it refuses. Told once, until it is back.
   */
  'store-lost': { readonly key: string; readonly code: string | undefined };
  /**
   * A send waits for the limiter's permit. Where the limiter knows more, it stands here too: its `place` in the queue (1 is next) `of` so
   * many, and the instant `untilAt` before which it cannot leave.
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
  /** The limiter has refused a send, of several the one under `key`; `code` says why, for instance `ERR_LIMIT_QUEUE_FULL`. */
  limited: { readonly call: Call; readonly key: string; readonly code: string | undefined };
  /** A throttled answer has paused all sends of the limiter under `key` (of several limits: a JSON list of their keys), until the instant `untilAt`. */
  paused: { readonly call: Call; readonly key: string; readonly untilAt: number };
  /** The retry budget of `key` has refused a retry: `rule` says which of its two rules, the rest by what numbers. */
  'budget-empty': { readonly call: Call; readonly key: string } & BudgetState;
  /** Too many sends have failed, or the probe has: nothing is sent under `key` until the instant `retryAt`. */
  'circuit-opened': { readonly call: Call; readonly key: string; readonly retryAt: number };
  /** The probe went well: sends leave again. */
  'circuit-closed': { readonly call: Call; readonly key: string };
  /** The call has ended. */
  finished: { readonly call: Call; readonly endedBecause: 'success' | EndReason; readonly report: Report };
}

export type EventName = keyof Events;

/** Any event, with its `name`: what a listener of `'*'` is given. */
export type AnyEvent = { [E in EventName]: { readonly name: E } & Events[E] }[EventName];

/** What can be listened to. */
interface Heard extends Events {
  '*': AnyEvent;
}

/** What a listener of the event `E` is given; of `'*'`, any event. */
export type EventOf<E extends EventName | '*'> = Heard[E];
/** A listener. It is never awaited, and what it throws goes nowhere. */
export type Listener<E extends EventName | '*'> = (event: EventOf<E>) => void;

/** The names of all events. The type makes sure that none is missing. */
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
