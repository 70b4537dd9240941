import { type Filled, number, object } from '../check.ts';

export interface PollOptions {
  /** The wait before a poll where neither Retry-After nor a judge names one, in ms. Finite, from 0; default 1,000. */
  readonly intervalMs?: number | undefined;
  /**
   * How long a call may poll, from its first pending answer to its last poll, in ms. Above 0; default 600,000. A poll that would be later
   * ends the call: it rejects with the last answer, `still-pending`.
   */
  readonly maxMs?: number | undefined;
}

export type ResolvedPoll = Filled<PollOptions>;

export const POLL_DEFAULTS: ResolvedPoll = { intervalMs: 1_000, maxMs: 600_000 };

export const checkPoll = object(
  {
    intervalMs: number(0, Number.MAX_SAFE_INTEGER),
    maxMs: number(0, Number.POSITIVE_INFINITY, { above: true }),
  },
  { on: 'it is on by default', number: 'here it is { intervalMs }, in ms' },
);
