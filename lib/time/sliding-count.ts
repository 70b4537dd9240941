/** Of how many parts the window consists: it moves on by one at a time. */
const PARTS = 12;

/** How often something happened in the last so many ms, to a twelfth of that: what is older is forgotten a part at a time. */
export class SlidingCount {
  readonly #counts = new Array<number>(PARTS).fill(0);
  readonly #partMs: number;
  #part = 0;

  /** @param windowMs above 0 */
  constructor(windowMs: number) {
    this.#partMs = windowMs / PARTS;
  }

  /** Counts one. Gives what `takeBack` needs to take just this one back. */
  add(nowMs: number): number {
    this.#advance(nowMs);
    this.#change(this.#part, 1);
    return this.#part;
  }

  /** Takes one back, where it still counts. */
  takeBack(part: number): void {
    if (part <= this.#part && part > this.#part - PARTS) this.#change(part, -1);
  }

  /** How many there are at that instant. */
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
    // Of two that end together, the earlier may be told last.
    if (part <= this.#part) return;
    const gone = Math.min(part - this.#part, PARTS);
    for (let i = 0; i < gone; i++) this.#counts[(part - i) % PARTS] = 0;
    this.#part = part;
  }
}
