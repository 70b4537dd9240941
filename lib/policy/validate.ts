import { isCredentials } from '../auth/credential-set.ts';
import { EVENT_NAMES } from '../call/events.ts';
import {
  aBoolean,
  aFunction,
  type Check,
  integer,
  isPlain,
  isRecord,
  kindOf,
  listOf,
  must,
  number,
  object,
  oneOf,
  orFalse,
} from '../check.ts';
import { InvalidPolicyError, type PolicyProblem } from '../failure/errors.ts';
import type { Limiter } from '../limit/limiter.ts';
import { isLimiter } from '../limit/limiters.ts';
import { checkLimit } from '../limit/options.ts';
import { constantBackoff, exponentialBackoff, linearBackoff } from '../time/backoff.ts';
import { MAX_TIMER_MS } from '../time/clock.ts';
import type { Policy } from './options.ts';
import { BREAKER_NAMES, EVENTS, POLICY_NAMES, RETRY_NAMES } from './other-names.ts';

/** RFC 9110 §5.1: a field name is a token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~\dA-Za-z-]+$/;

/** As a response has it, or a range: `5e2` and `0500` would never match. */
const STATUS = /^[1-9](\d\d|\dx|xx)$/;
const A_STATUS = "a status from 100 to 999, or a range such as '5xx' or '52x'";

const functionsOr = (said = kindOf) =>
  must(
    'a function or an array of functions',
    (value) =>
      typeof value === 'function' || (Array.isArray(value) && value.every((each) => typeof each === 'function')),
    said,
  );
const functions = functionsOr();
const judges = functionsOr((value) =>
  isPlain(value) ? `${kindOf(value)}: rules by status stand in statuses` : kindOf(value),
);

const statuses: Check = (value, path, problems) => {
  if (value === undefined) return;
  if (!isPlain(value)) {
    const bound = "an object like { 500: 'retry' }";
    problems.push({ path, bound, value, message: `${path} must be ${bound}, got ${kindOf(value)}` });
    return;
  }
  for (const [status, rule] of Object.entries(value)) {
    const at = `${path}.${status}`;
    if (STATUS.test(status)) oneOf('retry', 'fail', 'refresh', 'pending')(rule, at, problems);
    else problems.push({ path: at, bound: A_STATUS, value: status, message: `${at} is not ${A_STATUS}` });
  }
};

const TURNS_ON = '`{}` turns it on';

const aBackoff = must(
  'a function such as exponentialBackoff()',
  (value) => typeof value === 'function' && !BACKOFFS.includes(value),
  (value) =>
    BACKOFFS.includes(value) ? `${kindOf(value)}: call it, ${(value as { name: string }).name}()` : kindOf(value),
);
/** They make a backoff, and are none. */
const BACKOFFS: readonly unknown[] = [exponentialBackoff, linearBackoff, constantBackoff];

const budget = object(
  {
    capacity: number(0),
    transientCost: number(0),
    throttledCost: number(0),
    refund: number(0),
    refillPerSecond: number(0, Number.MAX_SAFE_INTEGER),
    ratio: number(0, 1),
    windowMs: number(1_000),
    minRetriesPerWindow: number(0),
    failingMs: number(0),
    key: aFunction,
  },
  { on: TURNS_ON },
);

const retryAfter = object(
  {
    maxMs: number(0),
    whenLonger: oneOf('fail', 'clamp'),
    jitterMs: number(0, Number.MAX_SAFE_INTEGER),
  },
  { on: TURNS_ON, number: 'here it is { maxMs }, in ms' },
);

const methodNames = listOf('an array of method names', (value) => typeof value === 'string' && HEADER_NAME.test(value));

const retry = object(
  {
    maxRetries: must(
      'an integer of at least 0, or Infinity',
      (value) => value === Number.POSITIVE_INFINITY || (Number.isInteger(value) && Number(value) >= 0),
    ),
    backoff: aBackoff,
    retryAfter: orFalse(retryAfter),
    unsafe: oneOf('when-unapplied', 'always', 'never'),
    idempotentMethods: methodNames,
    timeouts: aBoolean,
    budget: orFalse(budget),
    onRetry: functions,
    onGiveUp: functions,
  },
  { names: RETRY_NAMES, on: TURNS_ON, number: 'here it is { maxRetries }' },
);

const poll = object(
  {
    intervalMs: number(0, Number.MAX_SAFE_INTEGER),
    maxMs: number(0, Number.POSITIVE_INFINITY, { above: true }),
  },
  { on: 'it is on by default', number: 'here it is { intervalMs }, in ms' },
);

/** In the place of a group that has one. */
const A_HEADER = 'here it is { header }';

const aHeaderName = must('a header name', (value) => typeof value === 'string' && HEADER_NAME.test(value));

const idempotency = object(
  {
    header: aHeaderName,
    methods: methodNames,
    generate: aFunction,
    renew: oneOf('never', 'after-response'),
  },
  { on: TURNS_ON, text: A_HEADER },
);

const isOrigin = (value: unknown): boolean => {
  try {
    return typeof value === 'string' && new URL(value).origin === value;
  } catch {
    return false;
  }
};

