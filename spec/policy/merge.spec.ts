import { InvalidPolicyError, mergePolicies, type Policy } from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { credentials } from '../../lib/auth/credentials.ts';
import { OneAtATime } from '../support/limiter.ts';

const [a, b, c, d] = [() => undefined, () => undefined, () => undefined, () => undefined];

/** Policies out of plain options, with holes. */
const policies = fc.record(
  {
    retry: fc.oneof(
      fc.constant(false as const),
      fc.constant(undefined),
      fc.record(
        {
          maxRetries: fc.option(fc.integer({ min: 0, max: 9 }), { nil: undefined }),
          unsafe: fc.constantFrom('always', 'never', undefined),
          retryAfter: fc.record({ maxMs: fc.option(fc.nat(), { nil: undefined }) }, { requiredKeys: [] }),
          budget: fc.oneof(fc.constant(false as const), fc.record({ capacity: fc.nat() }, { requiredKeys: [] })),
        },
        { requiredKeys: [] },
      ),
    ),
    statuses: fc.dictionary(fc.constantFrom('500', '502'), fc.constantFrom('retry', 'fail', undefined)),
    deadlineMs: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
    idempotency: fc.oneof(
      fc.constant(false as const),
      fc.record({ header: fc.constantFrom('x-a', 'x-b') }, { requiredKeys: [] }),
    ),
  },
  { requiredKeys: [] },
) as fc.Arbitrary<Policy>;

/** Without the options that hold undefined. */
const told = (policy: Policy): unknown => JSON.parse(JSON.stringify(policy));

function freezeDeep<T>(value: T): T {
  if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) freezeDeep(each);
  return Object.freeze(value);
}

