/** What is believed at most, and what is kept as a margin, wherever a rate comes from. */

/**
 * No pause and no window counts for more than this, in ms. A thousand a day, spread evenly, is one in 86 seconds: nobody
 * wants that of the first two calls.
 */
export const LONGEST_MS = 60_000;
/** Requests per ms that nobody sends: a header that claims more states no limit, and no climb goes further. */
export const ABSURD_PER_MS = 1_000;
/** So much below what is known of a quota is sent, as a share of it. Also the smallest climb. */
export const MARGIN = 0.01;
