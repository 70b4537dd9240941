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
 * How a bucket is paused by refusals, and comes back from that.
 *
 * A refusal that names no time pauses it by the backoff after throttling, counted over the refusals that follow each other: 1, 2, 4 …
 * to 20 s, less up to half of it at random. So 60 calls on a server that refuses for 3 s cost it a handful of sends, and not a hundred.
 * What left before the pause and is refused as well is no further refusal.
 *
 * After a pause one send leaves, and with every answer one more may be out, so that a queue is not let loose on a server that has just
 * asked for a rest; where the windows say how fast they may leave, all follow the first answer at that pace.
 */
export class Recovery {
  readonly #hasWindows: () => boolean;
  readonly #random: Random;
  #pauses = 0;
  /** How many may be out at once of those that left since the last pause. */
  #opening = Number.POSITIVE_INFINITY;
  #out = 0;
  #lastLeftAt = Number.NEGATIVE_INFINITY;
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

  /** A pause has begun, or is cut short for a probe. */
  paused(nowMs: number): void {
    this.#pauses += 1;
    this.#opening = 1;
    this.#out = 0;
    this.#probedAt = nowMs;
  }

  /** From when somebody who waits for no longer pause may leave while one is on. */
  probeAt(maxPauseMs: number): number {
    return this.#probedAt + Math.max(maxPauseMs, LEAST_PROBE_MS);
  }

  /** From when the next may leave, as far as those go that are out. */
  nextAt(): number {
    // An answer may take for ever.
    return this.#out < this.#opening ? Number.NEGATIVE_INFINITY : this.#lastLeftAt + PATIENCE_MS;
  }

  /** How many pauses there have been. */
  get pauses(): number {
    return this.#pauses;
  }

  /** Whether what leaves now, and not within another, is to find out whether the pause is over. */
  get isProbing(): boolean {
    return this.#opening === 1;
  }

  /** How many may leave now; at least one, which may be due for having waited. */
  get room(): number {
    return Math.max(1, this.#opening - this.#out);
  }

  /** The call that the next probe had better not be for. */
  get shunned(): { readonly url: string } | undefined {
    return this.isProbing && this.#refusedProbes >= MANY_REFUSED ? this.#refused : undefined;
  }

  left(nowMs: number, nested: boolean): void {
    if (nested) return;
    this.#out += 1;
    this.#lastLeftAt = nowMs;
  }

  /** It was answered; gives for how long the bucket is to pause, in ms, where it was refused and no time was named. */
  answered({ call, pauses, isProbe, nested }: Departed, throttled: boolean, isNamed: boolean): number | undefined {
    if (pauses !== this.#pauses) return undefined;
    if (!throttled && !isNamed) {
      if (nested) return undefined;
      this.#opening = this.#hasWindows() ? Number.POSITIVE_INFINITY : this.#opening + 1;
      this.#refusals = 0;
      this.#refusedProbes = 0;
      this.#refused = undefined;
      return undefined;
    }
    if (isProbe) {
      this.#refusedProbes += 1;
      this.#refused = call;
    }
    const retry = isNamed ? 0 : this.#refusals + 1;
    this.#refusals = retry;
    if (retry === 0) return undefined;
    return backoff({ retry: retry - 1, verdict: THROTTLED, previousMs: 0, random: this.#random });
  }

  ended({ pauses, nested }: Departed): void {
    if (pauses === this.#pauses && !nested) this.#out -= 1;
  }
}
