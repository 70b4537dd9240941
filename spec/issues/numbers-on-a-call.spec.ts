import { InvalidPolicyError, localLimiter, mergePolicies, partnerApi } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Policy } from '../../lib/policy/options.ts';
import { attached, rejectionOf, status } from '../support/attached.ts';

/**
 * A call that named numbers of its own had a limit, a budget and circuits of its own: it went round those of all others, one for each
 * set of numbers, and they piled up.
 */

const FULL: Policy = {
  limit: {
    requests: 1_000,
    perMs: 1_000,
    burst: 100,
    windows: [{ requests: 1e6, perMs: 3_600_000, burst: 1e6 }],
    adaptive: { headers: false },
  },
  retry: { budget: { capacity: 50, transientCost: 3 } },
  breaker: { windowMs: 5_000, isFailure: () => undefined },
  deadlineMs: 60_000,
};

const ATTACHED: readonly [string, Policy][] = [
  ['nothing of the kind', {}],
  ['numbers', FULL],
  ['all of it off', { limit: false, breaker: false, retry: { budget: false } }],
];

describe.each(ATTACHED)('with %s attached', (_what, policy) => {
  it.each<[string, Policy]>([
    ['limit.requests', { limit: { requests: 5, perMs: 1_000 } }],
    ['limit.windows', { limit: { windows: [{ requests: 5, perMs: 1_000 }] } }],
    ['limit.maxConcurrent', { limit: { maxConcurrent: 1 } }],
    ['limit.adaptive', { limit: { adaptive: true } }],
    ['retry.budget.capacity', { retry: { budget: { capacity: 1 } } }],
    ['breaker.minimumThroughput', { breaker: { minimumThroughput: 1 } }],
  ])('a call is refused that names numbers, and told what to do instead: %s', async (path, own) => {
    const { client, server } = await attached(status(200), policy);
    const error = await rejectionOf(client.get('/', { holdfast: own }));
    expect(error).toBeInstanceOf(InvalidPolicyError);
    const { message, problems } = error as InvalidPolicyError;
    expect(problems[0]?.path).toBe(path);
    expect(message).toMatch(path.startsWith('limit') ? /make a localLimiter once/ : /give (it|them) to attach/);
    expect(server.seen).toHaveLength(0);
  });

  it.each<[string, Policy]>([
    ['false', { limit: false, breaker: false, retry: { budget: false } }],
    ['nothing but what is turned on', { limit: {}, breaker: {}, retry: { budget: {} } }],
    ['who goes where', { limit: { key: () => 'k', priority: () => 1, maxWaitMs: 10 }, breaker: { key: () => 'k' } }],
    [
      'whose budget, and what is a failure',
      { retry: { budget: { key: () => 'k' } }, breaker: { isFailure: () => false } },
    ],
  ])('a call may say %s', async (_what, own) => {
    const { client } = await attached(status(200), policy);
    expect((await client.get('/', { holdfast: own })).status).toBe(200);
  });

  it('a call may have a Limiter of its own', async () => {
    const limit = localLimiter({ requests: 5, perMs: 1_000 });
    onTestFinished(() => limit.close());
    const { client } = await attached(status(200), policy);
    await client.get('/', { holdfast: { limit } });
    expect(limit.stats()).toMatchObject({ running: 0 });
  });

  it('the attached policy may be laid over itself, as it was written, as it was resolved, and merged with more', async () => {
    const { client, holdfast } = await attached(status(200), policy);
    for (const own of [policy, holdfast.policy, mergePolicies(policy, { deadlineMs: 5_000 })]) {
      expect((await client.get('/', { holdfast: own })).status).toBe(200);
    }
  });
});

it('calls share the one budget, limiter and circuits of their attachment, whatever else they say', async () => {
  const { client, holdfast } = await attached(status(503), {
    retry: { maxRetries: 1 },
    breaker: { minimumThroughput: 2 },
  });
  await rejectionOf(client.get('/', { holdfast: { breaker: {}, retry: { budget: {} } } }));
  const { budget, open } = holdfast.stats();
  expect(Object.keys(budget)).toEqual(open);
  expect(open).toHaveLength(1);
});

it('a preset may be laid over the attached one', async () => {
  const preset = partnerApi();
  const { client } = await attached(status(200), preset);
  expect((await client.get('/', { holdfast: preset })).status).toBe(200);
});
