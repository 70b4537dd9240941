import axios, { type AxiosAdapter } from 'axios';
import { CircuitOpenError, failureOf, LimitError, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, next, runThrough, until } from '../support/by-hand.ts';
import { reset, silent } from '../support/faults.ts';
import { Noted } from '../support/limiters.ts';
import type { Answer } from '../support/loopback.ts';

const breaker = { minimumThroughput: 4, openMs: 5_000 };
/** No retries, so that a call is a send. */
const once: Policy = { breaker, retry: false };

async function fail(client: { get(path: string): Promise<unknown> }, count: number): Promise<void> {
  for (let i = 0; i < count; i++) await rejectionOf(client.get('/'));
}

describe.each(ADAPTERS)('a circuit, over %s', (adapter) => {
  it('opens on failures, ends calls at once and says until when, and closes after a probe that is answered', async () => {
    let answer: Answer = status(503);
    const { client, clock, holdfast, server } = await byHand((...about) => answer(...about), once, { adapter });
    const events: unknown[] = [];
    holdfast.on('circuit-opened', ({ key, retryAt }) => events.push(['opened', key, retryAt - clock.now()]));
    holdfast.on('circuit-closed', ({ key }) => events.push(['closed', key]));
    await fail(client, 4);
    expect(events).toEqual([['opened', server.url, 5_000]]);
    expect(holdfast.stats().open).toEqual([server.url]);

    const refused = await rejectionOf(client.get('/'));
    expect(refused).toBeInstanceOf(CircuitOpenError);
    expect(refused).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', retryAt: clock.now() + 5_000 });
    expect(failureOf(refused)).toMatchObject({ kind: 'circuit-open', endedBecause: 'circuit-open', sends: 0 });
    expect(failureOf(refused)?.summary).toContain('the circuit is open');
    expect(server.seen).toHaveLength(4);

    await clock.advance(5_000);
    await fail(client, 2);
    expect(server.seen).toHaveLength(5);
    expect(events.splice(1)).toEqual([['opened', server.url, 5_000]]);

    await clock.advance(5_000);
    answer = status(200);
    await client.get('/');
    await client.get('/');
    expect(server.seen).toHaveLength(7);
    expect(events).toEqual([
      ['opened', server.url, 5_000],
      ['closed', server.url],
    ]);
    expect(holdfast.stats().open).toEqual([]);
  });

  it('opens when connections are lost', async () => {
    const { client, holdfast, server } = await byHand(reset, once, { adapter });
    await fail(client, 6);
    expect(server.seen).toHaveLength(4);
    expect(holdfast.stats().open).toEqual([server.url]);
  });
});

