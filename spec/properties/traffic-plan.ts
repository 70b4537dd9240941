import fc from 'fast-check';

/** Calls that are alike: so many, one every so often. */
export interface Group {
  /** When the first begins, in ms from the start. */
  readonly at: number;
  readonly count: number;
  readonly everyMs: number;
  readonly method: 'get' | 'post' | 'put';
  readonly host: 'a' | 'b';
  /** Which of the attachments, where there are two. */
  readonly client: 0 | 1;
  readonly priority: number;
  /** Whether the caller has an idempotency key of their own. */
  readonly ownKey: boolean;
  /** When each is given up, in ms from its own beginning. */
  readonly abortAfterMs: number | undefined;
  /** Where each send of it makes a call of its own, to the same host, and waits for that. */
  readonly nested: 'beforeSend' | 'adapter' | undefined;
}

export interface Window {
  readonly requests: number;
  readonly perMs: number;
  readonly burst: number;
}

export interface LimitPlan {
  readonly windows: readonly Window[];
  readonly maxConcurrent: number | undefined;
  readonly maxQueue: number | undefined;
  readonly maxWaitMs: number | undefined;
  readonly adaptive: false | { readonly headers: boolean; readonly startConcurrency: number };
  /** Whether it is one limiter that two attachments were handed. */
  readonly shared: boolean;
}

export interface PolicyPlan {
  readonly retry:
    | false
    | {
        readonly maxRetries: number;
        readonly backoffMs: number | 'default';
        readonly maxMs: number;
        readonly whenLonger: 'fail' | 'clamp';
        readonly jitterMs: number;
        readonly unsafe: 'when-unapplied' | 'always' | 'never';
        readonly budget: false | 'default' | number;
      };
  readonly limit: false | LimitPlan;
  readonly breaker: false | { readonly minimumThroughput: number; readonly windowMs: number; readonly openMs: number };
  readonly auth:
    | false
    | {
        /** How long each token lives, the first from the start. */
        readonly lifeMs: number | undefined;
        readonly refreshMs: number;
        /** What comes of the n-th refresh, cyclically. */
        readonly refreshes: readonly ('fresh' | 'fails')[];
      };
  readonly idempotency: false | 'never' | 'after-response';
  readonly deadlineMs: number | undefined;
  /** axios' own bound of a send. */
  readonly timeoutMs: number | undefined;
  /** How long `beforeSend` takes; there is none where it is undefined and no call is made within it. */
  readonly beforeMs: number | undefined;
}

/** A time in which the server, or the way to it, is ill. */
export interface Outage {
  readonly from: number;
  readonly ms: number;
  /**
   * `refused`: no connection; `reset`: lost before the server did anything; `torn`: lost after it did; `bad gateway`: a 502 after it did;
   * `unavailable`: a bare 503; `busy`: a 503 whose Retry-After names the end; `silent`: done, and no answer for a minute.
   */
  readonly as: 'refused' | 'reset' | 'torn' | 'bad gateway' | 'unavailable' | 'busy' | 'silent';
}

export interface ServerPlan {
  /** Of each host. `as told`: exactly what the policy's windows say. */
  readonly quota: 'none' | 'as told' | (Omit<Window, 'burst'> & { readonly kind: 'bucket' | 'sliding' | 'fixed' });
  /** Of a quota: nothing, Retry-After with a 429, or that and what is left with every answer. */
  readonly says: 'nothing' | 'retry-after' | 'headers';
  /** One way, always the same. */
  readonly travelMs: number;
  readonly workMs: readonly [least: number, most: number];
  readonly outages: readonly Outage[];
  /** When every token that was given out is revoked, in ms from the start. */
  readonly revocations: readonly number[];
}

