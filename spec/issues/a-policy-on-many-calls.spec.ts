import axios from 'axios';
import old from 'axios-1.7';
import { attach, InvalidPolicyError, localLimiter, type Policy, preparePolicy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { Guarded } from '../support/guarded.ts';
import { OneAtATime } from '../support/limiter.ts';
import { type Answer, loopback } from '../support/loopback.ts';

/**
 * A policy of a call's own was checked and laid over the attached one anew for each call, which took longer than axios itself. Prepared, it
 * is laid over once; plain, as often as it changes.
 */

const COPIES: readonly (readonly [string, typeof axios])[] = [
  ['this axios', axios],
  // Its typings do not fit, though it has what the tests use.
  ['axios 1.7', old as unknown as typeof axios],
];

async function serving(copy: typeof axios, answer: Answer, policy: Policy = {}, defaults: object = {}) {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  const client = copy.create({ baseURL: server.url, ...defaults });
  const holdfast = attach(client, policy);
  onTestFinished(() => holdfast.close());
  return { server, client, holdfast };
}

/** As the program that imports and requires this package has it. */
async function secondCopy(): Promise<typeof import('axios-holdfast')> {
  vi.resetModules();
  return import('axios-holdfast');
}

const FAST = { retry: { backoff: () => 0, maxRetries: 1 } } satisfies Policy;

describe.each(COPIES)('of %s', (_name, copy) => {
  it('a prepared policy is laid over the attached one, on every call that has it', async () => {
    const heard: string[] = [];
    const { server, client } = await serving(copy, status(503), {
      ...FAST,
      on: { finished: ({ report }) => heard.push(`attached: ${report.sends.length}`) },
    });
    const thrice = preparePolicy({
      retry: { maxRetries: 2 },
      on: { finished: ({ report }) => heard.push(`prepared: ${report.sends.length}`) },
    });
    for (let call = 0; call < 2; call++) await rejectionOf(client.get('/', { holdfast: thrice }));
    await rejectionOf(client.get('/'));
    expect(server.seen).toHaveLength(3 + 3 + 2);
    expect(heard).toEqual(['attached: 3', 'prepared: 3', 'attached: 3', 'prepared: 3', 'attached: 2']);
  });

  it('a prepared policy may be a default of the instance; a call of its own wins, and false too', async () => {
    const { server, client } = await serving(copy, status(503), FAST, {
      holdfast: preparePolicy({ retry: { maxRetries: 3 } }),
    });
    const sends = async (config?: object) => {
      const before = server.seen.length;
      await rejectionOf(client.get('/', config));
      return server.seen.length - before;
    };
    expect(await sends()).toBe(4);
    expect(await sends({ holdfast: preparePolicy({ retry: { maxRetries: 0 } }) })).toBe(1);
    expect(await sends({ holdfast: { retry: { maxRetries: 2 } } })).toBe(3);
    expect(await sends({ holdfast: false })).toBe(1);
  });

  it('a prepared policy brings its limiter, even one written as a plain object, and its judge', async () => {
    const { client } = await serving(copy, status(409), FAST);
    const [limiter, judged] = [new OneAtATime(), vi.fn(() => undefined)];
    const plain = {
      given: 0,
      acquire() {
        this.given += 1;
        return limiter.acquire();
      },
      pause: () => {},
      close: async () => {},
      stats: () => limiter.stats(),
    };
    for (const limit of [limiter, plain]) {
      const prepared = preparePolicy({ limit, classify: judged });
      for (let call = 0; call < 3; call++) await rejectionOf(client.get('/', { holdfast: prepared }));
    }
    expect([limiter.given, plain.given, judged.mock.calls.length]).toEqual([6, 3, 6]);
  });

  it('each call gets what its own plain policy says, though another was alike', async () => {
    const { server, client } = await serving(copy, status(503), FAST);
    for (const maxRetries of [0, 2, 0, 2, 2, 1]) {
      const before = server.seen.length;
      await rejectionOf(client.get('/', { holdfast: { retry: { maxRetries } } }));
      expect(server.seen.length - before).toBe(maxRetries + 1);
    }
  });

  it('each call asks its own function, though another had the same place in a policy', async () => {
    const { client } = await serving(copy, status(200), { limit: {} });
    const asked: number[] = [];
    const call = (n: number) =>
      client.get('/', {
        holdfast: {
          limit: {
            key: () => {
              asked.push(n);
              return 'one';
            },
          },
        },
      });
    for (const n of [1, 2, 3]) await call(n);
    expect([...new Set(asked)]).toEqual([1, 2, 3]);
  });

  it('a wrong one is refused at every call, and the next call is none the worse', async () => {
    const { server, client } = await serving(copy, status(200), { limit: localLimiter({ maxConcurrent: 4 }) });
    const numbers = preparePolicy({ limit: { maxConcurrent: 1 } });
    for (let call = 0; call < 2; call++) {
      for (const holdfast of [numbers, { deadlineMs: -1 }, { limit: { maxConcurrent: 1 } }]) {
        expect(await rejectionOf(client.get('/', { holdfast }))).toBeInstanceOf(InvalidPolicyError);
      }
      await client.get('/', { holdfast: { deadlineMs: 60_000 } });
    }
    expect(server.seen).toHaveLength(2);
  });
});

it('one prepared policy means to each attachment what it is laid over', async () => {
  const off = preparePolicy({ statuses: { 503: 'retry' } });
  const [patient, hasty] = [
    await attached(status(503), { retry: { maxRetries: 2 } }),
    await attached(status(503), { retry: false }),
  ];
  for (const { client } of [patient, hasty, patient]) await rejectionOf(client.get('/', { holdfast: off }));
  expect([patient.server.seen.length, hasty.server.seen.length]).toEqual([6, 1]);
});

it('a second copy of the package takes a policy that the first has prepared', async () => {
  const prepared = preparePolicy({ retry: { backoff: () => 0, maxRetries: 2 } });
  const copy = await secondCopy();
  expect(copy.preparePolicy).not.toBe(preparePolicy);
  const server = await loopback(status(503));
  onTestFinished(() => server.close());
  const client = axios.create({ baseURL: server.url });
  const first = copy.attach(client, FAST);
  await rejectionOf(client.get('/', { holdfast: prepared }));
  expect(server.seen).toHaveLength(3);
  first.detach();
  const second = copy.attach(client, prepared);
  expect(second.policy.retry).toMatchObject({ maxRetries: 2 });
  expect(copy.mergePolicies(prepared, { deadlineMs: 5 })).toMatchObject({ deadlineMs: 5, retry: { maxRetries: 2 } });
});

it('attachments that are given one prepared policy share a session, and so with the plain one', async () => {
  const guarded = new Guarded();
  const server = await loopback(guarded.answer);
  onTestFinished(() => server.close());
  const { auth } = guarded;
  guarded.valid.clear();
  const prepared = preparePolicy({ auth });
  const clients = [prepared, prepared, { auth }, preparePolicy({ auth })].map((policy) => {
    const client = axios.create({ baseURL: server.url });
    const { close } = attach(client, policy);
    onTestFinished(() => close());
    return client;
  });
  await Promise.all(clients.map((client) => client.get('/x')));
  expect(guarded.refreshes).toHaveLength(1);
});

it('a call whose answer came may be made again with the policy that its config has', async () => {
  const { client, server } = await attached(inTurn(status(200), status(503), status(200)), {
    retry: { maxRetries: 0 },
  });
  const holdfast = preparePolicy({ retry: { maxRetries: 1 } });
  const { config } = await client.get('/', { holdfast });
  expect(config.holdfast).toBe(holdfast);
  expect((await client.request(config)).status).toBe(200);
  expect(server.seen).toHaveLength(3);
});
