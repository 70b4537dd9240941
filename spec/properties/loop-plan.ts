import fc from 'fast-check';
import type { Verdict } from '../../lib/call/verdict.ts';
import type { StatusRule } from '../../lib/classify/options.ts';

/** What a server may say of when to come back. Plain data, so that a counterexample can be read and shrinks well. */
export type Hint =
  | { readonly says: 'seconds'; readonly seconds: number }
  | { readonly says: 'ms'; readonly ms: number }
  /** An HTTP-date so many seconds from the server's clock, which may be ahead of ours; told by its `Date` or not. */
  | { readonly says: 'date'; readonly seconds: number; readonly aheadS: number; readonly dated: boolean }
  | { readonly says: 'quota'; readonly seconds: number }
  | { readonly says: 'garbage'; readonly text: string };

/** What one send comes to, and after how long. */
export type Play =
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly hint: Hint | undefined;
      /** Whether it has a Location. */
      readonly located: boolean;
      readonly ms: number;
    }
  | { readonly kind: 'error'; readonly code: string; readonly ms: number }
  /** The adapter throws instead of rejecting. */
  | { readonly kind: 'throws'; readonly code: string };

export interface CallPlan {
  readonly method: 'get' | 'post' | 'put' | 'patch' | 'delete';
  /** Whether the caller has a key of their own. */
  readonly ownKey: boolean;
  /** The n-th send plays the n-th; the last for ever. */
  readonly plays: readonly Play[];
  /** What the judge thinks of the n-th outcome, cyclically. */
  readonly opinions: readonly (Verdict | 'throws' | undefined)[];
  /** When the caller gives up, in ms from the start; -1 is before it. */
  readonly abortAt: number | undefined;
  /** Where in the policy's own code the caller gives up, in the very turn in which that runs. */
  readonly abortIn: 'acquire' | 'beforeSend' | 'classify' | 'retry-scheduled' | 'poll-scheduled' | undefined;
  /** Whether axios resolves whatever the status. */
  readonly lenient: boolean;
  /** Whether the adapter takes no notice of its signal and its timeout. */
  readonly deaf: boolean;
}

export interface RetryPlan {
  readonly maxRetries: number;
  readonly backoff: 'default' | 'throws' | number;
  readonly maxMs: number;
  readonly whenLonger: 'fail' | 'clamp';
  readonly jitterMs: number;
  readonly unsafe: 'when-unapplied' | 'always' | 'never';
  readonly timeouts: boolean;
  readonly budget: false | 'default' | number;
}

/** How the n-th permit is given: at once, after so many ms (to whomever it finds), by refusing, by throwing. */
export type Grant = 'now' | 'refuse' | 'throw' | number;

export interface Plan {
  readonly calls: readonly CallPlan[];
  readonly retry: false | RetryPlan;
  readonly statuses: { readonly [status: number]: StatusRule };
  readonly poll: false | { readonly intervalMs: number; readonly maxMs: number };
  readonly deadlineMs: number | undefined;
  readonly renew: false | 'never' | 'after-response';
  readonly auth:
    | false
    | {
        readonly refreshes: readonly ('fresh' | 'same' | 'fails')[];
        readonly refreshMs: number;
        /** When the first token expires, in ms from the start. */
        readonly expiresIn: number | undefined;
      };
  readonly limit: false | readonly Grant[];
  readonly breaker:
    | false
    | {
        readonly failureRatio: number;
        readonly minimumThroughput: number;
        readonly windowMs: number;
        readonly openMs: number;
      };
  /** How long `beforeSend` takes; none where it is undefined. */
  readonly beforeMs: number | undefined;
  readonly seed: number;
}

export const REFUSED = ['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN'];
export const TIMED_OUT = ['ECONNABORTED', 'ETIMEDOUT'];
const AMBIGUOUS = ['ECONNRESET', 'EPIPE', 'ERR_NETWORK'];
/** A repeat would end the same way. */
export const HOPELESS = ['ERR_BAD_OPTION', 'EPROTO', 'CERT_HAS_EXPIRED'];
const CODES = [...AMBIGUOUS, ...REFUSED, ...TIMED_OUT, ...HOPELESS, 'ERR_CANCELED'];

/** One in so many is left out. */
const optional = <T>(arbitrary: fc.Arbitrary<T>, oneIn = 2) => fc.option(arbitrary, { nil: undefined, freq: oneIn });

const hint: fc.Arbitrary<Hint> = fc.oneof(
  fc.record({ says: fc.constant('seconds' as const), seconds: fc.constantFrom(0, 1, 2, 30, 61, 3_600, 9_999_999_999) }),
  fc.record({ says: fc.constant('ms' as const), ms: fc.constantFrom(0, 1, 250, 90_000) }),
  fc.record({
    says: fc.constant('date' as const),
    seconds: fc.constantFrom(0, 2, 45, -5, 100_000),
    aheadS: fc.constantFrom(0, 7_200, -7_200),
    dated: fc.constant(true),
  }),
  fc.record({
    says: fc.constant('date' as const),
    seconds: fc.constantFrom(1, 2, 45, -5),
    aheadS: fc.constant(0),
    dated: fc.constant(false),
  }),
  fc.record({ says: fc.constant('quota' as const), seconds: fc.constantFrom(0, 3, 120) }),
  fc.record({
    says: fc.constant('garbage' as const),
    text: fc.constantFrom('', 'soon', '-1', '1e3', '0x10', '1,2', 'Thu, 99 Foo 2026 00:00:00 GMT'),
  }),
);