describe('a circuit', () => {
  it.each([400, 401, 404, 408, 409, 429, 499, 501, 505])('takes %i for an answer', async (code) => {
    const { client, holdfast, server } = await byHand(status(code), once);
    await fail(client, 10);
    expect(server.seen).toHaveLength(10);
    expect(holdfast.stats().open).toEqual([]);
  });

  it.each([500, 502, 503, 504, 507, 520, 529])('takes %i for a failure', async (code) => {
    const { client, holdfast, server } = await byHand(status(code), once);
    await fail(client, 10);
    expect(server.seen).toHaveLength(4);
    expect(holdfast.stats().open).toEqual([server.url]);
  });

  it.each([401, 404])('is closed by a probe that is answered %i, and not by one that is answered 500', async (code) => {
    const { client, clock, holdfast, server } = await byHand(
      inTurn(status(503), status(503), status(503), status(503), status(500), status(code)),
      once,
    );
    await fail(client, 4);
    await clock.advance(5_000);
    await fail(client, 2);
    expect(holdfast.stats().open).toEqual([server.url]);
    await clock.advance(5_000);
    await fail(client, 1);
    expect(holdfast.stats().open).toEqual([]);
  });

  it('stops a retry that would find it open, with the answer that there is', async () => {
    const setting = await byHand(status(503), { breaker, retry: { backoff: () => 0, maxRetries: 10 } });
    runThrough(setting);
    const { client, server } = setting;
    const failure = failureOf(await axiosErrorOf(client.get('/')));
    expect(failure).toMatchObject({ status: 503, kind: 'unavailable', endedBecause: 'circuit-open', sends: 4 });
    expect(server.seen).toHaveLength(4);
  });

  it('stops a call that waits for its retry while others open it', async () => {
    const setting = await byHand(status(503), { breaker, retry: { backoff: () => 1_000 } });
    const { client, clock, holdfast, server } = setting;
    const scheduled = next(holdfast, 'retry-scheduled');
    const waiting = axiosErrorOf(client.get('/'));
    await scheduled;
    await fail({ get: (path) => client.get(path, { holdfast: { retry: false } }) }, 3);
    await clock.advance(1_000);
    expect(failureOf(await waiting)).toMatchObject({ status: 503, endedBecause: 'circuit-open', sends: 1 });
    expect(server.seen).toHaveLength(4);
  });

  it.each(['circuit', 'limiter'])(
    'leaves nothing of a stream that was drained for a retry which the %s stops',
    async (by) => {
      let given = 0;
      const limit = new Noted((_request, permit) =>
        by === 'limiter' && given++ > 0 ? Promise.reject(new LimitError('ERR_LIMIT_QUEUE_FULL', 'full')) : permit(),
      );
      const setting = await byHand(status(503, {}, 'x'.repeat(100)), {
        breaker,
        limit,
        retry: { backoff: () => 1_000 },
      });
      const { client, clock, holdfast } = setting;
      const scheduled = next(holdfast, 'retry-scheduled');
      const waiting = axiosErrorOf(client.get('/', { responseType: 'stream' }));
      await scheduled;
      const others = { limit: false, retry: false } as const;
      if (by === 'circuit') await fail({ get: (path) => client.get(path, { holdfast: others }) }, 3);
      // Until the drain has ended: only then is the wait over.
      let ended = false;
      void waiting.then(() => (ended = true));
      await until(() => {
        void clock.advance(1_000);
        return ended;
      });
      const error = await waiting;
      expect(failureOf(error)).toMatchObject({ status: 503, sends: 1 });
      expect(error.response?.data).toMatchObject({ destroyed: true });
    },
  );

  it('lets a retry be the probe that comes late enough', async () => {
    const answer = inTurn(status(503), status(503), status(503), status(503), status(200));
    const setting = await byHand(answer, { breaker, retry: { backoff: () => 2_000, maxRetries: 3 } });
    runThrough(setting);
    await fail({ get: (path) => setting.client.get(path, { holdfast: { retry: false } }) }, 3);
    const response = await setting.client.get('/', { holdfast: { retry: { backoff: () => 5_000 } } });
    expect(reportOf(response)?.sends).toHaveLength(2);
    expect(setting.holdfast.stats().open).toEqual([]);
  });

  it('asks for no permit for whoever is refused at once', async () => {
    const limit = new Noted();
    const { client, server } = await byHand(status(503), { ...once, limit });
    await fail(client, 6);
    expect(server.seen).toHaveLength(4);
    expect(limit).toMatchObject({ given: 4, running: 0 });
  });

  it('refuses who has got a permit too late, and hands it back', async () => {
    let grant = () => {};
    const limit = new Noted((_request, permit) => new Promise((resolve) => (grant = () => resolve(permit()))));
    const { client, holdfast, server } = await byHand(status(503), { ...once, limit: false });
    const late = rejectionOf(client.get('/', { holdfast: { limit } }));
    await until(() => holdfast.stats().queued === 1);
    await fail(client, 4);
    grant();
    expect(await late).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
    expect(limit.running).toBe(0);
    expect(server.seen).toHaveLength(4);
  });

  it('goes on probing when the probe is cancelled, or never leaves', async () => {
    let answer: Answer = status(503);
    const { client, clock, server } = await byHand((...about) => answer(...about), once);
    await fail(client, 4);
    await clock.advance(5_000);
    answer = silent;
    const controller = new AbortController();
    const probe = rejectionOf(client.get('/', { signal: controller.signal }));
    await until(() => server.seen.length === 5);
    controller.abort();
    await probe;
    const thrown = new Error('thrown');
    const throwing = () => {
      throw thrown;
    };
    expect(await rejectionOf(client.get('/', { holdfast: { beforeSend: throwing } }))).toBe(thrown);
    answer = status(200);
    expect((await client.get('/')).status).toBe(200);
  });

  it('closes again where every send needs a call through it first', async () => {
    let answer: Answer = status(503);
    for (const own of ['beforeSend', 'adapter'] as const) {
      answer = status(503);
      const setting = await byHand((...about) => answer(...about), once);
      const { client, clock, holdfast } = setting;
      const nonce = () => client.get('/nonce', { adapter: 'http' });
      const plain = axios.getAdapter('http');
      const policy: Policy = {
        beforeSend: async ({ config }) => {
          if (own === 'beforeSend' && config.url !== '/nonce') await nonce();
        },
      };
      const adapter: AxiosAdapter | undefined =
        own === 'adapter'
          ? async (config) => {
              await nonce();
              return plain(config);
            }
          : undefined;
      const call = () => client.get('/order', { holdfast: policy, ...(adapter && { adapter }) });
      for (let i = 0; i < 6; i++) await rejectionOf(call());
      expect(holdfast.stats().open).toHaveLength(1);
      answer = status(200);
      await clock.advance(5_000);
      expect((await call()).status).toBe(200);
      expect(holdfast.stats().open).toEqual([]);
    }
  });

  it('opens when calls are cut off by AbortSignal.timeout()', async () => {
    const { client, holdfast } = await byHand(silent, once);
    for (let i = 0; i < 4; i++) await rejectionOf(client.get('/', { signal: AbortSignal.timeout(20) }));
    expect(holdfast.stats().open).toHaveLength(1);
  });

  it('gives back to the budget what a retry would have cost that it does not let out', async () => {
    const setting = await byHand(status(503), { breaker, retry: { backoff: () => 1_000 } });
    const { client, clock, holdfast, server } = setting;
    const scheduled = next(holdfast, 'retry-scheduled');
    const waiting = axiosErrorOf(client.get('/'));
    await scheduled;
    expect(holdfast.stats().budget[server.url]).toBe(2_086);
    await fail({ get: (path) => client.get(path, { holdfast: { retry: false } }) }, 3);
    await clock.advance(1_000);
    await waiting;
    expect(holdfast.stats().budget[server.url]).toBe(2_100);
  });

  it('tells of the answer first, and then of what it turned the circuit to', async () => {
    const { client, holdfast } = await byHand(status(503), { breaker: { minimumThroughput: 1 }, retry: false });
    const heard: string[] = [];
    for (const name of ['answered', 'circuit-opened', 'finished'] as const) holdfast.on(name, () => heard.push(name));
    await rejectionOf(client.get('/'));
    expect(heard).toEqual(['answered', 'circuit-opened', 'finished']);
  });

  it.each(['breaker', 'retry'])('has a string for its key, and so has the budget: %s', async (group) => {
    const key = async () => 'x';
    const policy = group === 'breaker' ? { breaker: { key } } : { retry: { budget: { key } } };
    const { client } = await byHand(status(200), policy as unknown as Policy);
    expect(await rejectionOf(client.get('/'))).toMatchObject({
      message: expect.stringMatching(/key must return a string/),
    });
  });

  it('is one per key', async () => {
    const { client, holdfast } = await byHand(
      ({ url }, response, n) => status(url === '/ill' ? 503 : 200)({} as never, response, n),
      {
        ...once,
        breaker: { ...breaker, key: ({ url }) => String(url) },
      },
    );
    await fail({ get: () => client.get('/ill') }, 5);
    expect((await client.get('/well')).status).toBe(200);
    expect(holdfast.stats().open).toEqual(['/ill']);
  });

  it('learns nothing from what never reached the server', async () => {
    const { client, holdfast } = await byHand(status(200), once);
    const broken: AxiosAdapter = () => Promise.reject(new TypeError('no such scheme'));
    for (let i = 0; i < 10; i++) await rejectionOf(client.get('/', { adapter: broken }));
    expect(holdfast.stats().open).toEqual([]);
  });

  it('learns that the server is well from a deadline which isFailure calls none', async () => {
    const policy: Policy = { breaker: { ...breaker, isFailure: () => false }, retry: false, deadlineMs: 1_000 };
    const { client, clock, holdfast, server } = await byHand(silent, policy);
    for (let i = 1; i <= 6; i++) {
      const ended = rejectionOf(client.get('/'));
      await until(() => server.seen.length === i);
      await clock.advance(1_000);
      await ended;
    }
    expect(holdfast.stats().open).toEqual([]);
  });

  it('is off by default, and for a call that says so', async () => {
    const { client, server } = await byHand(status(503), { retry: false });
    await fail(client, 30);
    expect(server.seen).toHaveLength(30);
    const other = await byHand(status(503), once);
    await fail({ get: (path) => other.client.get(path, { holdfast: { breaker: false } }) }, 10);
    expect(other.server.seen).toHaveLength(10);
  });
});
