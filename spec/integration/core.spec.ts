import axios from 'axios';
import * as everything from 'axios-holdfast';
import * as core from 'axios-holdfast/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';

const fast = { retry: { backoff: () => 0 } };

async function clientOf(answer: Answer) {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  return { server, client: axios.create({ baseURL: server.url }) };
}

async function attached(answer: Answer, policy: core.Policy = {}) {
  const made = await clientOf(answer);
  return { ...made, holdfast: core.attach(made.client, core.mergePolicies(fast, policy)) };
}

/** Lets one call in with that token, and no other. */
const behind =
  (token: () => string): Answer =>
  (request, response, n) =>
    status(request.headers.authorization === `Bearer ${token()}` ? 200 : 401)(request, response, n);

describe('core', () => {
  it('retries, and explains what became of it', async () => {
    const { client, server } = await attached(inTurn(status(503), status(503), status(200)));
    const response = await client.get('/');
    expect(core.reportOf(response)).toMatchObject({ endedBecause: 'success', sends: [{}, {}, {}] });
    expect(server.seen).toHaveLength(3);
  });

  it('takes a limiter as a value, under which a call may say where it goes', async () => {
    const limit = core.localLimiter({ requests: 1, perMs: 60_000 });
    onTestFinished(() => limit.close());
    const { client, holdfast } = await attached(status(200), { limit });
    await client.get('/');
    const late = client.get('/', { holdfast: { limit: { maxWaitMs: 1 } } });
    expect(core.failureOf(await rejectionOf(late))).toMatchObject({ kind: 'limited', code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    expect((await client.get('/', { holdfast: { limit: { key: () => 'another' } } })).status).toBe(200);
    expect((await client.get('/', { holdfast: { limit: false } })).status).toBe(200);
    const numbers = client.get('/', { holdfast: { limit: { requests: 5, perMs: 1 } } });
    expect(await rejectionOf(numbers)).toMatchObject({ code: 'ERR_POLICY_INVALID' });
    await holdfast.close();
  });

  it('takes several limiters', async () => {
    const [all, each] = [core.localLimiter({ maxConcurrent: 5 }), core.localLimiter({ requests: 1, perMs: 60_000 })];
    const { client } = await attached(status(200), { limit: [all, each] });
    await client.get('/');
    const late = client.get('/', { holdfast: { limit: { maxWaitMs: 1 } } });
    expect(core.failureOf(await rejectionOf(late))).toMatchObject({ kind: 'limited' });
  });

  it('takes credentials as a value: one refresh for many calls', async () => {
    let current = 'old';
    let refreshes = 0;
    const auth = core.credentials({
      token: () => 'old',
      refresh: async () => {
        refreshes += 1;
        current = 'new';
        return current;
      },
    });
    current = 'new';
    const { client } = await attached(
      behind(() => current),
      { auth },
    );
    const answers = await Promise.all(Array.from({ length: 20 }, () => client.get('/')));
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    expect(refreshes).toBe(1);
  });

  it('takes a circuit breaker as a value', async () => {
    const breaker = core.circuitBreaker({ minimumThroughput: 2, failureRatio: 1 });
    const { client, holdfast } = await attached(status(503), { breaker, retry: { maxRetries: 1 } });
    await rejectionOf(client.get('/'));
    expect(core.failureOf(await rejectionOf(client.get('/')))).toMatchObject({ kind: 'circuit-open', sends: 0 });
    expect(holdfast.stats().open).toEqual(breaker.open());
  });

  it('lets a call bring what the attachment has not', async () => {
    const { client } = await attached(status(200));
    const limit = core.localLimiter({ requests: 1, perMs: 60_000 });
    onTestFinished(() => limit.close());
    for (const holdfast of [{ limit }, core.preparePolicy({ limit })]) {
      const [first, second] = await Promise.allSettled(
        [0, 1].map(() => client.get('/', { holdfast, signal: AbortSignal.timeout(300) })),
      );
      expect([first?.status, second?.status]).toContain('rejected');
    }
  });

  it.each([
    ['limit', { requests: 5, perMs: 1_000 }, 'localLimiter({…})'],
    ['limit', [{ requests: 5, perMs: 1_000 }], 'localLimiter({…})'],
    ['auth', { refresh: async () => 't' }, 'credentials({…})'],
    ['breaker', {}, 'circuitBreaker({…})'],
  ])('refuses plain options of %s, and names what to make of them: %j', async (name, options, maker) => {
    const { client } = await clientOf(status(200));
    const policy = { [name]: options };
    const message = `core takes \`${name}\` as a value: ${maker}`;
    for (const use of [core.attach.bind(undefined, client), core.mergePolicies, core.preparePolicy]) {
      expect(() => use(policy)).toThrow(message);
    }
    core.attach(client);
    const refused = await rejectionOf(client.get('/', { holdfast: policy }));
    expect(refused).toMatchObject({ problems: [{ path: name, message }] });
  });

  it('refuses a value in the place of another', async () => {
    const { client } = await clientOf(status(200));
    expect(() => core.attach(client, { breaker: core.localLimiter({}) as never })).toThrow(/circuitBreaker/);
  });

  it('takes what the main entry has made, and gives it what core has made', async () => {
    const answers = { refresh: async () => 't', token: () => 't', origins: 'any' } as const;
    for (const [made, used] of [
      [core, everything],
      [everything, core],
    ] as const) {
      const { client } = await clientOf(status(200));
      const policy = made.mergePolicies({
        limit: made.localLimiter({ maxConcurrent: 1 }),
        auth: made.credentials(answers),
        breaker: made.circuitBreaker(),
      });
      used.attach(client, policy);
      expect((await client.get('/')).status).toBe(200);
    }
  });

  it('has the names of the main entry but for its presets', () => {
    const missing = Object.keys(everything).filter((name) => !(name in core));
    expect(missing).toEqual(['partnerApi']);
    expect(Object.keys(core).filter((name) => !(name in everything))).toEqual([]);
  });
});