/** A path or a slash at the end is the usual mistake. Of a URL only the origin is shown: it may hold a password. */
function notAnOrigin(value: unknown): string {
  let meant = '';
  try {
    const { origin } = new URL(typeof value === 'string' ? value : '');
    if (origin !== 'null') meant = `: its origin is '${origin}'`;
  } catch {
    // Then it is no URL either.
  }
  return `${kindOf(value)} in it that is none${meant}`;
}

const authOptions = object(
  {
    token: aFunction,
    refresh: aFunction,
    apply: aFunction,
    refreshAheadMs: number(0),
    refreshTimeoutMs: number(0, Number.POSITIVE_INFINITY, { above: true }),
    // A URL may hold a password.
    origins: must(
      "an array of origins such as 'https://api.example.com', or 'any'",
      (value) => value === 'any' || (Array.isArray(value) && value.every(isOrigin)),
      (value) => (Array.isArray(value) ? notAnOrigin(value.find((each) => !isOrigin(each))) : kindOf(value)),
    ),
    save: aFunction,
    neverRefreshOn: listOf('an array of strings', (value) => typeof value === 'string'),
    key: aFunction,
    store: must('a TokenStore', (value) => isRecord(value) && typeof value.refresh === 'function', kindOf),
    // Those of p-retry that make sense here; the signal is ours.
    retry: object({
      retries: number(0),
      factor: number(0),
      minTimeout: number(0),
      maxTimeout: number(0),
      maxRetryTime: number(0),
      randomize: aBoolean,
      unref: aBoolean,
      onFailedAttempt: aFunction,
      shouldRetry: aFunction,
      shouldConsumeRetry: aFunction,
    }),
  },
  { on: 'it needs { token, refresh }' },
);

const auth: Check = (value, path, problems) => {
  if (isCredentials(value)) return;
  authOptions(value, path, problems);
  if (!isRecord(value) || value.refresh !== undefined) return;
  const at = `${path}.refresh`;
  const bound = 'a function';
  problems.push({ path: at, bound, value: undefined, message: `${at} must be ${bound}, got nothing` });
};

const limitOptions = checkLimit(
  {},
  {
    on: 'it needs numbers, { requests, perMs } or { maxConcurrent }; { adaptive: true } learns them',
    number: 'to bound retries it is retry.maxRetries; to bound sends { maxConcurrent }, or { requests, perMs }',
  },
);

/** What the port asks of a limiter. A semaphore has `acquire` as well, and permits that nobody could give back. */
const PORT = ['acquire', 'pause', 'close', 'stats'] as const satisfies readonly (keyof Limiter)[];

const limit: Check = (value, path, problems) => {
  if (!isLimiter(value)) return limitOptions(value, path, problems);
  const missing = PORT.filter((name) => typeof value[name] !== 'function');
  if (missing.length === 0) return;
  const bound = `a Limiter, with ${PORT.join(', ')}`;
  problems.push({
    path,
    bound,
    value,
    message: `${path} must be ${bound}; ${kindOf(value)} lacks ${missing.join(', ')}`,
  });
};

const log = must(
  "false, 'retries', 'all' or a logger with debug(), info() and warn()",
  (value) => value === false || value === 'retries' || value === 'all' || isLogger(value),
);

const isLogger = (value: unknown): boolean =>
  ['debug', 'info', 'warn'].every(
    (level) => typeof (value as { [level: string]: unknown } | null)?.[level] === 'function',
  );

const policy = object(
  {
    retry: orFalse(retry),
    statuses,
    classify: judges,
    poll: orFalse(poll),
    deadlineMs: number(0, Number.POSITIVE_INFINITY, { above: true }),
    idempotency: orFalse(idempotency),
    auth: orFalse(auth),
    correlation: orFalse(object({ header: aHeaderName, generate: aFunction }, { on: TURNS_ON, text: A_HEADER })),
    body: aFunction,
    limit: orFalse(limit),
    breaker: orFalse(
      object(
        {
          failureRatio: number(0, 1, { above: true }),
          minimumThroughput: integer(1, Number.MAX_SAFE_INTEGER),
          windowMs: number(100, MAX_TIMER_MS),
          openMs: number(0, MAX_TIMER_MS, { above: true }),
          key: aFunction,
          isFailure: aFunction,
        },
        { names: BREAKER_NAMES, on: TURNS_ON },
      ),
    ),
    beforeSend: functions,
    on: object(Object.fromEntries([...EVENT_NAMES, '*'].map((name) => [name, functions])), {
      names: EVENTS,
      all: 'the events',
    }),
    log,
  },
  { names: POLICY_NAMES },
);

/**
 * @throws {InvalidPolicyError} with every problem at once, each with its path, what is allowed there, and what was found.
 */
export function validate(value: unknown): asserts value is Policy {
  const problems: PolicyProblem[] = [];
  // `undefined` is no opinion everywhere but here.
  policy(value ?? null, '', problems);
  if (problems.length > 0) throw new InvalidPolicyError(problems);
}
