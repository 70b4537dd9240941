import type { Clock } from './clock.ts';

/** The one timer of everything that is measured by a clock. */
export function sharedTimerOf(clock: Clock): SharedTimer {
  let timer = timers.get(clock);
  if (timer === undefined) {
    timer = new SharedTimer(clock);
    timers.set(clock, timer);
  }
  return timer;
}

const timers = new WeakMap<Clock, SharedTimer>();

/**
 * The bounds of many sends on one timer of the clock: to set one and to take it back costs O(log n), and no timer runs where there
 * is none.
 */
export class SharedTimer {
  readonly #clock: Clock;
  /** A binary heap, the soonest first. */
  readonly #entries: Entry[] = [];
  #stopTimer = () => {};

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Calls `fire` once after `ms`, never sooner, however long that is (not at all after `Infinity`); gives the function that takes it back. */
  after(ms: number, fire: () => void): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const entry: Entry = { at: this.#clock.now() + ms, fire, index: this.#entries.length };
    this.#entries.push(entry);
    this.#rise(entry);
    if (entry.index === 0) this.#arm();
    return () => this.#remove(entry);
  }

  readonly #wake = (): void => {
    const now = this.#clock.now();
    try {
      for (let [first] = this.#entries; first !== undefined && first.at <= now; [first] = this.#entries) {
        this.#takeOut(first);
        first.fire();
      }
    } finally {
      this.#arm();
    }
  };

  #arm(): void {
    this.#stopTimer();
    const [first] = this.#entries;
    if (first === undefined) return;
    this.#stopTimer = this.#clock.after(Math.max(0, Math.ceil(first.at - this.#clock.now())), this.#wake);
  }

  /** A timer that finds nothing due costs less than to set it anew each time; but none must outlast the last entry. */
  #remove(entry: Entry): void {
    if (this.#entries[entry.index] !== entry) return;
    this.#takeOut(entry);
    if (this.#entries.length === 0) this.#arm();
  }

  #takeOut(entry: Entry): void {
    const last = this.#entries.pop();
    if (last === undefined || last === entry) return;
    last.index = entry.index;
    this.#entries[last.index] = last;
    this.#rise(last);
    this.#sink(last);
  }

  #rise(entry: Entry): void {
    for (let above = (entry.index - 1) >> 1; entry.index > 0; above = (entry.index - 1) >> 1) {
      const parent = this.#entries[above] as Entry;
      if (parent.at <= entry.at) return;
      this.#swap(parent, entry);
    }
  }

  #sink(entry: Entry): void {
    for (;;) {
      const left = this.#entries[2 * entry.index + 1];
      const right = this.#entries[2 * entry.index + 2];
      const child = right !== undefined && left !== undefined && right.at < left.at ? right : left;
      if (child === undefined || child.at >= entry.at) return;
      this.#swap(entry, child);
    }
  }

  /** Two neighbours in the heap change places: the upper goes down. */
  #swap(upper: Entry, lower: Entry): void {
    const { index } = upper;
    upper.index = lower.index;
    lower.index = index;
    this.#entries[upper.index] = upper;
    this.#entries[lower.index] = lower;
  }
}

interface Entry {
  readonly at: number;
  readonly fire: () => void;
  index: number;
}
