import { number } from '../check.ts';
import { type Filled, Group } from '../group.ts';

/**
 * How often, and for how long, an answer that is pending is asked for again.
 *
 * @example
 * // A report is ready when the 202 has become a 200.
 * attach(client, { statuses: { 202: 'pending' }, poll: { intervalMs: 2_000, maxMs: 120_000 } });
 */
export interface PollOptions {
  /** How long to wait before a poll, in ms, where neither Retry-After nor a judge names a time. Finite, from 0; default 1,000. */
  readonly intervalMs?: number | undefined;
  /**
   * How long a call may poll, in ms, from its first pending answer to its last poll. Above 0; default 600,000. Where the next poll would be
   * later, the call rejects with the last answer, and `still-pending`.
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
