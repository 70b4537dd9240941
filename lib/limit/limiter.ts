import type { Quota } from './quota-headers.ts';

/** What a send asks of a limiter. */
export interface PermitRequest {
  /** The bucket. */
  readonly key: string;
  /** How many permits' worth this send is. Default 1. */
  readonly weight?: number | undefined;
  /** Smaller goes first. Default 0. */
  readonly priority?: number | undefined;
  /** Aborting it gives the place in the queue up: the promise rejects and no permit is spent. */
  readonly signal?: AbortSignal | undefined;
  /** Instant, ms since the epoch. A permit that could only come later is refused at once. */
  readonly deadlineAt?: number | undefined;
}

/** A limiter's leave for one send. */
export interface Permit {
  /** Tells the limiter what the server said; called before `release`. */
  answered?(answer: {
    readonly throttled: boolean;
    /** The instant before which the server wants no request, ms since the epoch. */
    readonly untilAt?: number | undefined;
    readonly quota?: Quota | undefined;
  }): void;
  /** Gives the permit back. Called exactly once, when the send has ended. */
  release(): void;
}

/**
 * The port in front of every send. Pass your own implementation as the policy's `limit`, and the same one to several
 * instances to make them share it.
 */
export interface Limiter {
  /**
   * A permit for one send: at once where nothing stands in the way, else a promise of one.
   *
   * Rejects with a `LimitError` when the queue is full, the wait too long, the deadline too near or the limiter closed,
   * and with the signal's reason when that aborts.
   */
  acquire(request: PermitRequest): Permit | Promise<Permit>;
  /** Lets nothing of that bucket through before the instant `untilAt`, ms since the epoch. */
  pause(key: string, untilAt: number): void;
  /** Refuses what is queued with a `LimitError` and releases timers and connections. */
  close(): Promise<void>;
  stats(): { readonly queued: number; readonly running: number };
}
