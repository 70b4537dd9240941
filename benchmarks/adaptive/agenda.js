/** What happens next: a binary heap of actions by time; of two at the same time, the one that was noted first. */
export class Agenda {
  /** Ms since the simulation began. */
  now = 0;
  #heap = [];
  #noted = 0;

  at(time, act) {
    const entry = { time, order: this.#noted++, act };
    const heap = this.#heap;
    let index = heap.length;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!isBefore(entry, heap[parent])) break;
      heap[index] = heap[parent];
      index = parent;
    }
    heap[index] = entry;
  }

  runUntil(end) {
    while (this.step(end)) {}
    this.now = end;
  }

  /** Does what comes next, if that is before `end`; gives whether there was anything. */
  step(end) {
    if (this.#heap.length === 0 || this.#heap[0].time >= end) return false;
    const { time, act } = this.#next();
    this.now = time;
    act();
    return true;
  }

  #next() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child += 1;
      if (!isBefore(heap[child], last)) break;
      heap[index] = heap[child];
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

const isBefore = (a, b) => a.time < b.time || (a.time === b.time && a.order < b.order);
