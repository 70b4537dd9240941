import type { Clock } from '../../lib/time/clock.ts';
import { settle } from './manual-clock.ts';

interface Entry {
  readonly at: number;
  /** Of those that are due at once, who came first goes first. */
  readonly order: number;
  readonly fire: () => void;
  /** Whether it is a timer of the library, and not an event of the world around it. */
  readonly isTimer: boolean;
  isOff: boolean;
}

/** How a run of the clock ended: as wanted, with nothing more to come, or not within the turns that it was given. */
export type Ran = 'done' | 'idle' | 'endless';

/**
 * A clock that moves by itself: from one thing that is due to the next, as soon as everything that can go on without time passing has
 * gone on. Beside the timers of whoever is handed it, it has the events of a simulated world, which nobody counts as timers left behind.
 *
 * Timers are late, as those of an event loop are; events of the world are on time. It has no `meanwhile`: that is for warnings of what
 * takes seconds, and here all does.
 */
export class SimulatedClock implements Clock {
  readonly begunAt: number;
  readonly #lateMs: () => number;
  #now: number;
  #orders = 0;
  /** A binary heap, the soonest first. */
  readonly #heap: Entry[] = [];
  #timers = 0;

  /** @param lateMs asked for each timer: how late it will be, in ms */
  constructor(lateMs: () => number = () => 0, at = Date.UTC(2026, 0, 1)) {
    this.begunAt = at;
    this.#now = at;
    this.#lateMs = lateMs;
  }

  now(): number {
    return this.#now;
  }

  wall(): number {
    return this.#now;
  }

  /** Since the beginning, in ms. */
  get elapsedMs(): number {
    return this.#now - this.begunAt;
  }

  /** Timers that have not fired and were not taken back. */
  get timers(): number {
    return this.#timers;
  }

  after(ms: number, fire: () => void): () => void {
    return ms === Number.POSITIVE_INFINITY ? () => {} : this.#add(ms + this.#lateMs(), fire, true);
  }

  /** Something happens in the world after so long, on time; gives the function that keeps it from happening. */
  happens(ms: number, fire: () => void): () => void {
    return this.#add(ms, fire, false);
  }

  /**
   * Moves until that is so.
   *
   * @param look called after each turn, when everything that goes on at once has gone on
   */
  async run(isDone: () => boolean, look: () => void = () => {}, mostTurns = 100_000): Promise<Ran> {
    for (let turns = 0; turns < mostTurns; turns++) {
      await settle();
      look();
      if (isDone()) return 'done';
      const next = this.#take();
      if (next === undefined) return 'idle';
      this.#now = Math.max(this.#now, next.at);
      next.fire();
    }
    return 'endless';
  }

  #add(ms: number, fire: () => void, isTimer: boolean): () => void {
    const entry: Entry = { at: this.#now + Math.max(0, ms), order: this.#orders++, fire, isTimer, isOff: false };
    if (isTimer) this.#timers += 1;
    this.#push(entry);
    return () => this.#turnOff(entry);
  }

  #turnOff(entry: Entry): void {
    if (entry.isOff) return;
    entry.isOff = true;
    if (entry.isTimer) this.#timers -= 1;
  }

  /** Takes out the next that has not been taken back. */
  #take(): Entry | undefined {
    for (let next = this.#shift(); next !== undefined; next = this.#shift()) {
      if (next.isOff) continue;
      this.#turnOff(next);
      return next;
    }
    return undefined;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let index = heap.length;
    for (let above = (index - 1) >> 1; index > 0 && isSooner(entry, heap[above]); above = (index - 1) >> 1) {
      heap[index] = heap[above] as Entry;
      index = above;
    }
    heap[index] = entry;
  }

  #shift(): Entry | undefined {
    const heap = this.#heap;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (let child = 1; child < heap.length; child = 2 * index + 1) {
      if (child + 1 < heap.length && isSooner(heap[child + 1] as Entry, heap[child])) child += 1;
      if (!isSooner(heap[child] as Entry, last)) break;
      heap[index] = heap[child] as Entry;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

const isSooner = (a: Entry, b: Entry | undefined): boolean =>
  b === undefined || a.at < b.at || (a.at === b.at && a.order < b.order);
