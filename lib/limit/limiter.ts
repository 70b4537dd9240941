import type { InternalAxiosRequestConfig } from 'axios';
import type { LimitOptions } from './options.ts';
import type { Quota } from './quota/headers.ts';

/** What a send asks of a limiter. */
export interface PermitRequest {
  /** The bucket. */
  readonly key: string;
  /** How many permits this send needs. An integer from 1; default 1. More than a window ever holds is refused with a `RangeError`. */
  readonly weight?: number | undefined;
  /** Where several limits are asked as one: the weight in each. */
  readonly weights?: readonly (number | undefined)[] | undefined;
  /** Smaller goes first. Default 0. */
  readonly priority?: number | undefined;
  /**
   * When its call began: within a priority the oldest goes first, so that a retry keeps the place of its call. Only to be compared with
   * those of other calls: about ms since the epoch, but on a clock that only goes forward. Default: now.
   */
  readonly since?: number | undefined;
  /**
   * Another send holds its permit until this one is over, since a call is made within `beforeSend`. It waits for windows and pauses,
   * and for nobody's end: it needs no room in `maxConcurrent`, and goes before those that do.
   */
  readonly nested?: boolean | undefined;
  /** The call, the same for each of its sends. `url`, without the query, is read only to have another path probed after a pause. */
  readonly call?: { readonly url: string } | undefined;
  /** Aborting it gives up the place in the queue: the promise rejects with its reason, and no permit is used. */
  readonly signal?: AbortSignal | undefined;
  /** Instant, ms since the epoch, by the time of day as it is now. A permit that could only come later is refused at once. */
  readonly deadlineAt?: number | undefined;
  /** How long it may wait at most, in ms. Default: as long as the limiter allows. */
  readonly maxWaitMs?: number | undefined;
  /**
   * The longest pause of the bucket that it waits for, in ms. Default `Infinity`. Longer ones refuse it at once, with the end of the pause
   * as `retryAt`. But when the last probe was so long ago, it is the next: with 60,000, one send a minute goes out in a pause of an hour,
   * if one is asked for, so that the pause ends when the server does admit again.
   */
  readonly maxPauseMs?: number | undefined;
  /** A pause that is longer than `maxPauseMs` does not refuse it: it waits for so long, and then is the probe or waits for its answer. */
  readonly clampsPause?: boolean | undefined;
  /**
   * Called when it has to wait, by a limiter that can tell where it stands; what is handed over is asked only while it waits. `leave` gives
   * the place up, as an abort of `signal` does.
   */
  readonly queued?: ((standing: () => Standing, leave?: () => void) => void) | undefined;
}

/** Where a send stands that waits for a permit. */
export interface Standing {
  /** In the queue: 1 is next. */
  readonly place: number;
  /** How many wait in it. */
  readonly of: number;
  /** The instant before which it cannot be let go, ms since the epoch; `undefined` where something else has to happen first. */
  readonly untilAt: number | undefined;
  /** For a person: `paused until 12:00:01Z, place 3 of 7 in the queue`. */
  readonly why: string;
  /** The bucket that keeps it longest, where it waits in several. */
  readonly key?: string | undefined;
}

/** What the server's answer to a send means for the bucket. */
export interface Answer {
  /** It was refused for its rate: a 429, or whatever the policy judges to be one. */
  readonly throttled: boolean;
  /** The instant before which the server wants no request, ms since the epoch. A 503 may name one too. */
  readonly untilAt?: number | undefined;
  /** What it says of the quota. */
  readonly quota?: Quota | undefined;
  /**
   * How many permits the send really needed, where that is known (`settle`): more than its weight is charged to the windows, less is given
   * back. Finite, from 0.
   */
  readonly cost?: number | undefined;
  /** Where several limits are asked as one: quota and cost of each, where its own code tells them. */
  readonly each?: readonly Pick<Answer, 'quota' | 'cost'>[] | undefined;
}