const tookMs = fc.constantFrom(0, 0, 1, 40, 400);
const play: fc.Arbitrary<Play> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('answer' as const),
      status: fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(200, 202, 429, 503, 502, 504, 401, 500, 409, 408, 413, 421, 425) },
        { weight: 1, arbitrary: fc.integer({ min: 200, max: 599 }) },
      ),
      hint: optional(hint, 3),
      located: fc.boolean(),
      ms: tookMs,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('error' as const),
      code: fc.constantFrom(...CODES),
      // The last is longer than any deadline: silence.
      ms: fc.constantFrom(0, 1, 40, 400, 10_000_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('throws' as const), code: fc.constantFrom(...CODES, 'no code') }),
  },
);

/** Nothing but the time bounds how often a call asks, so with a judge that never waits it would never end on a clock that stands still. */
const atSomePace = (verdict: Verdict): Verdict =>
  verdict.kind === 'pending' && verdict.retryAfterMs === 0 ? { ...verdict, retryAfterMs: 500 } : verdict;

const opinion: fc.Arbitrary<Verdict | 'throws'> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .record(
        {
          kind: fc.constantFrom(
            'success',
            'pending',
            'throttled',
            'transient',
            'unauthorized',
            'permanent',
            'cancelled',
          ),
          retryAfterMs: fc.constantFrom(0, 500, 70_000, Number.POSITIVE_INFINITY),
          unapplied: fc.boolean(),
        },
        { requiredKeys: ['kind'], noNullPrototype: true },
      )
      .map(atSomePace),
  },
  { weight: 1, arbitrary: fc.constant('throws' as const) },
);

const call: fc.Arbitrary<CallPlan> = fc.record({
  method: fc.constantFrom('get', 'post', 'put', 'patch', 'delete'),
  ownKey: fc.boolean(),
  plays: fc.array(play, { minLength: 1, maxLength: 8 }),
  opinions: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(optional(opinion), { maxLength: 4 }) },
  ),
  abortAt: optional(fc.oneof(fc.constantFrom(-1, 0, 1, 40, 41, 1_000), fc.nat(100_000))),
  abortIn: fc.oneof(
    { weight: 7, arbitrary: fc.constant(undefined) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<CallPlan['abortIn']>(
        'acquire',
        'beforeSend',
        'classify',
        'retry-scheduled',
        'poll-scheduled',
      ),
    },
  ),
  lenient: fc.boolean(),
  deaf: fc.boolean(),
});

const retry: fc.Arbitrary<RetryPlan> = fc.record({
  maxRetries: fc.nat(6),
  backoff: fc.oneof(
    fc.constant('default' as const),
    fc.constantFrom<RetryPlan['backoff']>(0, 10, 5_000, Number.NaN, -1, Number.POSITIVE_INFINITY, 'throws'),
  ),
  maxMs: fc.constantFrom(60_000, 0, 1_000, 10_000_000),
  whenLonger: fc.constantFrom('fail', 'clamp'),
  jitterMs: fc.constantFrom(0, 500),
  unsafe: fc.constantFrom('when-unapplied', 'always', 'never'),
  timeouts: fc.boolean(),
  budget: fc.constantFrom<RetryPlan['budget']>('default', false, 0, 20),
});

/** Any number of outcomes under any valid policy. Every part shrinks to the simplest: no retry, a GET, a 200. */
export const plan: fc.Arbitrary<Plan> = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 2 }),
  retry: fc.oneof({ weight: 1, arbitrary: fc.constant(false as const) }, { weight: 9, arbitrary: retry }),
  statuses: fc.oneof(
    { weight: 2, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc.dictionary(
        fc.constantFrom('200', '202', '401', '409', '429', '500', '502', '503'),
        fc.constantFrom<StatusRule>('retry', 'fail', 'refresh', 'pending'),
        { maxKeys: 3, noNullPrototype: true },
      ),
    },
  ),
  poll: fc.oneof(
    { weight: 1, arbitrary: fc.constant(false as const) },
    {
      weight: 4,
      arbitrary: fc.record({ intervalMs: fc.constantFrom(50, 1_000), maxMs: fc.constantFrom(1, 300, 2_000, 100_000) }),
    },
  ),
  deadlineMs: optional(fc.constantFrom(0.5, 1, 40, 401, 1_000, 30_000, 200_000)),
  renew: fc.constantFrom<Plan['renew']>(false, 'never', 'after-response'),
  auth: fc.oneof(
    { weight: 1, arbitrary: fc.constant(false as const) },
    {
      weight: 1,
      arbitrary: fc.record({
        refreshes: fc.array(fc.constantFrom('fresh' as const, 'same' as const, 'fails' as const), {
          minLength: 1,
          maxLength: 3,
        }),
        refreshMs: fc.constantFrom(0, 5, 2_000, 50_000),
        expiresIn: optional(fc.constantFrom(-1, 100, 1_000_000)),
      }),
    },
  ),
  limit: fc.oneof(
    { weight: 1, arbitrary: fc.constant(false as const) },
    {
      weight: 1,
      arbitrary: fc.array(fc.constantFrom<Grant>('now', 'now', 0, 7, 3_000, 10_000_000, 'refuse', 'throw'), {
        minLength: 1,
        maxLength: 6,
      }),
    },
  ),
  breaker: fc.oneof(
    { weight: 1, arbitrary: fc.constant(false as const) },
    {
      weight: 1,
      arbitrary: fc.record({
        failureRatio: fc.constantFrom(0.5, 0.1, 1),
        minimumThroughput: fc.constantFrom(1, 2, 4),
        windowMs: fc.constantFrom(10_000, 100, 1_000_000),
        openMs: fc.constantFrom(5_000, 1, 0.5, 50, 1_000_000),
      }),
    },
  ),
  beforeMs: optional(fc.constantFrom(0, 15, 1_000_000)),
  seed: fc.nat(1_000),
});
