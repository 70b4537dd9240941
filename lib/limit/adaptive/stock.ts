/** What a server told of one quota. */
export interface Told {
  /** Of several quotas, which one; `''` where it is told without a name. */
  readonly id: string;
  /** The whole quota, in requests, if it was told. */
  readonly limit: number | undefined;
  /** What is left of it, in requests. */
  readonly remaining: number;
  /** Until it is refilled, in ms from now. */
  readonly resetMs: number;
}

/** What was known of a stock when a send left. */
export interface StockMark {
  readonly id: string;
  readonly generation: number;
  readonly remaining: number;
  readonly taken: number;
}

/** Most servers tell whole seconds, rounded up. */
const ROUNDING_MS = 1_000;
/** No reset is awaited for longer, in ms: whoever names more means never. */
const LONGEST_MS = 86_400_000;
/** After so long without a send the count is doubted: who waits for an answer may have been killed. In ms. */
const PATIENCE_MS = 60_000;
/** So many times what others took during a round trip may they take during the next. */
const FORESIGHT = 2;

/**
 * What is left of one quota until its reset. While only we draw on it, all of it may leave at once.
 *
 * An answer tells how many were left when its request arrived. What is still out may or may not have been counted by then, and is
 * taken off: of 40 left with 25 out, 15 may leave. So the number can be too low for as long as a round trip takes, never too high.
 *
 * Others draw on it too where it falls by more than all of ours that can have been counted. Then twice what they took during the last
 * round trip, one at least, is kept back from leaving at once, and leaves evenly until the reset. Of 50 left where they took 3: 44 at once
 * and 6 evenly.
 *
 * A send that left before a reset and is answered after it may have been counted on either side. So it begins no stock, and an
 * answer that comes late, out of order or twice as slow as the others does no harm.
 *
 * Everything in it can be written out as JSON and read back.
 */
export class Stock {
  readonly id: string;
  /** Whether what it says holds: it was told, and its reset has not come. */
  isKnown = false;
  /** The earliest reset that was told; when it is over, of the stock before. */
  resetAt = -Infinity;
  /** How much later than it is that may have been told, in ms. */
  lateMs = 0;
  /** What was last told to be left, less those that ended and told nothing. */
  remaining = 0;
  /** A new one begins with each reset, and whenever the numbers are those of another quota. */
  generation = 0;
  beganAt = 0;
  limit: number | undefined;
  /** How many may leave that had not left when it began. */
  unsent = 0;
  /** How many of ours have ended since it began. */
  ended = 0;
  /** The most that it can have held when it began, by what was left and what of ours had ended at any time since. */
  most = 0;
  /** What others took of it since it began, at least. */
  taken = 0;
  keptBack = 0;

  constructor(id: string) {
    this.id = id;
  }

  /** Nothing more is left. */
  get isUsedUp(): boolean {
    return this.isKnown && this.remaining <= 0;
  }

  /**
   * The instant from which the next may leave, if nothing else is told until then.
   *
   * @param out how many of ours have not ended
   * @param takes how many the next takes
   */
  freeAt(out: number, lastSentAt: number, takes = 1): number {
    if (!this.isKnown) return -Infinity;
    const left = Math.min(this.remaining - out, this.unsent) - (takes - 1);
    if (left > this.keptBack) return -Infinity;
    const from = Math.max(lastSentAt, this.beganAt);
    if (left <= 0) return Math.min(this.resetAt, from + PATIENCE_MS);
    return from + (this.resetAt - from) / (left + 1);
  }

  /** A send leaves; gives what has to be handed in with its answer. */
  sent(takes = 1): StockMark {
    const { id, generation, remaining, taken } = this;
    this.unsent -= takes;
    return { id, generation, remaining, taken };
  }

  /** A send did not take place, or drew on another quota. */
  notSent(took = 1): void {
    this.unsent += took;
  }

  /** A send ended and nothing was told of this stock: it was most likely counted. */
  endedUntold(took = 1): void {
    this.remaining -= took;
    this.ended += took;
  }

  /** The reset has come, or what was told was wrong: until something is told again, nothing is known. */
  forget(now: number): void {
    this.isKnown = false;
    this.resetAt = Math.min(this.resetAt, now);
  }

  /**
   * An answer tells of it.
   *
   * @param sentAt when its send left, and what was known then
   * @param out how many of ours have not ended, without this one
   * @param took how many the send took
   */
  hear(now: number, told: Told, sentAt: number, mark: StockMark | undefined, out: number, took = 1): void {
    if (!this.isKnown) {
      if (sentAt >= this.resetAt) this.#begin(now, told, sentAt);
      return;
    }
    const resetAt = resetAtOf(now, told);
    // The same reset is told as much later as the way back took and seconds were rounded up.
    const laterMs = resetAt - this.resetAt;
    const lateMs = ROUNDING_MS + now - sentAt;
    const isOfNow = mark?.generation === this.generation;
    const isOther = told.limit !== this.limit || laterMs < -this.lateMs;
    if (laterMs > lateMs || (isOfNow && (isOther || told.remaining > mark.remaining))) {
      this.#begin(now, told, sentAt);
    } else if (isOther) {
      this.endedUntold(took);
    } else {
      this.remaining = Math.min(this.remaining, told.remaining);
      if (laterMs < 0) [this.resetAt, this.lateMs] = [resetAt, lateMs];
      this.ended += took;
      this.#reckonOthers(isOfNow ? mark.taken : 0, out);
    }
  }

  #begin(now: number, told: Told, sentAt: number): void {
    const { remaining, limit } = told;
    this.generation += 1;
    this.isKnown = true;
    this.beganAt = now;
    this.resetAt = resetAtOf(now, told);
    this.lateMs = ROUNDING_MS + now - sentAt;
    this.limit = limit;
    this.remaining = this.unsent = this.most = remaining;
    this.ended = 0;
    // Who was there before the reset may be there after it.
    if (this.taken === 0) this.keptBack = 0;
    this.taken = 0;
  }

  /** By what is missing though none of ours took it, even if all that are out have been counted. */
  #reckonOthers(takenBefore: number, out: number): void {
    this.most = Math.max(this.most, this.remaining + this.ended);
    this.taken = Math.max(this.taken, this.most - (this.remaining + this.ended + out));
    if (this.taken > 0) this.keptBack = Math.max(1, FORESIGHT * (this.taken - takenBefore));
  }
}

function resetAtOf(now: number, { resetMs }: Told): number {
  return now + Math.min(resetMs, LONGEST_MS);
}
