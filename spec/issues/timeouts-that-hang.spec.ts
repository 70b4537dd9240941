import { getEventListeners } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import axios, { type AxiosAdapter, type CreateAxiosDefaults } from 'axios';
import { attach, failureOf, type Policy } from 'axios-holdfast';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { ADAPTERS, axiosErrorOf, inTurn, status } from '../support/attached.ts';
import { byHand, until } from '../support/by-hand.ts';
import { silent } from '../support/faults.ts';
import type { Answer } from '../support/loopback.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { endsAtOnce, mute } from '../support/silent-peers.ts';
import { unhandledDuring } from '../support/unhandled.ts';

/** A minute: no timer of axios' fires while the test runs, as if it had none. */
const TIMEOUT_MS = 60_000;
const GRACE_MS = 1_000;

const ONCE: Policy = { retry: { maxRetries: 0 } };

/** A client of something that is not the loopback server, with time in the test's hand. */
function client(defaults: CreateAxiosDefaults, policy: Policy = ONCE) {
  const clock = new ManualClock();
  const instance = axios.create({ timeout: TIMEOUT_MS, proxy: false, ...defaults });
  return { instance, clock, holdfast: attachWith({ clock, random: () => 1 }, instance, policy) };
}

/** Ends by our bound, and not a moment before it. */
async function endsByItsTimeout({ instance, clock, holdfast }: ReturnType<typeof client>, begun: () => boolean) {
  let ended = false;
  const unhandled = await unhandledDuring(async () => {
    const call = axiosErrorOf(instance.get('/')).finally(() => {
      ended = true;
    });
    await until(begun);
    await clock.advance(TIMEOUT_MS + GRACE_MS - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    const error = await call;
    expect(error).toMatchObject({ code: 'ETIMEDOUT', message: `timeout of ${TIMEOUT_MS}ms exceeded` });
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', sends: 1, elapsedMs: TIMEOUT_MS + GRACE_MS });
  });
  expect(unhandled).toEqual([]);
  expect(clock.pending).toBe(0);
  expect(holdfast.stats()).toMatchObject({ inFlight: 0 });
}

describe('a send that overruns its timeout by a second, since the adapter does not see to it', () => {
  it.each(ADAPTERS)(
    'ends as a timeout, and its connection is closed: a silent server, the %s adapter',
    async (adapter) => {
      const setting = await byHand(silent, ONCE, { adapter, timeout: TIMEOUT_MS });
      const { server, client: instance, clock, holdfast } = setting;
      let sockets: readonly Socket[] = [];
      await endsByItsTimeout({ instance, clock, holdfast }, () => {
        sockets = [...server.sockets];
        return server.seen.length === 1;
      });
      await until(() => sockets.every(({ destroyed }) => destroyed));
    },
  );

  it('ends as a timeout where a body drips', async () => {
    const dripping: Answer = (_request, response) => {
      response.writeHead(200);
      const drip = setInterval(() => response.write('.'), 1);
      response.on('close', () => clearInterval(drip));
    };
    const { server, client: instance, clock, holdfast } = await byHand(dripping, ONCE, { timeout: TIMEOUT_MS });
    await endsByItsTimeout({ instance, clock, holdfast }, () => server.seen.length === 1);
    await until(() => server.sockets.size === 0);
  });

  it('ends as a timeout where a proxy takes CONNECT and says nothing', async () => {
    const proxy = await mute();
    const httpsAgent = new HttpsProxyAgent(`http://127.0.0.1:${proxy.port}`);
    await endsByItsTimeout(client({ baseURL: 'https://api.example.test', httpsAgent }), () => proxy.seen() === 1);
  });

  // These two by the real clock: it is axios' own timer that does not fire.
  it('ends as a timeout where a proxy closes on CONNECT', async () => {
    const { port } = await endsAtOnce();
    const instance = axios.create({ proxy: { protocol: 'http', host: '127.0.0.1', port }, timeout: 30 });
    attach(instance, ONCE);
    const error = await axiosErrorOf(instance.get('https://api.example.test/'));
    expect(failureOf(error)?.sends).toBe(1);
    // Versions of axios that hear of it give the connection's own error.
    expect(error.code).toMatch(/^(?:ETIMEDOUT|ECONNRESET|ECONNABORTED)$/);
  });

  it('ends as a timeout where an HTTP/2 session is destroyed', async () => {
    const server = http2.createServer();
    server.on('stream', ({ session }) => session?.destroy());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const instance = axios.create({ httpVersion: 2, timeout: 30 } as CreateAxiosDefaults);
    attach(instance, ONCE);
    const error = await axiosErrorOf(instance.get(`http://127.0.0.1:${port}/`));
    expect(failureOf(error)?.sends).toBe(1);
  });

  it('ends as a timeout where an agent never gives a socket', async () => {
    let asked = 0;
    class Hanging extends https.Agent {
      override createConnection(): never {
        asked += 1;
        return undefined as never;
      }
    }
    const httpsAgent = new Hanging();
    await endsByItsTimeout(client({ baseURL: 'https://127.0.0.1:1', httpsAgent }), () => asked === 1);
  });

  it('ends as a timeout where the pool is full of what hangs', async () => {
    const httpAgent = new http.Agent({ maxSockets: 1 });
    const setting = await byHand(silent, ONCE, { httpAgent });
    const { server, client: instance, clock } = setting;
    const stuck = axiosErrorOf(instance.get('/stuck', { timeout: 2 * TIMEOUT_MS }));
    await until(() => server.seen.length === 1);
    const queued = axiosErrorOf(instance.get('/', { timeout: TIMEOUT_MS }));
    await settle();
    await clock.advance(TIMEOUT_MS + GRACE_MS);
    expect((await queued).code).toBe('ETIMEDOUT');
    await clock.advance(2 * TIMEOUT_MS);
    expect((await stuck).code).toBe('ETIMEDOUT');
    await until(() => server.sockets.size === 0);
  });

  it('ends as a timeout where an adapter function never settles; what still comes is destroyed and tells nobody', async () => {
    const body = new PassThrough();
    let answer = (_response: never) => {};
    let signal: unknown;
    const adapter: AxiosAdapter = (config) => {
      signal = config.signal;
      return new Promise((resolve) => {
        answer = resolve;
      });
    };
    const told: string[] = [];
    const setting = client({ adapter }, { ...ONCE, on: { answered: ({ code }) => told.push(String(code)) } });
    await endsByItsTimeout(setting, () => signal !== undefined);
    expect(signal).toMatchObject({ aborted: true });
    answer({ status: 200, data: body, headers: {}, config: {} } as never);
    await settle();
    expect(body.destroyed).toBe(true);
    expect(told).toEqual(['ETIMEDOUT']);
  });

  it('is repeated where that is harmless, and counts against the server', async () => {
    const policy: Policy = { retry: { backoff: () => 0 }, breaker: { minimumThroughput: 1 } };
    const answer = inTurn(silent, status(200));
    const { server, client: instance, clock, holdfast } = await byHand(answer, policy, { timeout: TIMEOUT_MS });
    const call = instance.get('/', { holdfast: { breaker: false } });
    await until(() => server.seen.length === 1);
    await clock.advance(TIMEOUT_MS + GRACE_MS);
    await until(() => clock.pending > 0 || server.seen.length === 2);
    expect((await clock.run(call)).status).toBe(200);
    const post = axiosErrorOf(instance.post('/', {}, { adapter: () => new Promise<never>(() => {}) }));
    await settle();
    await clock.advance(TIMEOUT_MS + GRACE_MS);
    expect(failureOf(await post)).toMatchObject({ kind: 'timeout', endedBecause: 'unsafe-method' });
    expect(holdfast.stats().open).toHaveLength(1);
  });

  it('goes by the timeout that beforeSend gave, and has the message that the config names', async () => {
    const policy: Policy = {
      ...ONCE,
      beforeSend: ({ config }) => {
        config.timeout = 5_000;
        config.timeoutErrorMessage = 'too slow';
      },
    };
    const { server, client: instance, clock } = await byHand(silent, policy, { timeout: TIMEOUT_MS });
    const call = axiosErrorOf(instance.get('/'));
    await until(() => server.seen.length === 1);
    await clock.advance(6_000);
    expect(await call).toMatchObject({ code: 'ETIMEDOUT', message: 'too slow', config: { timeout: TIMEOUT_MS } });
  });
});

describe('the bound of a send', () => {
  it('is none where there is neither a timeout nor a deadline: no timer, no signal', async () => {
    let seen: { timeout?: unknown; signal?: unknown } = {};
    const adapter: AxiosAdapter = async (config) => {
      seen = { signal: config.signal };
      expect(clock.pending).toBe(0);
      return { status: 200, statusText: '', data: '', headers: {}, config };
    };
    const { instance, clock } = client({ adapter, timeout: 0 });
    await instance.get('/');
    expect(seen.signal).toBeUndefined();
  });

  it('is gone when the send has been answered', async () => {
    for (const adapter of ADAPTERS) {
      const { signal } = new AbortController();
      const { client: instance, clock } = await byHand(status(200), {}, { adapter, timeout: TIMEOUT_MS });
      await instance.get('/', { signal });
      expect(clock.pending).toBe(0);
      await until(() => getEventListeners(signal, 'abort').length === 0);
    }
  });

  it("leaves axios' own timeout its message where that fires", async () => {
    const { client: instance } = await byHand(silent, ONCE, { timeout: 30 });
    expect(await axiosErrorOf(instance.get('/'))).toMatchObject({ code: 'ECONNABORTED' });
  });
});
