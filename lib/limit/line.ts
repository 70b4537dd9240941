/** A place in a line. The line keeps `index` and `turn`. */
export interface Place {
  /** Smaller goes first. */
  readonly priority: number;
  /** Counts those who came, so that it is first come first served within a priority. */
  turn: number;
  index: number;
}

/** Those who wait, in order. A binary heap that knows where everybody stands, so that leaving from the middle is cheap too. */
export class Line<T extends Place> {
  readonly #heap: T[] = [];
  #turns = 0;
  /** Who is the how manieth, until somebody comes or leaves. */
  #order: Map<T, number> | undefined;
  /** The largest priority since the line was last empty. */
  #last = Number.NEGATIVE_INFINITY;

  get size(): number {
    return this.#heap.length;
  }

  /** How many would go before a newcomer, at least; all of them, unless the newcomer goes before somebody. */
  ahead(priority: number): number {
    return priority >= this.#last ? this.#heap.length : 0;
  }

  /** Who is first. */
  get first(): T | undefined {
    return this.#heap[0];
  }

  /** How many stand before somebody. */
  before(place: T): number {
    // The newest of the last priority, as a rule, since that is who is asked about most.
    if (place.turn === this.#turns - 1 && place.priority >= this.#last) return this.#heap.length - 1;
    this.#order ??= new Map([...this.#heap].sort((a, b) => (goesBefore(a, b) ? -1 : 1)).map((each, i) => [each, i]));
    return this.#order.get(place) ?? 0;
  }

  push(place: T): void {
    this.#order = undefined;
    place.turn = this.#turns++;
    this.#last = this.#heap.length === 0 ? place.priority : Math.max(this.#last, place.priority);
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
    this.#order = undefined;
    const last = this.#heap.pop();
    if (last === undefined || last === place) return;
    this.#rise(last, place.index);
    this.#sink(last, last.index);
  }

  [Symbol.iterator](): Iterator<T> {
    return this.#heap[Symbol.iterator]();
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

const goesBefore = (a: Place, b: Place): boolean =>
  a.priority === b.priority ? a.turn < b.turn : a.priority < b.priority;