export interface Plan {
  readonly groups: readonly Group[];
  readonly policy: PolicyPlan;
  readonly server: ServerPlan;
  /** What becomes of the first attachment, and when. */
  readonly ending:
    | undefined
    | {
        readonly at: number;
        readonly how: 'detach' | 'close' | 'drain';
        readonly timeoutMs: number | undefined;
      };
  /** How late timers are at most. */
  readonly lateMs: number;
  /** Whether adapters take no notice of their signal and their timeout. */
  readonly deaf: boolean;
  readonly seed: number;
}

/** Is there once in so many times. */
const seldom = <T>(arbitrary: fc.Arbitrary<T>, oneIn = 4) =>
  fc.oneof({ weight: oneIn - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const oneOf = <const T>(...values: readonly T[]) => fc.constantFrom(...values);
const someTime = fc.oneof(fc.nat(300), fc.nat(5_000));

const group: fc.Arbitrary<Group> = fc.record({
  at: someTime,
  count: fc.oneof(
    { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) },
    { weight: 1, arbitrary: fc.integer({ min: 4, max: 15 }) },
  ),
  everyMs: oneOf(0, 0, 1, 7, 60, 400),
  method: oneOf('get', 'post', 'post', 'put'),
  host: fc.oneof(
    { weight: 4, arbitrary: oneOf<Group['host']>('a') },
    { weight: 1, arbitrary: oneOf<Group['host']>('b') },
  ),
  client: oneOf<0 | 1>(0, 1),
  priority: oneOf(0, 0, 1, -1, 5),
  ownKey: fc.boolean(),
  abortAfterMs: seldom(fc.oneof(fc.nat(60), fc.nat(3_000))),
  nested: fc.oneof(
    { weight: 6, arbitrary: oneOf(undefined) },
    { weight: 1, arbitrary: oneOf<Group['nested']>('beforeSend', 'adapter') },
  ),
});

const window: fc.Arbitrary<Window> = fc.record({
  requests: oneOf(1, 2, 3, 5, 10, 50),
  perMs: oneOf(100, 1_000, 3_000),
  burst: oneOf(1, 1, 2, 5),
});

const limit: fc.Arbitrary<LimitPlan> = fc.record({
  windows: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(window, { minLength: 1, maxLength: 2 }) },
  ),
  maxConcurrent: seldom(oneOf(1, 2, 4), 2),
  maxQueue: seldom(oneOf(0, 1, 5)),
  maxWaitMs: seldom(oneOf(0, 1, 200, 2_000)),
  adaptive: fc.oneof(
    { weight: 3, arbitrary: fc.constant(false as const) },
    { weight: 2, arbitrary: fc.record({ headers: oneOf(true, true, false), startConcurrency: oneOf(8, 1, 3) }) },
  ),
  shared: fc.oneof({ weight: 3, arbitrary: oneOf(false) }, { weight: 1, arbitrary: oneOf(true) }),
});

const policy: fc.Arbitrary<PolicyPlan> = fc.record({
  retry: fc.oneof(
    { weight: 1, arbitrary: fc.constant(false as const) },
    {
      weight: 6,
      arbitrary: fc.record({
        maxRetries: oneOf(0, 1, 3, 6),
        backoffMs: oneOf<'default' | number>('default', 0, 10, 700),
        maxMs: oneOf(60_000, 60_000, 60_000, 2_000, 500),
        whenLonger: oneOf('fail', 'fail', 'clamp'),
        jitterMs: oneOf(0, 0, 300),
        unsafe: oneOf('when-unapplied', 'when-unapplied', 'always', 'never'),
        budget: oneOf<false | 'default' | number>('default', false, 0, 14, 40),
      }),
    },
  ),
  limit: fc.oneof({ weight: 1, arbitrary: fc.constant(false as const) }, { weight: 5, arbitrary: limit }),
  breaker: fc.oneof(
    { weight: 3, arbitrary: fc.constant(false as const) },
    {
      weight: 1,
      arbitrary: fc.record({
        minimumThroughput: oneOf(1, 3, 6),
        windowMs: oneOf(100, 10_000),
        openMs: oneOf(10, 500, 5_000),
      }),
    },
  ),
  auth: fc.oneof(
    { weight: 2, arbitrary: fc.constant(false as const) },
    {
      weight: 1,
      arbitrary: fc.record({
        lifeMs: seldom(oneOf(300, 2_000, 300_000), 2),
        refreshMs: oneOf(0, 5, 150, 2_500),
        refreshes: fc.array(oneOf('fresh', 'fresh', 'fails'), { minLength: 1, maxLength: 3 }),
      }),
    },
  ),
  idempotency: oneOf<PolicyPlan['idempotency']>(false, 'never', 'after-response'),
  deadlineMs: seldom(oneOf(20, 200, 1_500, 10_000), 3),
  timeoutMs: seldom(oneOf(30, 500)),
  beforeMs: seldom(oneOf(0, 3, 120)),
});

