/** A duration or an instant as it is shown, in whole ms. `Infinity` stays. */
export const wholeMs = (ms: number): number => Math.round(ms);

/** A duration for a person: `350 ms`, `12.4 s`. */
export const durationOf = (ms: number): string =>
  Math.round(ms) < 1_000 ? `${Math.round(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;

/** The last instant that a `Date` can hold. */
const LAST_INSTANT = 8.64e15;

/** An instant for a person, its time of day: `12:00:01.250Z`. */
export const timeOf = (at: number): string => new Date(Math.min(Math.ceil(at), LAST_INSTANT)).toISOString().slice(-13);
