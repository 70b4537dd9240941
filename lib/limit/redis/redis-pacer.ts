import type { Clock } from '../../time/clock.ts';
import type { Answer } from '../limiter.ts';
import type { Known } from '../local/local-pacer.ts';
import type { Bucket } from '../queue/bucket.ts';
import { type Pacer, UNNAMED_MS } from '../queue/pacer.ts';
import { PROBE_MS } from './shared-store.ts';

/**
 * A process reserves what falls due within so long, in ms, and no more: one with a long queue must not take everybody's next
 * second, and one that is killed must not take it along. Where Redis is far away, as long as three answers take.
 */
const HORIZON_MS = 50;
/** The longest that an answer is reckoned to take, in ms: more is trouble. */
const MAX_ANSWER_MS = 500;
/** At least so many slots are reserved, even beyond the horizon, so that the next due time is always known. */
const LEAST = 2;
/** So long after it is due a slot of a window that remembers each may be used, in ms, or four answers if that is more. */
const SLACK_MS = 20;
/** So old may what the store said be when a send leaves, in ms, or four answers if that is more: another process may have met a pause since. */
const FRESH_MS = 100;

/** What one turn asks of the store. */
export interface Turn {
  /** So many slots, as far as they fall due within `horizonMs`. */
  readonly want: number;
  /** So many of them also beyond that, so that the next due time is always known. */
  readonly least: number;
  /** How many permits the first of them is to hold, all at once; the others hold one. */
  readonly weight: number;
  readonly horizonMs: number;
  /** How long after it is due a slot may be used that has to be used in time. */
  readonly slackMs: number;
  /** Nothing is to leave for so long. */
  readonly pauseMs?: number | undefined;
  /** The pause is over before its time. */
  readonly resume?: boolean | undefined;
  /** Windows as short as this lose their bursts. Default: those as short as the pause. */
  readonly dropBurstMs?: number | undefined;
  /** So many have left where the store did not see it. */
  readonly unseen: number;
}

/** What is told in a turn of its own. */
type Told = Pick<Turn, 'pauseMs' | 'resume' | 'dropBurstMs'>;

/** A slot that was reserved for this process, and what the book wants back of it. */
export interface Slot<Handle> {
  /** From when its first permit may be used, on this process's own clock. */
  readonly at: number;
  /** And its last; those between are due evenly. */
  readonly lastAt: number;
  /** How many permits it holds. */
  readonly weight: number;
  readonly handle: Handle;
  /** What its permits are called, where the store remembers each. */
  readonly ids?: readonly string[] | undefined;
  /** After when it may be used no more; default: it grows stale. */
  readonly until?: number | undefined;
}

/** What the store gave. */
export interface Entry<Handle> {
  /** In order. */
  readonly slots: readonly Slot<Handle>[];
  readonly pausedUntil: number;
  /** The instant from which there may be more than `least`, also if nothing happens here. */
  readonly askAgainAt: number;
  /** From when each window would let the next send leave, where that is known. */
  readonly dueAt?: readonly number[] | undefined;
}

/** How a bucket is kept in the store. */
export interface Book<Handle> {
  /** Tells what has happened since, and reserves; one round trip. */
  turn(turn: Turn): Promise<Entry<Handle>>;
  /** To be told in the next turn; gives whether others wait for it. */
  answered(nowMs: number, send: Granted<Handle>, answer: Answer): boolean;
  /** A slot that was not used, or a send that was not answered; the same. */
  lost(nowMs: number, handle: Handle): boolean;
  /** A send that has not left after all: its slot is given back in the next turn. */
  dropped(nowMs: number, send: Granted<Handle>): void;
}

/** A send that has left in its slot. */
export interface Granted<Handle> {
  /** By whose numbers. */
  readonly book?: Book<Handle> | undefined;
  readonly handle: Handle;
  readonly ids?: readonly string[] | undefined;
  readonly sentAt: number;
  readonly weight: number;
  answered: boolean;
}

export interface RedisPorts {
  readonly clock: Clock;
  /** Whether the book learns from refusals, and whether it has windows. */
  readonly learns?: boolean | undefined;
  readonly hasWindows?: boolean | undefined;
  /** Whose pacer it is. */
  bucket(): Pick<Bucket<unknown>, 'wanted' | 'wake' | 'pausedUntil' | 'heldByPacer'>;
}

