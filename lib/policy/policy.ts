import { EVENT_NAMES } from '../call/events.ts';
import { aFunction, listOf, must, number } from '../check.ts';
import { CLASSIFY, STATUSES } from '../classify/options.ts';
import { Group, SEVERAL, type Several } from '../group.ts';
import { type Policy, type ResolvedPolicy, ROOMS } from './options.ts';
import { EVENTS, POLICY_NAMES } from './other-names.ts';

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

/** A policy as a whole: the rooms' groups, and what belongs to none of them. */
export const POLICY = new Group<Policy, ResolvedPolicy>({
  starts: 'always-on',
  fields: {
    ...ROOMS,
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
  advice: { names: POLICY_NAMES },
});
