import { acrossCopies } from '../call/across-copies.ts';
import { warn } from '../observe/warn.ts';
import type { StreamedBody } from '../send/streamed-body.ts';
import type { Clock } from '../time/clock.ts';
import { sharedTimerOf } from '../time/shared-timer.ts';
import type { Limiter } from './limiter.ts';

/** How long a body that nobody reads keeps its slot while others wait for that, in ms. */
const UNREAD_MS = 30_000;
/** How often is looked, in ms. */
const LOOK_MS = 5_000;

/** A slot that is held until a body has ended. */
export interface HeldSlot {
  readonly method: string;
  readonly url: string;
  readonly body: StreamedBody;
  /** Lets the next one go. */
  giveBack(): void;
}

/**
 * The slots of one bucket that streamed bodies hold.
 *
 * A caller may forget a stream, or wait for a second one before it reads the first, and would block everybody for ever. So while
 * somebody waits, a body from which nothing was read for 30 s gives its slot back. While nobody waits, nothing is looked at.
 */
export class HeldSlots {
  readonly #clock: Clock;
  /** When each was last seen to be read, while somebody waits, and how much had been by then. */
  readonly #seen = new Map<HeldSlot, { at: number; read: number }>();
  readonly #emptied: () => void;
  #waiting = 0;
  #stopTimer = () => {};

  /** @param emptied called when no slot is held and nobody waits any more */
  constructor(clock: Clock, emptied: () => void) {
    this.#clock = clock;
    this.#emptied = emptied;
  }

  /** Those that nobody reads: not at all, or not for some time in which others waited. For whoever asks why a call waits. */
  get unread(): readonly HeldSlot[] {
    const now = this.#clock.now();
    return [...this.#seen]
      .filter(([slot, { at, read }]) => isUnread(slot, read) && (read === 0 || now - at >= LOOK_MS))
      .map(([slot]) => slot);
  }

  /** A body holds a slot; gives the function that says that it does no more. */
  hold(slot: HeldSlot): () => void {
    this.#note(slot);
    if (this.#waiting > 0 && this.#seen.size === 1) this.#lookLater();
    return () => {
      this.#seen.delete(slot);
      if (this.#seen.size === 0) this.#rest();
    };
  }

  /** Somebody waits for a slot; gives the function that says that they do no more. */
  wait(): () => void {
    this.#waiting += 1;
    if (this.#waiting === 1 && this.#seen.size > 0) {
      for (const slot of this.#seen.keys()) this.#note(slot);
      this.#lookLater();
    }
    return () => {
      this.#waiting -= 1;
      if (this.#waiting === 0) this.#rest();
    };
  }

  #rest(): void {
    this.#stopTimer();
    if (this.#seen.size === 0 && this.#waiting === 0) this.#emptied();
  }

  #note(slot: HeldSlot): void {
    this.#seen.set(slot, { at: this.#clock.now(), read: slot.body.read });
  }

  #lookLater(): void {
    this.#stopTimer();
    this.#stopTimer = sharedTimerOf(this.#clock).after(LOOK_MS, () => this.#look());
  }

  #look(): void {
    const now = this.#clock.now();
    for (const [slot, seen] of [...this.#seen]) {
      if (!isUnread(slot, seen.read)) this.#note(slot);
      else if (now - seen.at >= UNREAD_MS) {
        this.#seen.delete(slot);
        slot.giveBack();
        warn(
          'HOLDFAST_UNREAD_STREAM',
          `${slot.method} ${slot.url}: nothing was read of its stream for 30 s while other calls waited for its place (limit.maxConcurrent), so they go on without it. Read a stream to its end, or destroy it.`,
        );
      }
    }
    if (this.#waiting > 0 && this.#seen.size > 0) this.#lookLater();
  }
}

/** A reader who waits for more has read what there was. */
const isUnread = ({ body }: HeldSlot, readBefore: number): boolean => body.read === readBefore && !body.isAwaited;

/** Those of a limiter's bucket. Limiters are shared between attachments, and between the copies of this package. */
export function heldSlotsOf(limiter: Limiter, key: string, clock: Clock): HeldSlots {
  const buckets = all.get(limiter) ?? new Map<string, HeldSlots>();
  all.set(limiter, buckets);
  const known = buckets.get(key);
  if (known !== undefined) return known;
  // There may be millions of keys.
  const made: HeldSlots = new HeldSlots(clock, () => {
    if (buckets.get(key) === made) buckets.delete(key);
  });
  buckets.set(key, made);
  return made;
}

const all = acrossCopies('held-slots', () => new WeakMap<Limiter, Map<string, HeldSlots>>());
