import type { Clock, LastingTimer } from './clock.ts';

/** The timer that all bounds by a clock share. */
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
 * Many timers on one of the clock. Nearly all of them are taken back before they fire, so that must cost little: O(log n), and mostly
 * no timer of the platform. None runs where there is nothing to wait for.
 */
export class SharedTimer {
  readonly #clock: Clock;
  /** A binary heap, the soonest first. */
  readonly #entries: Entry[] = [];
  /** The timer of the clock, where one runs, and when it fires. It may rest: to set it anew for each call would cost a twentieth of one. */
  #timer: LastingTimer | undefined;
  #firesAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As the `after` of a clock. */
  after(ms: number, fire: () => void): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const entry: Entry = { at: this.#clock.now() + ms, fire, index: this.#entries.length };
    this.#entries.push(entry);
    this.#rise(entry);
    this.#arm();
    return () => this.#remove(entry);
  }

  readonly #wake = (): void => {
    this.#stop();
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

  /**
   * Sees to it that it wakes for the soonest. One that wakes too soon finds nothing due, and is set anew. Asked for each that is set, not
   * only for a sooner one: what was set for those before it may have gone with the fake timers of another test.
   */
  #arm(): void {
    const [first] = this.#entries;
    if (first === undefined) return;
    const { at } = first;
    if (this.#timer !== undefined && this.#firesAt <= at && this.#timer.wake()) return;
    this.#stop();
    this.#firesAt = at;
    const ms = Math.max(0, Math.ceil(at - this.#clock.now()));
    this.#timer = this.#clock.lasting?.(ms, this.#wake) ?? lastingOf(this.#clock.after(ms, this.#wake));
  }

  #stop(): void {
    this.#timer?.stop();
    this.#timer = undefined;
  }

  /** The timer is left as it is: to find nothing due costs less than to set it anew each time. But it must keep no process alive. */
  #remove(entry: Entry): void {
    if (this.#entries[entry.index] !== entry) return;
    this.#takeOut(entry);
    if (this.#entries.length > 0) return;
    if (this.#clock.lasting === undefined) this.#stop();
    else this.#timer?.rest();
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

/** For a clock whose timers cannot rest. */
const lastingOf = (stop: () => void): LastingTimer => ({ stop, wake: () => true, rest: () => {} });