/** When the sends of a bucket may leave that a whole fleet draws on: in the slots that were reserved for this process. */
export class RedisPacer<Handle> implements Pacer<Granted<Handle> | undefined> {
  learns: boolean;
  hasWindows: boolean;
  #book: Book<Handle>;
  readonly #ports: RedisPorts;
  #slots: Slot<Handle>[] = [];
  /** When the store last said something, and when there may be more. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #askAgainAt = Number.NEGATIVE_INFINITY;
  /** How long the store takes to answer, in ms. */
  #answerMs = 0;
  /** The next slots after those that are here can be had at any time. */
  #hasNext = false;
  /** How many permits the next send needs. */
  #weight = 1;
  /** How many left where the store did not see it, and in how long. */
  #unseen = 0;
  #unseenMs: number | undefined;
  /** From when each window would let the next send leave, as the store said last. */
  #dueAt: readonly number[] = [];
  #asking = false;
  /** Something has to be told that came while it was asking. */
  #isUrgent = false;

  constructor(book: Book<Handle>, ports: RedisPorts) {
    this.#book = book;
    this.#ports = ports;
    this.learns = ports.learns === true;
    this.hasWindows = ports.hasWindows === true;
  }

  nextAt(nowMs: number, wanted: number, weight: number, nested = false): number {
    // The next slot may depend on the answer to the very send that waits for this one.
    if (nested && this.learns) return nowMs;
    this.#dropStale(nowMs, weight);
    const at = this.reservedAt(weight);
    if (permitsFor(wanted, weight) > this.#held && this.#runsOut(nowMs, weight)) {
      const isShort = this.#hasNext && this.#held < Math.max(LEAST, weight);
      if (isShort || this.#askAgainAt <= nowMs) this.#askFor(weight);
      else if (at === undefined) return this.#askAgainAt;
    }
    if (at === undefined) return Number.POSITIVE_INFINITY;
    if (at - this.#heardAt <= Math.max(FRESH_MS, 4 * this.#answerMs)) return at;
    // In time to hear of a pause before it is due.
    const checkAt = at - this.#answerMs;
    if (checkAt > nowMs) return checkAt;
    this.#askFor(weight);
    return Number.POSITIVE_INFINITY;
  }

  send(nowMs: number, weight: number): Granted<Handle> | undefined {
    const [slot, ...others] = this.#take(weight);
    for (const { handle } of others) this.#book.lost(nowMs, handle);
    const ids = slot?.ids && [slot, ...others].flatMap((each) => each.ids ?? []);
    return slot && { book: this.#book, handle: slot.handle, ids, sentAt: nowMs, weight, answered: false };
  }

  answered(nowMs: number, send: Granted<Handle> | undefined, answer: Answer): undefined {
    if (send === undefined || send.answered) return;
    send.answered = true;
    const isUrgent = (send.book ?? this.#book).answered(nowMs, send, answer);
    // What waits for its slots may have earlier ones.
    if (Number(answer.cost) < send.weight && this.#ports.bucket().wanted > 0)
      this.#handIn(nowMs, this.#slots.splice(0));
    // A pause is told in a turn of its own, and this with it.
    if (answer.untilAt !== undefined && answer.untilAt > nowMs) return;
    if (answer.throttled) this.#tell({ dropBurstMs: UNNAMED_MS });
    else if (isUrgent) this.#askSoon();
  }

  ended(nowMs: number, send: Granted<Handle> | undefined): void {
    if (send !== undefined && !send.answered && (send.book ?? this.#book).lost(nowMs, send.handle)) this.#askSoon();
  }

  dropped(nowMs: number, send: Granted<Handle> | undefined): void {
    if (send === undefined) return;
    (send.book ?? this.#book).dropped(nowMs, send);
    this.#askSoon();
  }

  paused(nowMs: number, untilAt: number): void {
    this.#voidBefore(nowMs, untilAt);
    this.#tell({ pauseMs: untilAt - nowMs });
  }

  resumed(): void {
    this.#tell({ resume: true });
  }

  /** When so many of the permits that are here may be used, all at once; `undefined` where there are fewer. */
  reservedAt(weight: number): number | undefined {
    let missing = weight;
    for (const slot of this.#slots) {
      if (missing <= slot.weight) return dueIn(slot, missing);
      missing -= slot.weight;
    }
    return undefined;
  }

  reservedBy(atMs: number): number {
    let count = 0;
    while (Number(this.reservedAt(count + 1)) <= atMs) count += 1;
    const isMore = count === this.#held && Math.max(...this.#dueAt) <= atMs;
    return isMore || this.#slots.length === 0 ? Number.POSITIVE_INFINITY : count;
  }

  heldUp(nowMs: number, untilAt: number): void {
    const isWasted = (slot: Slot<Handle>) => slot.lastAt < untilAt - this.#horizonMs;
    const wasted = this.#slots.filter(isWasted);
    if (wasted.length === 0) return;
    this.#slots = this.#slots.filter((slot) => !isWasted(slot));
    this.#handIn(nowMs, wasted);
    this.#askSoon();
  }

  /** Other numbers hold: what was reserved by the old ones is given back. */
  change(nowMs: number, book: Book<Handle>, { learns, hasWindows }: Pick<RedisPorts, 'learns' | 'hasWindows'>): void {
    this.#handIn(nowMs, this.#slots.splice(0));
    this.#book = book;
    this.learns = learns === true;
    this.hasWindows = hasWindows === true;
    this.#hasNext = false;
    this.#askAgainAt = nowMs;
    this.#dueAt = [];
    // What it waits for may be the answer to a question by the old numbers.
    this.#isUrgent = this.#asking;
  }

  isFresh(nowMs: number): boolean {
    this.#dropStale(nowMs, 1);
    return this.#slots.length === 0 && !this.#asking;
  }

  /** What is known of the windows of the store. */
  get known(): Known {
    return { at: this.#dueAt, heardAt: this.#heardAt };
  }

  /** So many have left where the store did not see it: it is told in the next turn. */
  leftUnseen(weight: number): void {
    this.#unseen += weight;
  }

  /** For so long the store has not been seen. */
  wasUnseen(forMs: number): void {
    this.#unseenMs = forMs;
  }

  /** Reserves for all that wait when this turn of the event loop is over: one round trip for what came in it. */
  ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    const { clock, bucket } = this.#ports;
    void Promise.resolve()
      .then(() => this.#turn(bucket().wanted))
      .catch(() => {
        this.#hasNext = false;
        this.#askAgainAt = clock.now() + PROBE_MS;
      })
      .then(() => {
        this.#asking = false;
        if (this.#isUrgent) this.#askSoon();
        bucket().wake();
      });
  }

  #askFor(weight: number): void {
    this.#weight = weight;
    this.ask();
  }

  /** Also where nobody waits here: others may, for what happened here. */
  #askSoon(): void {
    this.#isUrgent = this.#asking;
    this.ask();
  }

  /** Tells the others. That it could not be told is the store's to say. */
  #tell(what: Told): void {
    this.#turn(0, what).then(this.#ports.bucket().wake, () => {});
  }

  async #turn(wanted: number, what?: Told): Promise<void> {
    const unseen = this.#unseen;
    const changes = what ?? { dropBurstMs: this.#unseenMs };
    const held = this.#held;
    const weight = Math.max(1, this.#weight - held);
    const want = Math.max(0, permitsFor(wanted, this.#weight) - held - (weight - 1));
    const least = Math.max(0, LEAST - held, weight > 1 ? 1 : this.#weight - held);
    const { bucket, clock } = this.#ports;
    const askedAt = clock.now();
    const book = this.#book;
    const slackMs = Math.max(SLACK_MS, 4 * this.#answerMs);
    const entry = await book.turn({ want, weight, least, horizonMs: this.#horizonMs, slackMs, unseen, ...changes });
    const { slots, pausedUntil, askAgainAt, dueAt = [] } = entry;
    const now = clock.now();
    this.#answerMs += (Math.min(now - askedAt, MAX_ANSWER_MS) - this.#answerMs) / 4;
    this.#unseen -= unseen;
    if (what === undefined) this.#unseenMs = undefined;
    this.#heardAt = now;
    this.#dueAt = dueAt;
    if (pausedUntil > Math.max(now, bucket().pausedUntil)) {
      // What is granted with this answer was granted after the pause, and stays.
      this.#voidBefore(now, pausedUntil);
      bucket().heldByPacer(pausedUntil);
    }
    if (book !== this.#book) {
      for (const slot of slots) book.dropped(now, { ...slot, sentAt: now, answered: false });
      return;
    }
    for (const slot of slots) {
      // A pause may have been met here while the answer was on its way.
      if (slot.at >= bucket().pausedUntil) this.#slots.push(slot);
      else this.#giveUp(now, [slot]);
    }
    this.#hasNext = !this.learns;
    this.#askAgainAt = askAgainAt;
  }

  /** Whether the next slots should be asked for before those that are here are used up. */
  #runsOut(nowMs: number, weight: number): boolean {
    const last = this.#slots.at(-1);
    if (last === undefined || this.#held < Math.max(LEAST, weight)) return true;
    return last.lastAt - nowMs < this.#horizonMs / 2;
  }

  /** How many permits are reserved. */
  get #held(): number {
    let held = 0;
    for (const { weight } of this.#slots) held += weight;
    return held;
  }

  /** Takes out so many permits. */
  #take(weight: number): readonly Slot<Handle>[] {
    let missing = weight;
    const whole = this.#slots.findIndex((slot) => {
      if (missing < slot.weight) return true;
      missing -= slot.weight;
      return false;
    });
    const taken = this.#slots.splice(0, whole < 0 ? this.#slots.length : whole);
    const [next] = this.#slots;
    if (next === undefined || missing === 0) return taken;
    const { ids } = next;
    this.#slots[0] = { ...next, at: dueIn(next, missing + 1), weight: next.weight - missing, ids: ids?.slice(missing) };
    return [...taken, { ...next, lastAt: dueIn(next, missing), weight: missing, ids: ids?.slice(0, missing) }];
  }

  get #horizonMs(): number {
    return Math.max(HORIZON_MS, 3 * this.#answerMs);
  }

  /** Slots that were not used in time; the server may have given their place to somebody else. But what waits for the whole of a weight keeps. */
  #dropStale(nowMs: number, weight: number): void {
    const overdue = this.#slots.filter(({ until }) => Number(until) < nowMs);
    if (overdue.length > 0) {
      this.#slots = this.#slots.filter((slot) => !overdue.includes(slot));
      this.#giveUp(nowMs, overdue);
      this.#askAgainAt = Math.min(this.#askAgainAt, nowMs);
    }
    const staleAt = nowMs - 2 * this.#horizonMs;
    while (Number(this.#slots[0]?.lastAt) < staleAt && Number(this.reservedAt(weight) ?? staleAt - 1) < staleAt) {
      this.#giveUp(nowMs, this.#slots.splice(0, 1));
    }
  }

  /** Gives back what is reserved and not used. */
  #handIn(nowMs: number, slots: readonly Slot<Handle>[]): void {
    for (const slot of slots) this.#book.dropped(nowMs, { ...slot, sentAt: nowMs, answered: false });
  }

  /** What was reserved for before that instant is void, since there is a pause. */
  #voidBefore(nowMs: number, untilAt: number): void {
    this.#giveUp(
      nowMs,
      this.#slots.filter(({ at }) => at < untilAt),
    );
    this.#slots = this.#slots.filter(({ at }) => at >= untilAt);
  }

  #giveUp(nowMs: number, slots: readonly Slot<Handle>[]): void {
    for (const slot of slots) {
      // One that is told neither way would be lost to a long window for as long as that is.
      if (!this.learns) this.#book.dropped(nowMs, { ...slot, sentAt: nowMs, answered: false });
      else this.#book.lost(nowMs, slot.handle);
    }
  }
}

/** When so many permits of a slot may be used. */
function dueIn({ at, lastAt, weight }: Slot<unknown>, permits: number): number {
  return weight === 1 ? at : at + ((lastAt - at) * (permits - 1)) / (weight - 1);
}

/**
 * One for each send. But what is heavier is reserved alone: what is kept for those behind it would have to wait for the rest of their weight,
 * and leave with what others had before it.
 */
const permitsFor = (sends: number, weight: number): number => (sends > 0 && weight > 1 ? weight : sends);
