/** Of calls that began in one ms; the smallest part of one that an instant tells apart for a while yet. */
const APART_MS = 2 ** -10;
let last = Number.NEGATIVE_INFINITY;

/** An instant that is later than that of every call before: also those that begin in the same ms have an order. */
export function inOrder(at: number): number {
  last = at > last ? at : last + APART_MS;
  return last;
}