const outage: fc.Arbitrary<Outage> = fc.record({
  from: someTime,
  ms: oneOf(1, 60, 700, 4_000),
  as: oneOf('refused', 'reset', 'torn', 'torn', 'bad gateway', 'unavailable', 'busy', 'silent'),
});

const server: fc.Arbitrary<ServerPlan> = fc.record({
  quota: fc.oneof(
    { weight: 1, arbitrary: oneOf<'none'>('none') },
    { weight: 2, arbitrary: oneOf<'as told'>('as told') },
    {
      weight: 3,
      arbitrary: fc.record({
        kind: oneOf('fixed', 'bucket', 'sliding'),
        requests: oneOf(1, 3, 10, 10, 30),
        perMs: oneOf(500, 1_000, 4_000, 4_000),
      }),
    },
  ),
  says: oneOf('retry-after', 'headers', 'headers', 'nothing'),
  travelMs: oneOf(0, 1, 20),
  workMs: oneOf<readonly [number, number]>([0, 0], [5, 30], [1, 400]),
  outages: fc.array(outage, { maxLength: 3 }),
  revocations: fc.array(someTime, { maxLength: 2 }),
});

/** Any traffic under any policy, to a server in any mood. Every part shrinks to the simplest: one GET to a server that is well. */
const any: fc.Arbitrary<Plan> = fc.record({
  groups: fc.array(group, { minLength: 1, maxLength: 4 }),
  policy,
  server,
  ending: seldom(
    fc.record({
      at: someTime,
      how: oneOf('detach', 'close', 'drain'),
      timeoutMs: seldom(oneOf(0, 100, 5_000)),
    }),
  ),
  lateMs: oneOf(0, 0, 1, 15),
  deaf: fc.boolean(),
  seed: fc.nat(1_000),
});

/** Nothing but a server that tells what is left, and who believes it: seldom so by chance. */
const believing: fc.Arbitrary<Plan> = fc
  .tuple(any, fc.record({ requests: oneOf(3, 10, 30), perMs: oneOf(1_000, 4_000) }), limit)
  .map(([{ policy, server, groups, ...rest }, window, limit]) => ({
    ...rest,
    groups: groups.map((each) => ({ ...each, nested: undefined })),
    policy: {
      ...policy,
      retry: policy.retry && { ...policy.retry, maxMs: 60_000 },
      limit: { ...limit, windows: [], adaptive: { headers: true, startConcurrency: 3 } },
      beforeMs: undefined,
    },
    server: { ...server, quota: { kind: 'fixed', ...window }, says: 'headers', outages: [] },
    ending: undefined,
  }));

/** Orders that are lost on the way back, and then throttled: the same. */
const orders: fc.Arbitrary<Plan> = fc
  .tuple(any, oneOf(1, 60, 700))
  .map(([{ policy, server, groups, ...rest }, ms]) => ({
    ...rest,
    groups: groups.map((each) => ({ ...each, at: 0, method: 'post', ownKey: false })),
    policy: { ...policy, idempotency: policy.idempotency && 'after-response' },
    server: { ...server, outages: [{ from: 0, ms, as: 'torn' }] },
  }));

