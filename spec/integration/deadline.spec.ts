import { PassThrough } from 'node:stream';
import { type AxiosAdapter, AxiosError } from 'axios';
import { failureOf, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import type { Policy } from '../../lib/policy/options.ts';
import { ADAPTERS, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, next, runThrough, until } from '../support/by-hand.ts';
import { silent } from '../support/faults.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const IDLE = { inFlight: 0, waiting: 0, queued: 0 };

/** Sends a little at a time and never ends. */
const dripping =
  (code = 200, headers: { [name: string]: string } = {}): Answer =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'application/json', ...headers });
    const drip = setInterval(() => response.write(' '), 1);
    response.on('close', () => clearInterval(drip));
  };

describe('a retry that cannot finish before the deadline', () => {
  it.each([
    ['longer than what is left', '5'],
    ['as long as what is left', '3'],
  ])('is not begun: the wait is %s', async (_, seconds) => {
    const { server, client, clock } = await byHand(status(503, { 'retry-after': seconds }), { deadlineMs: 3_000 });
    const error = await axiosErrorOf(client.get('/'));
    expect(error.response?.status).toBe(503);
    expect(failureOf(error)).toMatchObject({
      kind: 'unavailable',
      endedBecause: 'deadline',
      retryAfterMs: Number(seconds) * 1_000,
      sends: 1,
      waitedMs: 0,
    });
    expect(server.seen).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });

  it('is measured by what the sends and waits before have left of it', async () => {
    const setting = await byHand(status(503, { 'retry-after': '2' }), { deadlineMs: 5_000 });
    const delays = runThrough(setting);
    const error = await axiosErrorOf(setting.client.get('/'));
    expect(delays).toEqual([2_000, 2_000]);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'deadline', sends: 3, waitedMs: 4_000, status: 503 });
  });

  it('is one whose backoff is too long as well', async () => {
    const policy: Policy = { deadlineMs: 400, retry: { backoff: () => 400 } };
    const { server, client } = await byHand(status(503), policy);
    expect(failureOf(await rejectionOf(client.get('/')))).toMatchObject({ endedBecause: 'deadline', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it('is begun where it just fits', async () => {
    const setting = await byHand(inTurn(status(503, { 'retry-after': '2' }), status(200)), { deadlineMs: 2_001 });
    runThrough(setting);
    expect((await setting.client.get('/')).status).toBe(200);
    expect(setting.clock.pending).toBe(0);
  });

  it('is not begun when the process stood still until after the deadline', async () => {
    const answer = status(503, { 'retry-after': '2' });
    const { server, client, clock, holdfast } = await byHand(answer, { deadlineMs: 60_000 });
    const scheduled = next(holdfast, 'retry-scheduled');
    const call = axiosErrorOf(client.get('/'));
    await scheduled;
    clock.jump(60_000);
    await clock.advance(0);
    const error = await call;
    expect(error.response?.status).toBe(503);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'deadline', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });
});

describe.each(ADAPTERS)('a send that the deadline cuts off, with the %s adapter', (adapter) => {
  it.each([
    ['silent', silent],
    ['dripping', dripping()],
  ])('rejects as a timeout and closes its connection: the server is %s', async (_, answer) => {
    const { server, client, clock, holdfast } = await byHand(answer, { deadlineMs: 5_000 }, { adapter });
    const unhandled = await unhandledDuring(async () => {
      let ended = false;
      const call = axiosErrorOf(client.post('/orders', {})).finally(() => {
        ended = true;
      });
      await until(() => server.seen.length === 1);
      // Those of now: fetch opens another one, for the requests to come.
      const sockets = [...server.sockets];
      await clock.advance(4_999);
      expect(ended).toBe(false);
      await clock.advance(1);
      const error = await call;
      expect(error).toBeInstanceOf(AxiosError);
      expect(error).toMatchObject({ code: 'ETIMEDOUT', message: 'deadline of 5000ms exceeded' });
      expect(error.response).toBeUndefined();
      expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 1, elapsedMs: 5_000 });
      await until(() => sockets.every(({ destroyed }) => destroyed));
    });
    expect(unhandled).toEqual([]);
    expect(server.seen).toHaveLength(1);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it("rejects with the caller's own config", async () => {
    const { server, client, clock } = await byHand(silent, { deadlineMs: 5_000 }, { adapter });
    const { signal } = new AbortController();
    const call = axiosErrorOf(client.get('/', { signal, timeout: 70_000 }));
    await until(() => server.seen.length === 1);
    await clock.advance(5_000);
    const { config } = await call;
    expect(config).toMatchObject({ adapter, timeout: 70_000 });
    expect(config?.signal).toBe(signal);
  });

  it('may be a later one, which then gave the last outcome', async () => {
    const setting = await byHand(inTurn(status(503), silent), { deadlineMs: 5_000 }, { adapter });
    const { server, client, clock } = setting;
    runThrough(setting);
    const call = axiosErrorOf(client.get('/'));
    await until(() => server.seen.length === 2);
    await clock.advance(5_000);
    const error = await call;
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 2 });
    expect(reportOf(error)?.sends.map(({ status, code }) => status ?? code)).toEqual([503, 'ETIMEDOUT']);
    expect(clock.pending).toBe(0);
  });

  it('is over although the clock was set back meanwhile', async () => {
    const clock = new ManualClock();
    const { server, client } = await byHand(silent, { deadlineMs: 5_000 }, { adapter }, { clock });
    const call = axiosErrorOf(client.get('/'));
    await until(() => server.seen.length === 1);
    clock.adjust(-3_600_000);
    await clock.advance(5_000);
    expect(failureOf(await call)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it("bounds the reading of an error's body as well", async () => {
    const policy: Policy = { deadlineMs: 300 };
    const clock = new ManualClock();
    const { client } = await byHand(dripping(503), policy, { adapter, responseType: 'stream' }, { clock });
    const call = axiosErrorOf(client.get('/'));
    // One for the send until its headers have come, one for the reading.
    await until(() => clock.asked.length === 2);
    expect(clock.asked).toEqual([300, 300]);
    await clock.advance(300);
    const error = await call;
    expect(failureOf(error)).toMatchObject({ status: 503, endedBecause: 'deadline', sends: 1 });
    const { data } = error.response ?? {};
    if (adapter === 'http') (data as PassThrough | undefined)?.on('error', () => {}).destroy();
    else await (data as ReadableStream | undefined)?.cancel();
  });
});

describe('an adapter function that is deaf to its timeout', () => {
  it('is left behind at the deadline', async () => {
    const deaf: AxiosAdapter = () => new Promise(() => {});
    const { client, clock, holdfast } = await byHand(silent, { deadlineMs: 5_000 }, { adapter: deaf });
    const call = axiosErrorOf(client.get('/'));
    await settle();
    await clock.advance(5_000);
    const error = await call;
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 1 });
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it('does not leave a connection open by answering too late', async () => {
    const body = new PassThrough();
    let answer = () => {};
    const late: AxiosAdapter = (config) =>
      new Promise((resolve) => {
        answer = () => resolve({ status: 200, statusText: '', data: body, headers: {}, config });
      });
    const { client, clock } = await byHand(silent, { deadlineMs: 5_000 }, { adapter: late });
    const call = axiosErrorOf(client.get('/', { responseType: 'stream' }));
    await settle();
    await clock.advance(5_000);
    const error = await call;
    answer();
    await settle();
    expect(body.destroyed).toBe(true);
    expect(failureOf(error)?.endedBecause).toBe('deadline');
  });

  it('has its own timeout at each send', async () => {
    const timeouts: unknown[] = [];
    const told: AxiosAdapter = async (config) => {
      timeouts.push(config.timeout);
      throw new AxiosError('no', 'ECONNRESET', config);
    };
    const policy: Policy = { deadlineMs: 5_000, retry: { backoff: () => 1_000, maxRetries: 2 } };
    const setting = await byHand(silent, policy, { adapter: told, timeout: 3_500 });
    runThrough(setting);
    const error = await axiosErrorOf(setting.client.get('/'));
    expect(timeouts).toEqual([3_500, 3_500, 3_500]);
    expect(error.config?.timeout).toBe(3_500);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'retries-exhausted', sends: 3 });
  });
});

describe('the deadline', () => {
  it('bounds a beforeSend that does not return, and nothing is sent', async () => {
    const policy: Policy = { deadlineMs: 5_000, beforeSend: () => new Promise(() => {}) };
    const { server, client, clock, holdfast } = await byHand(status(200), policy);
    const call = axiosErrorOf(client.get('/'));
    await settle();
    await clock.advance(5_000);
    const error = await call;
    expect(error).toMatchObject({ code: 'ETIMEDOUT' });
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline', sends: 0 });
    expect(server.seen).toHaveLength(0);
    expect(clock.pending).toBe(0);
    expect(holdfast.stats()).toMatchObject(IDLE);
  });

  it("ends a call that was answered with that answer's error, where beforeSend takes too long for another", async () => {
    const policy: Policy = {
      deadlineMs: 5_000,
      beforeSend: ({ send }) => (send === 1 ? undefined : new Promise(() => {})),
    };
    const setting = await byHand(status(503), policy);
    runThrough(setting);
    const call = axiosErrorOf(setting.client.get('/'));
    await until(() => setting.holdfast.stats().waiting === 0 && setting.clock.nextIn === 4_625);
    await setting.clock.advance(5_000);
    const error = await call;
    expect(error.response?.status).toBe(503);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'deadline', sends: 1 });
  });

  it('sends nothing when beforeSend returns in the very turn in which it passes', async () => {
    const clock = new ManualClock();
    const policy: Policy = { deadlineMs: 5_000, beforeSend: () => clock.jump(5_000) };
    const { server, client } = await byHand(status(200), policy, {}, { clock });
    expect(failureOf(await rejectionOf(client.get('/')))).toMatchObject({ endedBecause: 'deadline', sends: 0 });
    expect(server.seen).toHaveLength(0);
  });

  it('leaves no timer behind, and arms none where there is none', async () => {
    for (const deadlineMs of [5_000, undefined, 2 ** 40]) {
      const { client, clock, holdfast } = await byHand(inTurn(status(200), status(404)), { deadlineMs });
      const armed: number[] = [];
      holdfast.on('sent', () => settle().then(() => armed.push(clock.pending)));
      await client.get('/');
      await rejectionOf(client.get('/'));
      expect(armed).toEqual(deadlineMs === undefined ? [0, 0] : [1, 1]);
      expect(clock.pending).toBe(0);
    }
  });

  it("may be a call's own", async () => {
    const { server, client, clock } = await byHand(silent, { deadlineMs: 60_000 });
    const call = axiosErrorOf(client.get('/', { holdfast: { deadlineMs: 100 } }));
    await until(() => server.seen.length === 1);
    await clock.advance(100);
    expect((await call).message).toBe('deadline of 100ms exceeded');
  });

  it('counts for each call from its own beginning', async () => {
    const { server, client, clock } = await byHand(silent, { deadlineMs: 1_000 });
    const ended: string[] = [];
    const send = (name: string) => rejectionOf(client.get(`/${name}`)).then(() => ended.push(name));
    const first = send('first');
    await until(() => server.seen.length === 1);
    await clock.advance(600);
    const second = send('second');
    await until(() => server.seen.length === 2);
    await clock.advance(400);
    await first;
    expect(ended).toEqual(['first']);
    await clock.advance(600);
    await second;
  });

  it("leaves axios' own timeout to each send", async () => {
    const answer: Answer = (_request, response, n) => (n === 0 ? undefined : json(response, 200));
    const setting = await byHand(answer, { deadlineMs: 60_000 }, { timeout: 500 });
    runThrough(setting);
    const { status } = await setting.client.get('/');
    expect(status).toBe(200);
    expect(setting.server.seen).toHaveLength(2);
  });
});
