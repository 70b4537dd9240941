/** The window is counted in so many parts. */
const PARTS = 12;

/** Counts what happens in a sliding window, to a twelfth of its length. */
export class SlidingCount {
  readonly #counts = new Array<number>(PARTS).fill(0);
  readonly #partMs: number;
  #part = 0;

  /** @param windowMs the length of the window */
  constructor(windowMs: number) {
    this.#partMs = windowMs / PARTS;
  }

  /** Counts one; gives the part of the window that it is in, for `takeBack`. */
  add(nowMs: number): number {
    this.#advance(nowMs);
    this.#change(this.#part, 1);
    return this.#part;
  }

  /** Takes one back, unless it has left the window by now. */
  takeBack(part: number): void {
    if (part <= this.#part && part > this.#part - PARTS) this.#change(part, -1);
  }

  in(nowMs: number): number {
    this.#advance(nowMs);
    return this.#counts.reduce((total, count) => total + count, 0);
  }

  clear(): void {
    this.#counts.fill(0);
  }

  #change(part: number, by: number): void {
    this.#counts[part % PARTS] = Math.max(0, Number(this.#counts[part % PARTS]) + by);
  }

  /** Empties the parts that have left the window. */
  #advance(nowMs: number): void {
    const part = Math.floor(nowMs / this.#partMs);
    // What ended a moment ago may be told after what ends now.
    if (part <= this.#part) return;
    const gone = Math.min(part - this.#part, PARTS);
    for (let i = 0; i < gone; i++) this.#counts[(part - i) % PARTS] = 0;
    this.#part = part;
  }
}
