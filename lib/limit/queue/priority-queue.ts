/** Somebody who waits. The queue keeps `sequence` and `index`. */
export interface Waiter {
  /** Smaller goes first. */
  readonly priority: number;
  /** Within a priority the oldest goes first, ms since the epoch. */
  readonly since: number;
  /** Where both are the same, who came first goes first. */
  sequence: number;
  /** Where in the heap it stands. */
  index: number;
}

type Rank = Pick<Waiter, 'priority' | 'since'>;

const FIRST: Rank = { priority: Number.NEGATIVE_INFINITY, since: Number.NEGATIVE_INFINITY };

/** Those who wait, in order: a binary heap that knows where everybody stands, so that leaving from the middle is cheap too. */
export class PriorityQueue<T extends Waiter> {
  readonly #heap: T[] = [];
  /** How many were pushed, here and in those queues that share the order with this one. */
  readonly #pushed: { count: number };
  /** Everybody's place, from 0; made anew when somebody has come or left. */
  #places: Map<T, number> | undefined;
  /** Whether a place has been asked for since: the first is counted, which costs less than sorting all. */
  #isAsked = false;
  /** Who would go last of all that were pushed since the queue was last empty. */
  #last: Rank = FIRST;

  /** @param beside a queue with whose waiters those of this one are compared */
  constructor(beside?: PriorityQueue<T>) {
    this.#pushed = beside === undefined ? { count: 0 } : beside.#pushed;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** How many wait for nothing but this queue. */
  get ready(): number {
    return this.#heap.length;
  }

  /** How many go before a newcomer, at least: all, where none of them goes after it; else 0, since nobody has counted. */
  ahead(newcomer: Rank): number {
    return order(this.#last, newcomer) <= 0 ? this.#heap.length : 0;
  }

  /** Who goes next. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  /** How many go before one who waits. */
  before(waiter: T): number {
    // Who has just come and goes last: whose place is asked for most.
    if (waiter.sequence === this.#pushed.count - 1 && order(this.#last, waiter) <= 0) return this.#heap.length - 1;
    if (!this.#isAsked) {
      this.#isAsked = true;
      return this.#heap.reduce((count, each) => (goesBefore(each, waiter) ? count + 1 : count), 0);
    }
    this.#places ??= new Map([...this.#heap].sort((a, b) => (goesBefore(a, b) ? -1 : 1)).map((each, i) => [each, i]));
    return this.#places.get(waiter) ?? 0;
  }

  push(waiter: T): void {
    this.#changed();
    waiter.sequence = this.#pushed.count++;
    if (this.#heap.length === 0 || order(this.#last, waiter) < 0) {
      // Not the waiter itself, which would be kept for as long as the queue is empty.
      this.#last = { priority: waiter.priority, since: waiter.since };
    }
    this.#heap.push(waiter);
    this.#rise(waiter, this.#heap.length - 1);
  }

  has(waiter: Waiter): boolean {
    return this.#heap[waiter.index] === waiter;
  }

  /** Takes out one who is in the queue. */
  remove(waiter: T): void {
    this.#changed();
    const last = this.#heap.pop();
    if (last === undefined || last === waiter) return;
    this.#rise(last, waiter.index);
    this.#sink(last, last.index);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#heap[Symbol.iterator]();
  }

  #changed(): void {
    this.#places = undefined;
    this.#isAsked = false;
  }

  #rise(waiter: T, from: number): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as T;
      if (!goesBefore(waiter, parent)) break;
      heap[index] = parent;
      parent.index = index;
      index = above;
    }
    heap[index] = waiter;
    waiter.index = index;
  }

  #sink(waiter: T, from: number): void {
    const heap = this.#heap;
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && goesBefore(heap[below + 1] as T, heap[below] as T)) below += 1;
      const child = heap[below] as T;
      if (!goesBefore(child, waiter)) break;
      heap[index] = child;
      child.index = index;
      index = below;
    }
    heap[index] = waiter;
    waiter.index = index;
  }
}

/** Whether one of two who wait goes before the other. */
export const goesBefore = (a: Waiter, b: Waiter): boolean => {
  const by = order(a, b);
  return by === 0 ? a.sequence < b.sequence : by < 0;
};

/** Below 0 where `a` goes first. Subtraction would make NaN of two infinities. */
const order = (a: Rank, b: Rank): number => {
  if (a.priority !== b.priority) return a.priority < b.priority ? -1 : 1;
  if (a.since === b.since) return 0;
  return a.since < b.since ? -1 : 1;
};
