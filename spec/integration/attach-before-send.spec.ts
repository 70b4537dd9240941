import { type Call, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { OneAtATime } from '../support/limiter.ts';

type BeforeSend = Extract<NonNullable<Policy['beforeSend']>, (...args: never[]) => unknown>;

const RECOVERS = inTurn(status(503), status(503), status(200));

describe.each(ADAPTERS)('beforeSend, with the %s adapter', (adapter) => {
  const serving = (beforeSend: Policy['beforeSend'], answer = RECOVERS) =>
    attached(answer, { retry: { budget: false }, beforeSend }, { adapter });

  it('changes the headers, the URL, the parameters and the body of each send, on a copy of its own', async () => {
    const { server, client } = await serving(({ config, send }) => {
      config.headers.set('X-Trail', `${config.headers.get('X-Trail') ?? ''}${send}`);
      config.url = `${config.url}/${send}`;
      config.params.n = send;
      config.data = `${config.data}${send}`;
    });
    const params = { q: 1 };
    const response = await client.put('/x', 'body', { params, headers: { 'X-Trail': 'caller' } });
    expect(server.seen.map(({ url, body, headers }) => [url, String(body), headers['x-trail']])).toEqual([
      ['/x/1?q=1&n=1', 'body1', 'caller1'],
      ['/x/2?q=1&n=2', 'body2', 'caller2'],
      ['/x/3?q=1&n=3', 'body3', 'caller3'],
    ]);
    expect(response.config).toMatchObject({ url: '/x', data: 'body' });
    expect(response.config.params).toEqual({ q: 1 });
    expect(response.config.headers.get('X-Trail')).toBe('caller');
    expect(params).toEqual({ q: 1 });
  });

  it("has URLSearchParams of its own each time, and not the caller's", async () => {
    const { server, client } = await serving(({ config, send }) => config.params.append('n', String(send)));
    const params = new URLSearchParams({ q: '1' });
    await client.get('/x', { params });
    expect(server.seen.map(({ url }) => url)).toEqual(['/x?q=1&n=1', '/x?q=1&n=2', '/x?q=1&n=3']);
    expect(String(params)).toBe('q=1');
  });

  it('may send elsewhere', async () => {
    const other = await attached(status(200, {}, { from: 'other' }));
    const { server, client } = await serving(({ config, send }) => {
      if (send === 2) config.baseURL = other.server.url;
    });
    const response = await client.get('/x');
    expect(response.data).toEqual({ from: 'other' });
    expect([server.seen.length, other.server.seen.length]).toEqual([1, 1]);
    expect(response.config.baseURL).toBe(server.url);
  });

  it('leaves a config behind that starts again from the beginning', async () => {
    const { server, client } = await serving(({ config, send }) => {
      config.url = `/x/${send}`;
    }, status(503));
    const { config } = await axiosErrorOf(client.get('/x'));
    await axiosErrorOf(client.request(config ?? {}));
    expect(server.seen.map(({ url }) => url)).toEqual([1, 2, 3, 4, 1, 2, 3, 4].map((send) => `/x/${send}`));
  });

  it('is awaited before the send leaves', async () => {
    let sign: (signature: string) => void = () => {};
    const { server, client, holdfast } = await serving(async ({ config }) => {
      const signature = new Promise<string>((resolve) => {
        sign = resolve;
      });
      config.headers.set('X-Signature', await signature);
    }, status(200));
    const call = client.get('/x');
    await vi.waitFor(() => expect(holdfast.stats().calls).toBe(1));
    expect(holdfast.stats().sends).toBe(0);
    sign('signed');
    await call;
    expect(server.seen.map(({ headers }) => headers['x-signature'])).toEqual(['signed']);
  });

  it("runs the policy's own first and then the call's, each after the one before has ended", async () => {
    const log: string[] = [];
    const note =
      (name: string): BeforeSend =>
      async () => {
        log.push(`${name} begins`);
        await null;
        log.push(`${name} ends`);
      };
    const { client } = await serving([note('a'), note('b')], status(200));
    await client.get('/x', { holdfast: { beforeSend: note('c') } });
    expect(log).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('is told which send of which call it is, by one frozen argument', async () => {
    const told: { send: number; call: Call; frozen: boolean }[] = [];
    const { client } = await serving((argument) => {
      const { send, call } = argument;
      told.push({ send, call, frozen: Object.isFrozen(argument) && Object.isFrozen(call) });
    });
    await client.put('/x?secret=1');
    expect(told.map(({ send }) => send)).toEqual([1, 2, 3]);
    expect(told.map(({ call }) => [call.sends, call.retries])).toEqual([
      [0, 0],
      [1, 0],
      [2, 1],
    ]);
    expect(new Set(told.map(({ call }) => call.id)).size).toBe(1);
    expect(told[0]?.call).toMatchObject({ method: 'PUT', url: expect.stringMatching(/\/x$/) });
    expect(told.every(({ frozen }) => frozen)).toBe(true);
  });

  it('sees the idempotency key, so that a signature may cover it', async () => {
    const keys: unknown[] = [];
    const { server, client } = await attached(
      RECOVERS,
      {
        idempotency: { generate: () => 'key-1' },
        beforeSend: ({ config }) => void keys.push(config.headers.get('Idempotency-Key')),
      },
      { adapter },
    );
    await client.post('/x', {});
    expect(keys).toEqual(['key-1', 'key-1', 'key-1']);
    expect(server.seen.map(({ headers }) => headers['idempotency-key'])).toEqual(keys);
  });
});

describe('a beforeSend that throws', () => {
  const thrown = new Error('no signature');
  const WAYS: readonly (readonly [name: string, beforeSend: BeforeSend])[] = [
    [
      'at once',
      () => {
        throw thrown;
      },
    ],
    ['later', async () => Promise.reject(thrown)],
  ];

  it.each(WAYS)('%s rejects the call with what it threw, and nothing is sent', async (_, beforeSend) => {
    const limit = new OneAtATime();
    const { server, client, holdfast } = await attached(status(200), { beforeSend, limit });
    const finished: unknown[] = [];
    holdfast.on('finished', ({ endedBecause, report }) => finished.push({ endedBecause, sends: report.sends }));
    expect(await rejectionOf(client.get('/x'))).toBe(thrown);
    expect(server.seen).toHaveLength(0);
    expect(holdfast.stats()).toMatchObject({ calls: 1, sends: 0, inFlight: 0, queued: 0, waiting: 0 });
    expect(finished).toEqual([{ endedBecause: 'not-retryable', sends: [] }]);
    expect(limit).toMatchObject({ given: 1 });
    expect(limit.stats()).toEqual({ queued: 0, running: 0 });
  });

  it.each(WAYS)('%s, but only before the second send, leaves it at one', async (_, beforeSend) => {
    const limit = new OneAtATime();
    const onlyTheSecond: BeforeSend = (argument) => (argument.send === 2 ? beforeSend(argument) : undefined);
    const { server, client, holdfast } = await attached(status(503), { beforeSend: onlyTheSecond, limit });
    expect(await rejectionOf(client.get('/x'))).toBe(thrown);
    expect(server.seen).toHaveLength(1);
    expect(holdfast.stats()).toMatchObject({ calls: 1, sends: 1, retries: 0, inFlight: 0, waiting: 0 });
    expect(limit.stats()).toEqual({ queued: 0, running: 0 });
  });

  it('anything but an Error rejects with just that', async () => {
    for (const odd of ['text', undefined, null, 0]) {
      const { server, client, holdfast } = await attached(status(200), { beforeSend: () => Promise.reject(odd) });
      expect(await rejectionOf(client.get('/x'))).toBe(odd);
      expect(server.seen).toHaveLength(0);
      expect(holdfast.stats().inFlight).toBe(0);
    }
  });

  it('does not disturb the other calls', async () => {
    const { client, holdfast } = await attached(status(200), {
      beforeSend: ({ config }) => {
        if (config.url === '/bad') throw thrown;
      },
    });
    const settled = await Promise.allSettled([client.get('/good'), client.get('/bad'), client.get('/good')]);
    expect(settled.map((each) => each.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(holdfast.stats()).toMatchObject({ calls: 3, sends: 2, inFlight: 0 });
  });
});

describe('a call that is given up while beforeSend works', () => {
  it('is not sent', async () => {
    let release: () => void = () => {};
    const { server, client, holdfast } = await attached(status(200), {
      beforeSend: () =>
        new Promise<void>((resolve) => {
          release = resolve;
        }),
    });
    const aborter = new AbortController();
    const call = axiosErrorOf(client.get('/x', { signal: aborter.signal }));
    await vi.waitFor(() => expect(holdfast.stats().calls).toBe(1));
    aborter.abort();
    const error = await call;
    expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 0 });
    release();
    await client.get('/y', { holdfast: false });
    expect(server.seen.map(({ url }) => url)).toEqual(['/y']);
    expect(holdfast.stats()).toMatchObject({ sends: 0, inFlight: 0 });
  });
});
