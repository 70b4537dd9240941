import { EVENT_NAMES } from '../call/events.ts';
import { aFunction, listOf, must, number } from '../check.ts';
import { CLASSIFY, STATUSES } from '../classify/options.ts';
import { CORRELATION } from '../correlation/options.ts';
import { Group, SEVERAL, type Several } from '../group.ts';
import { IDEMPOTENCY } from '../idempotency/options.ts';
import { POLL } from '../poll/options.ts';
import { RETRY } from '../retry/options.ts';
import type { Rooms } from './house.ts';
import type { Policy, ResolvedPolicy } from './options.ts';
import { EVENTS, policyNames } from './other-names.ts';
import { unloaded } from './unloaded.ts';

const ON = new Group<{ readonly [name: string]: Several }>({
  starts: 'always-on',
  fields: Object.fromEntries([...EVENT_NAMES, '*'].map((name) => [name, SEVERAL])),
  advice: { names: EVENTS, all: 'the events' },
});

/** Those of two policies add up. */
const NAMES: Several = {
  check: listOf('an array of names of headers', (value) => typeof value === 'string' && value !== ''),
};

const log = must(
  "false, 'retries', 'all' or a logger with debug(), info() and warn()",
  (value) => value === false || value === 'retries' || value === 'all' || isLogger(value),
);

const isLogger = (value: unknown): boolean =>
  ['debug', 'info', 'warn'].every(
    (level) => typeof (value as { [level: string]: unknown } | null)?.[level] === 'function',
  );

/**
 * A policy as a whole: the rooms' groups, and what belongs to none of them.
 *
 * @param loaded those that not every entry of the package loads; any other takes values only
 */
export function policyGroup({ auth, breaker, limit }: Partial<Rooms>): Group<Policy, ResolvedPolicy> {
  const rooms = {
    retry: RETRY,
    poll: POLL,
    idempotency: IDEMPOTENCY,
    auth: auth?.options ?? unloaded('auth'),
    correlation: CORRELATION,
    limit: limit?.options ?? unloaded('limit'),
    breaker: breaker?.options ?? unloaded('breaker'),
  };
  return new Group<Policy, ResolvedPolicy>({
    starts: 'always-on',
    fields: {
      ...rooms,
      statuses: STATUSES,
      classify: [CLASSIFY, []],
      deadlineMs: [number(0, Number.POSITIVE_INFINITY, { above: true }), Number.POSITIVE_INFINITY],
      body: aFunction,
      ids: [NAMES, []],
      readError: aFunction,
      beforeSend: [SEVERAL, []],
      on: ON,
      log: [log, false],
    },
    advice: {
      // Only a mistake asks for them.
      get names() {
        return policyNames(rooms);
      },
    },
  });
}
