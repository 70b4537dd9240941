/**
 * What sends that were slow to arrive cost those that leave a window later: by then the slots have to have been moved on so far.
 *
 * Not sooner, since the slow sends of one window are all paid for by the same move.
 */
export class Arrears {
  /** By `dueAt`; a later one always asks for more, else it would be settled by the one before. */
  readonly #owed: { readonly dueAt: number; readonly toMs: number }[] = [];

  /** By the instant `dueAt`, the slots have to have been moved by `toMs` in all. */
  owe(dueAt: number, toMs: number): void {
    let index = this.#owed.length;
    while (index > 0 && Number(this.#owed[index - 1]?.dueAt) > dueAt) index -= 1;
    if (Number(this.#owed[index - 1]?.toMs) >= toMs) return;
    let settled = index;
    while (Number(this.#owed[settled]?.toMs) <= toMs) settled += 1;
    this.#owed.splice(index, settled - index, { dueAt, toMs });
  }

  /** Takes out what is due by then; gives how far the slots have to have been moved in all, in ms. */
  takeDue(atMs: number): number {
    let toMs = 0;
    while (Number(this.#owed[0]?.dueAt) <= atMs) toMs = Number(this.#owed.shift()?.toMs);
    return toMs;
  }
}
