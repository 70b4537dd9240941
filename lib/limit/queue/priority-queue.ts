/** A place in a line. The line keeps `index` and `turn`. */
export interface Place {
  /** Smaller goes first. */
  readonly priority: number;
  /** Within a priority the oldest goes first, ms since the epoch. */
  readonly since: number;
  /** Counts those who came, which decides where that is the same. */
  turn: number;
  index: number;
}

type Rank = Pick<Place, 'priority' | 'since'>;

const FIRST: Rank = { priority: Number.NEGATIVE_INFINITY, since: Number.NEGATIVE_INFINITY };

/** Those who wait, in order. A binary heap that knows where everybody stands, so that leaving from the middle is cheap too. */
export class Line<T extends Place> {
  readonly #heap: T[] = [];
  #turns = 0;
  /** Who is the how manieth, until somebody comes or leaves. */
  #order: Map<T, number> | undefined;
  /** Whether somebody has been asked about since then: one alone is counted, which costs less than an order of all. */
  #isAsked = false;
  /** The largest priority since the line was last empty, and the latest of it. */
  #last: Rank = FIRST;

  get size(): number {
    return this.#heap.length;
  }

  /** How many would go before a newcomer, at least; all of them, unless the newcomer goes before somebody. */
  ahead(newcomer: Rank): number {
    return order(this.#last, newcomer) <= 0 ? this.#heap.length : 0;
  }

  /** Who is first. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  /** How many stand before somebody. */
  before(place: T): number {
    // The newest of the last rank, as a rule, since that is who is asked about most.
    if (place.turn === this.#turns - 1 && order(this.#last, place) <= 0) return this.#heap.length - 1;
    if (!this.#isAsked) {
      this.#isAsked = true;
      return this.#heap.reduce((count, each) => (goesBefore(each, place) ? count + 1 : count), 0);
    }
    this.#order ??= new Map([...this.#heap].sort((a, b) => (goesBefore(a, b) ? -1 : 1)).map((each, i) => [each, i]));
    return this.#order.get(place) ?? 0;
  }

  push(place: T): void {
    this.#changed();
    place.turn = this.#turns++;
    if (this.#heap.length === 0 || order(this.#last, place) < 0) {
      // Not the place itself, which would be kept for as long as the line is empty.
      this.#last = { priority: place.priority, since: place.since };
    }
    this.#heap.push(place);
    this.#rise(place, this.#heap.length - 1);
  }

  /** Takes out who is first. */
  shift(): T | undefined {
    const [first] = this.#heap;
    if (first !== undefined) this.remove(first);
    return first;
  }

  has(place: Place): boolean {
    return this.#heap[place.index] === place;
  }

  /** Takes out who is in the line. */
  remove(place: T): void {
    this.#changed();
    const last = this.#heap.pop();
    if (last === undefined || last === place) return;
    this.#rise(last, place.index);
    this.#sink(last, last.index);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#heap[Symbol.iterator]();
  }

  #changed(): void {
    this.#order = undefined;
    this.#isAsked = false;
  }

  #rise(place: T, from: number): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above] as T;
      if (!goesBefore(place, parent)) break;
      heap[index] = parent;
      parent.index = index;
      index = above;
    }
    heap[index] = place;
    place.index = index;
  }

  #sink(place: T, from: number): void {
    const heap = this.#heap;
    let index = from;
    for (;;) {
      let below = 2 * index + 1;
      if (below >= heap.length) break;
      if (below + 1 < heap.length && goesBefore(heap[below + 1] as T, heap[below] as T)) below += 1;
      const child = heap[below] as T;
      if (!goesBefore(child, place)) break;
      heap[index] = child;
      child.index = index;
      index = below;
    }
    heap[index] = place;
    place.index = index;
  }
}

/** Whether one of two who wait goes before the other. */
export const goesBefore = (a: Place, b: Place): boolean => {
  const by = order(a, b);
  return by === 0 ? a.turn < b.turn : by < 0;
};

/** Below 0 where `a` goes first. Subtraction would make NaN of two infinities. */
const order = (a: Rank, b: Rank): number => {
  if (a.priority !== b.priority) return a.priority < b.priority ? -1 : 1;
  if (a.since === b.since) return 0;
  return a.since < b.since ? -1 : 1;
};