describe(mergePolicies.name, () => {
  it('gives an empty policy out of none', () => {
    expect(mergePolicies()).toEqual({});
  });

  it.each<[string, readonly Policy[], Policy]>([
    ['the later option wins', [{ deadlineMs: 1 }, { deadlineMs: 2 }], { deadlineMs: 2 }],
    ['options that differ stand side by side', [{ deadlineMs: 1 }, { retry: false }], { deadlineMs: 1, retry: false }],
    [
      'groups merge option by option',
      [{ retry: { maxRetries: 1, timeouts: false } }, { retry: { maxRetries: 2, unsafe: 'always' } }],
      { retry: { maxRetries: 2, timeouts: false, unsafe: 'always' } },
    ],
    [
      'groups within groups do so too',
      [
        { retry: { retryAfter: { maxMs: 1, jitterMs: 1 }, budget: { capacity: 1, ratio: 1 } } },
        { retry: { retryAfter: { maxMs: 2 }, budget: { capacity: 2 } } },
      ],
      { retry: { retryAfter: { maxMs: 2, jitterMs: 1 }, budget: { capacity: 2, ratio: 1 } } },
    ],
    [
      'statuses merge status by status',
      [{ statuses: { 500: 'retry', 502: 'fail' } }, { statuses: { 502: 'retry' } }],
      { statuses: { 500: 'retry', 502: 'retry' } },
    ],
    ['false turns a group off', [{ retry: { maxRetries: 1 } }, { retry: false }], { retry: false }],
    ['an object turns it on again', [{ retry: false }, { retry: { maxRetries: 1 } }], { retry: { maxRetries: 1 } }],
    [
      'false turns the budget off, the rest of retry stays',
      [{ retry: { maxRetries: 1, budget: { capacity: 1 } } }, { retry: { budget: false } }],
      { retry: { maxRetries: 1, budget: false } },
    ],
    [
      'an explicit undefined is no opinion',
      [
        { deadlineMs: 1, retry: { maxRetries: 1, retryAfter: { maxMs: 1 } }, statuses: { 500: 'retry' } },
        {
          deadlineMs: undefined,
          retry: { maxRetries: undefined, retryAfter: { maxMs: undefined } },
          statuses: { 500: undefined },
        },
        { retry: undefined, statuses: undefined },
      ],
      { deadlineMs: 1, retry: { maxRetries: 1, retryAfter: { maxMs: 1 } }, statuses: { 500: 'retry' } },
    ],
    [
      'lists of methods replace each other',
      [{ idempotency: { methods: ['post', 'patch'] } }, { idempotency: { methods: ['put'] } }],
      { idempotency: { methods: ['put'] } },
    ],
    ["the later policy's judges are asked first", [{ classify: [a, b] }, { classify: c }], { classify: [c, a, b] }],
    [
      "the earlier policy's beforeSend runs first",
      [{ beforeSend: a }, {}, { beforeSend: [b, c] }],
      { beforeSend: [a, b, c] },
    ],
    [
      'every listener hears its event, in order',
      [{ on: { sent: a } }, { on: { sent: [b], finished: c } }, { on: { sent: d } }],
      { on: { sent: [a, b, d], finished: [c] } },
    ],
  ])('%s', (_rule, given, merged) => {
    expect(mergePolicies(...given)).toEqual(merged);
  });

  it('keeps a limiter, a backoff and a key as the very same object', () => {
    const limit = new OneAtATime();
    const retry = { backoff: () => 0, budget: { key: () => 'k' } };
    const merged = mergePolicies({ limit }, { retry }, {});
    expect(merged.limit).toBe(limit);
    expect(merged).toMatchObject({ retry });
    expect((merged.retry as typeof retry).backoff).toBe(retry.backoff);
  });

  it('merges the numbers of a limit option by option', () => {
    const first: Policy = { limit: { requests: 50, perMs: 1_000, adaptive: { startConcurrency: 4 } } };
    const merged = mergePolicies(first, { limit: { maxConcurrent: 5, adaptive: { headers: false } } });
    expect(merged.limit).toEqual({
      requests: 50,
      perMs: 1_000,
      maxConcurrent: 5,
      adaptive: { startConcurrency: 4, headers: false },
    });
    expect(mergePolicies(first, { limit: { adaptive: true } }).limit).toMatchObject({ adaptive: true });
  });

  it('lets numbers take the place of a limiter, and a limiter that of numbers', () => {
    const limiter = new OneAtATime();
    const numbers = { maxConcurrent: 5 };
    expect(mergePolicies({ limit: limiter }, { limit: numbers }).limit).toEqual(numbers);
    expect(mergePolicies({ limit: numbers }, { limit: limiter }).limit).toBe(limiter);
  });

  it('takes credentials for one thing: they are neither copied nor merged with options', () => {
    const [first, second] = [credentials({ refresh: async () => {} }), credentials({ refresh: async () => {} })];
    const options = { token: () => 'token', refresh: async () => 'fresh' };
    expect(mergePolicies({ auth: first }, { retry: false }).auth).toBe(first);
    expect(mergePolicies({ auth: first }, { auth: second }).auth).toBe(second);
    expect(mergePolicies({ auth: first }, { auth: options }).auth).toEqual(options);
    expect(mergePolicies({ auth: options }, { auth: first }).auth).toBe(first);
    expect(mergePolicies({ auth: first }, { auth: false }).auth).toBe(false);
  });

  it('lets a later limiter take the place of an earlier one, without merging the two', () => {
    const [first, second] = [new OneAtATime(), new OneAtATime()];
    expect(mergePolicies({ limit: first }, { limit: second }).limit).toBe(second);
    expect(mergePolicies({ limit: first }, { limit: false }).limit).toBe(false);
  });

  it('changes nothing that it is given, and shares no group or list with it', () => {
    const given = [
      freezeDeep({ retry: { budget: { capacity: 1 } }, on: { sent: [a] }, idempotency: { methods: ['post'] } }),
      freezeDeep({ retry: { budget: { ratio: 1 } }, on: { sent: [b] }, classify: [c] }),
    ];
    const merged = mergePolicies(...given) as unknown as {
      retry: { budget: { capacity: number } };
      idempotency: { methods: string[] };
      classify: unknown[];
    };
    merged.retry.budget.capacity = 7;
    merged.idempotency.methods.push('put');
    merged.classify.push(d);
    expect(given[0]).toEqual({
      retry: { budget: { capacity: 1 } },
      on: { sent: [a] },
      idempotency: { methods: ['post'] },
    });
    expect(given[1]).toMatchObject({ classify: [c] });
  });

  it('gives what it can be given again', () => {
    expect(mergePolicies(mergePolicies({ on: { sent: a } }, { on: { sent: b } }), { on: { sent: c } })).toEqual({
      on: { sent: [a, b, c] },
    });
  });

  it('gives no list of listeners to an event that neither names', () => {
    const merged = mergePolicies({ on: { sent: undefined } }, { on: { finished: a } });
    expect(merged).toStrictEqual({ on: { finished: [a] } });
  });

  it('refuses a wrong policy', () => {
    expect(() => mergePolicies({ retry: { maxRetries: -1 } })).toThrow(InvalidPolicyError);
    expect(() => mergePolicies({}, null as unknown as Policy)).toThrow(InvalidPolicyError);
  });

  it('goes from the left, and an empty policy changes nothing', () => {
    fc.assert(
      fc.property(policies, policies, policies, (x, y, z) => {
        expect(told(mergePolicies(x, y, z))).toEqual(told(mergePolicies(mergePolicies(x, y), z)));
        expect(told(mergePolicies(x, {}))).toEqual(told(mergePolicies(x)));
        expect(told(mergePolicies({}, x))).toEqual(told(mergePolicies(x)));
      }),
    );
  });
});
