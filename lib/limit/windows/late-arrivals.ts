/**
 * By when the slots of a window have to have been shifted, and how far.
 *
 * A request that arrives late pushes the server's window back; the sends one window later have to be delayed by as much, or the window
 * holds one too many. One shift covers all late sends of a window, so only the largest counts: of requests that came 3, 8 and 5 ms
 * late in one second, the next second's slots are shifted by 8 ms, not by 16, and not before that second.
 */
export class LateArrivals {
  /** By `dueAt`. A later one always asks for more, or the one before would have settled it. */
  readonly #due: { readonly dueAt: number; readonly shiftMs: number }[] = [];

  /** By the instant `dueAt` the slots have to have been shifted by `shiftMs` in all. */
  note(dueAt: number, shiftMs: number): void {
    let index = this.#due.length;
    while (index > 0 && Number(this.#due[index - 1]?.dueAt) > dueAt) index -= 1;
    if (Number(this.#due[index - 1]?.shiftMs) >= shiftMs) return;
    let settled = index;
    while (Number(this.#due[settled]?.shiftMs) <= shiftMs) settled += 1;
    this.#due.splice(index, settled - index, { dueAt, shiftMs });
  }

  /** Takes out what is due by then; gives how far the slots have to have been shifted in all, in ms. */
  takeDue(atMs: number): number {
    let shiftMs = 0;
    while (Number(this.#due[0]?.dueAt) <= atMs) shiftMs = Number(this.#due.shift()?.shiftMs);
    return shiftMs;
  }
}
