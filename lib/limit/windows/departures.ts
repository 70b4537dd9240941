/** What left at one instant. */
export interface Departure {
  readonly at: number;
  /** How many permits it took. */
  weight: number;
  /** How much longer than others it took to be answered, in ms. */
  excessMs: number;
}

/** What has left and is still counted, in the order in which it left. */
export class Departures {
  readonly #all: Departure[] = [];
  /** Those before it are counted no more. */
  #first = 0;
  /** What they weigh together. */
  weight = 0;

  add(at: number, weight: number): void {
    const last = this.#all.at(-1);
    if (last?.at === at) last.weight += weight;
    else this.#all.push({ at, weight, excessMs: 0 });
    this.weight += weight;
  }

  copy(): Departures {
    const copy = new Departures();
    for (const departure of this) copy.#all.push({ ...departure });
    copy.weight = this.weight;
    return copy;
  }

  /** What left then weighs so much more; below 0, less. */
  charge(at: number, weight: number): void {
    const departure = this.of(at);
    if (departure === undefined) return;
    departure.weight += weight;
    this.weight += weight;
  }

  /** What left then, if that is still counted. */
  of(at: number): Departure | undefined {
    let low = this.#first;
    let high = this.#all.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (Number(this.#all[middle]?.at) < at) low = middle + 1;
      else high = middle;
    }
    const departure = this.#all[low];
    return departure?.at === at ? departure : undefined;
  }

  /** Counts those no more of which that is so, up to the first of which it is not. */
  forget(isOver: (departure: Departure) => boolean): void {
    for (const departure of this) {
      if (!isOver(departure)) break;
      this.weight -= departure.weight;
      this.#first += 1;
    }
    // Half of them at a time, or each would cost as much as there are.
    if (2 * this.#first < this.#all.length) return;
    this.#all.splice(0, this.#first);
    this.#first = 0;
  }

  *[Symbol.iterator](): Iterator<Departure> {
    for (let i = this.#first; i < this.#all.length; i++) yield this.#all[i] as Departure;
  }
}
