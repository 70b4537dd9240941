import { number } from '../check.ts';
import { type Filled, Group } from '../group.ts';

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

export const POLL = new Group<PollOptions, ResolvedPoll>({
  starts: 'on',
  fields: {
    intervalMs: [number(0, Number.MAX_SAFE_INTEGER), 1_000],
    maxMs: [number(0, Number.POSITIVE_INFINITY, { above: true }), 600_000],
  },
  advice: { on: 'it is on by default', number: 'here it is { intervalMs }, in ms' },
});