/** What is played. A counterexample is told in words. */
export const plan: fc.Arbitrary<Plan> = fc
  .oneof({ weight: 8, arbitrary: any }, { weight: 1, arbitrary: believing }, { weight: 1, arbitrary: orders })
  .map((drawn) => Object.defineProperty(drawn, fc.toStringMethod, { value: () => `\n${inWords(drawn)}\n` }));

/** The plan as a person would tell it; what is as ever is left out. */
export function inWords({ groups, policy, server, ending, lateMs, deaf, seed }: Plan): string {
  const lines = groups.map((each) => `  at ${each.at} ms ${groupInWords(each, policy)}`);
  if (ending !== undefined) {
    const bound = ending.how === 'drain' && ending.timeoutMs !== undefined ? ` within ${ending.timeoutMs} ms` : '';
    lines.push(`  at ${ending.at} ms the first attachment: ${ending.how}${bound}`);
  }
  const odds = [
    lateMs > 0 && `timers up to ${lateMs} ms late`,
    deaf && 'adapters deaf to signal and timeout',
    `seed ${seed}`,
  ];
  return [
    'traffic',
    ...lines,
    'policy',
    ...policyInWords(policy).map((line) => `  ${line}`),
    'server',
    ...serverInWords(server).map((line) => `  ${line}`),
    `besides: ${odds.filter(Boolean).join(', ')}`,
  ].join('\n');
}

function groupInWords(each: Group, { limit }: PolicyPlan): string {
  const { count, everyMs, method, host, client, priority, ownKey, abortAfterMs, nested } = each;
  return [
    `${count} × ${method.toUpperCase()} to ${host}`,
    count > 1 && (everyMs === 0 ? 'at once' : `every ${everyMs} ms`),
    limit !== false && limit.shared && client === 1 && 'through the second attachment',
    priority !== 0 && `priority ${priority}`,
    ownKey && 'with a key',
    abortAfterMs !== undefined && `given up after ${abortAfterMs} ms`,
    nested !== undefined && `a call within each ${nested === 'adapter' ? 'adapter call' : nested}`,
  ]
    .filter(Boolean)
    .join(', ');
}

function policyInWords(policy: PolicyPlan): string[] {
  const { retry, limit, breaker, auth, idempotency, deadlineMs, timeoutMs, beforeMs } = policy;
  const lines = [`retry: ${compact(retry)}`];
  if (limit !== false) lines.push(`limit: ${compact(limit)}`);
  if (breaker !== false) lines.push(`breaker: ${compact(breaker)}`);
  if (auth !== false) lines.push(`auth: ${compact(auth)}`);
  if (idempotency !== false) lines.push(`idempotency: renew ${idempotency}`);
  if (deadlineMs !== undefined) lines.push(`deadlineMs: ${deadlineMs}`);
  if (timeoutMs !== undefined) lines.push(`timeout: ${timeoutMs}`);
  if (beforeMs !== undefined) lines.push(`beforeSend takes ${beforeMs} ms`);
  return lines;
}

function serverInWords({ quota, says, travelMs, workMs, outages, revocations }: ServerPlan): string[] {
  const lines = [`quota: ${compact(quota)}${quota === 'none' ? '' : `, says ${says}`}`];
  if (travelMs > 0) lines.push(`${travelMs} ms each way`);
  if (workMs[1] > 0) lines.push(`works ${workMs.join('–')} ms`);
  for (const { from, ms, as } of outages) lines.push(`${as} from ${from} for ${ms} ms`);
  if (revocations.length > 0) lines.push(`revokes all tokens at ${revocations.join(' and ')} ms`);
  return lines;
}

const compact = (value: unknown): string =>
  typeof value === 'string'
    ? value
    : JSON.stringify(value).replaceAll('"', '').replaceAll(',', ', ').replaceAll(':', ': ');
