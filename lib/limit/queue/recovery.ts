import { exponentialBackoff } from '../../time/backoff.ts';
import type { Random } from '../../time/clock.ts';

/** How long the answer to a send that went out alone is waited for, in ms. */
const PATIENCE_MS = 10_000;
/** Between two probes of a pause that is still on, in ms, at least: whoever waits for no pause at all must not send all the time. */
const LEAST_PROBE_MS = 1_000;
/** So many probes that were refused in a row are enough to try another call. */
const MANY_REFUSED = 2;

const backoff = exponentialBackoff();
const THROTTLED = { kind: 'throttled' } as const;

/** What is remembered of a send that has left. */
export interface Departed {
  readonly call: { readonly url: string } | undefined;
  /** How many pauses there had been. */
  readonly pauses: number;
  /** It went out to see whether the pause is over. */
  readonly isProbe: boolean;
  /** It left within another send, which has its place. */
  readonly nested: boolean;
}

/**
 * The pause of a bucket, and how it comes back from one. No other place keeps either, but for a rate that learns (`AdaptiveRate`): its
 * pauses and probes are part of what a fleet shares as text.
 *
 * A refusal that names no time pauses it by the backoff after throttling: 1, 2, 4 … to 20 s while refusals follow each other, less up to
 * half of it at random. So 60 calls on a server that refuses for 3 s cost it a handful of sends, and not a hundred. What left before the
 * pause and is refused as well is no further refusal.
 *
 * After a pause one send leaves, the probe. With each answer one more may be in flight, so that a queue is not let loose on a server that
 * has just asked for a rest; where windows say how fast sends may leave, all follow the first answer at that pace.
 */
export class Recovery {
  readonly #hasWindows: () => boolean;
  readonly #random: Random;
  #pausedUntil = Number.NEGATIVE_INFINITY;
  #pauses = 0;
  /** How many that left since the last pause may be in flight at once. */
  #rampUpLimit = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  /** When the pause began, or a probe last left while it is on. */
  #probedAt = Number.NEGATIVE_INFINITY;
  /** Refusals in a row that named no time. */
  #refusals = 0;
  #refusedProbes = 0;
  /** The call whose probe was refused last. */
  #refused: { readonly url: string } | undefined;

  constructor(hasWindows: () => boolean, random: Random) {
    this.#hasWindows = hasWindows;
    this.#random = random;
  }

  /** The end of the last pause: nothing leaves before. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Nothing leaves before that instant. False where that is known, or a longer pause is on. */
  pause(nowMs: number, untilAt: number): boolean {
    if (untilAt <= nowMs || untilAt <= this.#pausedUntil) return false;
    this.#begin(nowMs, untilAt);
    return true;
  }

  /** The pause ends before its time, for a probe. */
  resume(nowMs: number): void {
    this.#begin(nowMs, nowMs);
  }

  /** From when somebody who waits for no longer pause may be the probe while one is on. */
  probeAt(maxPauseMs: number): number {
    return this.#probedAt + Math.max(maxPauseMs, LEAST_PROBE_MS);
  }

  /** From when the next may leave, as far as those go that are in flight. */
  nextAt(): number {
    // An answer may take for ever.
    return this.#inFlight < this.#rampUpLimit ? Number.NEGATIVE_INFINITY : this.#lastSentAt + PATIENCE_MS;
  }

  /** How many pauses there have been. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Whether what leaves now, and not within another, is to find out whether the pause is over. */
  get isProbing(): boolean {
    return this.#rampUpLimit === 1;
  }

  /** How many may leave now; at least one, which may be due for having waited. */
  get room(): number {
    return Math.max(1, this.#rampUpLimit - this.#inFlight);
  }

  /** The call that the next probe had better not be for. */
  get shunned(): { readonly url: string } | undefined {
    return this.isProbing && this.#refusedProbes >= MANY_REFUSED ? this.#refused : undefined;
  }

  sent(nowMs: number, nested: boolean): void {
    if (nested) return;
    this.#inFlight += 1;
    this.#lastSentAt = nowMs;
  }

  /** It was answered; gives for how long the bucket is to pause, in ms, where it was refused and no time was named. */
  answered({ call, pauses, isProbe, nested }: Departed, throttled: boolean, isNamed: boolean): number | undefined {
    if (pauses !== this.#pauses) return undefined;
    if (!throttled && !isNamed) {
      if (nested) return undefined;
      this.#rampUpLimit = this.#hasWindows() ? Number.POSITIVE_INFINITY : this.#rampUpLimit + 1;
      this.#refusals = 0;
      this.#refusedProbes = 0;
      this.#refused = undefined;
      return undefined;
    }
    if (isProbe) {
      this.#refusedProbes += 1;
      this.#refused = call;
    }
    this.#refusals = isNamed ? 0 : this.#refusals + 1;
    if (isNamed) return undefined;
    return backoff({ retry: this.#refusals - 1, verdict: THROTTLED, previousMs: 0, random: this.#random });
  }

  ended({ pauses, nested }: Departed): void {
    if (pauses === this.#pauses && !nested) this.#inFlight -= 1;
  }

  #begin(nowMs: number, untilAt: number): void {
    this.#pausedUntil = untilAt;
    this.#pauses += 1;
    this.#rampUpLimit = 1;
    this.#inFlight = 0;
    this.#probedAt = nowMs;
  }
}