/** A limiter's leave for one send. */
export interface Permit {
  /**
   * Tells the limiter what the server said; called before `release`. Not called where no answer came. Where it is missing, `pause` is
   * called for a time that the server named.
   */
  answered?(answer: Answer): void;
  /** Gives the permit back. Called exactly once, when the send has ended, the body of a streamed answer too. */
  release(): void;
  /** Called instead of `release` where nothing was sent: it is to cost nothing of the quota. Where it is missing, `release` is called. */
  drop?(): void;
}

export interface LimiterStats {
  /** Who waits for a permit. */
  readonly queued: number;
  /** Permits that are out. */
  readonly running: number;
  /** Buckets that are paused now. */
  readonly paused?: number | undefined;
}

/**
 * The port in front of every send. What every engine sees to:
 *
 * - A refusal pauses its bucket: until the time that was named, in full; else for half a second to a second, and for longer while refusals
 *   follow each other, up to 20 s. Then one probe leaves, and more with each answer.
 * - Who waits is served by priority, then by when its call began. After two probes in a row that were refused the next is
 *   another call, if one waits, preferably to another path.
 * - Each call that is refused gets an error of its own.
 *
 * Instants are ms since the epoch by the time of day (`Date.now()`), as it is when they are handed over: take what is left of them then,
 * and measure that by a clock that nobody sets.
 *
 * Pass your own implementation as the policy's `limit`, and the same one to several instances to make them share it.
 *
 * @example
 * // Two at a time, whatever the bucket.
 * const slots = new Semaphore(2);
 * const limiter: Limiter = {
 *   acquire: async ({ signal }) => ({ release: await slots.acquire(signal) }),
 *   pause() {},
 *   close: async () => {},
 *   stats: () => ({ queued: slots.waiting, running: slots.taken }),
 * };
 */
export interface Limiter {
  /**
   * A permit for one send: at once where nothing stands in the way, else a promise of one.
   *
   * Rejects with a `LimitError` when the queue is full, the wait too long, the deadline too near or the limiter closed,
   * with a `RangeError` when it could never be given, and with the signal's reason when that aborts.
   */
  acquire(request: PermitRequest): Permit | Promise<Permit>;
  /** Lets nothing of that bucket through before the instant `untilAt`, ms since the epoch. */
  pause(key: string, untilAt: number): void;
  /** Refuses what is queued with a `LimitError` and releases timers and connections. */
  close(): Promise<void>;
  stats(): LimiterStats;
  /**
   * Other numbers from now on, laid over those that hold: what is left out stays. Who waits is let out by them, and keeps its place.
   *
   * @throws {InvalidPolicyError} where they are wrong; nothing changes then
   */
  update?(options: LimitOptions): void;
  /** Which bucket a send draws on: asked of the call, and again of what `beforeSend` made of it. Default: the origin. */
  readonly key?: ((config: InternalAxiosRequestConfig) => string | false) | undefined;
  /** Which of the calls that wait goes first: the smaller. Default 0 for all. */
  readonly priority?: ((config: InternalAxiosRequestConfig) => number) | undefined;
  /** How many permits a send needs. Default 1 for all. */
  readonly weight?: LimitOptions['weight'];
  /** What a send really cost, by its answer. */
  readonly settle?: LimitOptions['settle'];
  /** What an answer says of the quota, where its headers do not. */
  readonly quota?: LimitOptions['quota'];
  /** It understands `nested`. One that does not is not asked for such a send: that would wait for the permit of its own call. */
  readonly takesNested?: true | undefined;
  /** Listens to the loss of a store that the limiter shares with others; gives the function that stops listening. */
  onStoreLost?(listener: (key: string, error: unknown) => void): () => void;
}

/** On a limiter that keeps its buckets elsewhere: where. Registered, so that a second copy of this package sees it too. */
export const STORE = Symbol.for('axios-holdfast.limit-store');

/** Where buckets are kept: whoever has the same client and prefix, and keeps the same there, has the same buckets. */
export interface Store {
  readonly client: object;
  readonly prefix: string;
  readonly keeps: readonly unknown[];
}

/** Whether it is a limiter, and not the numbers for one. */
export const isLimiter = (limit: unknown): limit is Limiter =>
  typeof (limit as Partial<Limiter> | null | undefined)?.acquire === 'function';
