import { getEventListeners } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { type AxiosAdapter, AxiosError, type AxiosInstance, type CreateAxiosDefaults, isCancel } from 'axios';
import { type Attachment, localLimiter, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, type AdapterName, attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, runThrough, until } from '../support/by-hand.ts';
import type { Answer } from '../support/loopback.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

/** Begins every body, and leaves its end to the test. */
function begun(headers: http.OutgoingHttpHeaders = {}, first: string | Buffer = 'begun ') {
  const open: http.ServerResponse[] = [];
  let most = 0;
  const answer: Answer = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', ...headers }).write(first);
    open.push(response);
    response.on('close', () => open.splice(open.indexOf(response), 1));
    most = Math.max(most, open.length);
  };
  const endOne = () => open.find(({ writableEnded }) => !writableEnded)?.end('and done');
  return { answer, open, endOne, most: () => most };
}

const stream = (adapter: AdapterName): CreateAxiosDefaults => {
  if (adapter === 'fetch') return { adapter, responseType: 'stream' };
  const httpAgent = new http.Agent({ keepAlive: true });
  onTestFinished(() => httpAgent.destroy());
  return { adapter, responseType: 'stream', httpAgent };
};

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

/** What the caller does who wants no more of it. */
function dispose(body: Readable | ReadableStream): void {
  if ('destroy' in body) body.destroy();
  else body.cancel().catch(() => {});
}

const idle = (holdfast: Attachment) => {
  const { inFlight, queued } = holdfast.stats();
  return inFlight === 0 && queued === 0;
};

/** Warnings of the process while the test runs. */
function warnings(): readonly Error[] {
  const heard: Error[] = [];
  const note = (warning: Error) => heard.push(warning);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  return heard;
}

const TWO: Policy = { limit: { maxConcurrent: 2 } };
const ONE: Policy = { limit: { maxConcurrent: 1 } };

const get = (client: AxiosInstance, url = '/') => client.get(url).then(({ data }) => data);

describe.each(ADAPTERS)('a streamed body, with the %s adapter', (adapter) => {
  it('holds its place until it has ended', async () => {
    const { answer, endOne, most } = begun();
    const { server, client, holdfast } = await byHand(answer, TWO, stream(adapter));
    const texts = Array.from({ length: 8 }, () => get(client).then(textOf));
    for (let sent = 2; sent <= 8; sent++) {
      await until(() => server.seen.length === sent);
      await settle();
      expect(holdfast.stats()).toMatchObject({ inFlight: 2, queued: 8 - sent });
      endOne();
    }
    endOne();
    expect(await Promise.all(texts)).toEqual(Array(8).fill('begun and done'));
    expect(most()).toBe(2);
    await until(() => idle(holdfast));
  });

  it.each([
    ['is destroyed', (body: Readable | ReadableStream) => dispose(body)],
    ['breaks off', (_: unknown, open: readonly http.ServerResponse[]) => open[0]?.socket?.destroy()],
  ])('gives its place back when it %s', async (_, end) => {
    const { answer, open } = begun();
    const { server, client, holdfast } = await byHand(answer, ONE, stream(adapter));
    const body = await get(client);
    // Somebody reads, and meets the end of it.
    const read = adapter === 'http' ? rejectionOf(textOf(body)) : undefined;
    const second = get(client);
    await settle();
    expect(holdfast.stats().queued).toBe(1);
    end(body, open);
    await read;
    dispose(await second);
    expect(server.seen).toHaveLength(2);
    await until(() => idle(holdfast));
  });

  it("gives its place back when the caller's signal aborts, and leaves no listener", async () => {
    const { answer } = begun();
    const controller = new AbortController();
    const { client, holdfast, clock } = await byHand(answer, { ...ONE, deadlineMs: 60_000 }, stream(adapter));
    const unhandled = await unhandledDuring(async () => {
      const { data } = await client.get('/', { signal: controller.signal });
      const second = get(client);
      const reading = rejectionOf(textOf(data));
      await settle();
      expect(holdfast.stats().queued).toBe(1);
      controller.abort();
      expect(isCancel(await reading)).toBe(true);
      dispose(await second);
      await until(() => idle(holdfast));
    });
    expect(unhandled).toEqual([]);
    expect(clock.pending).toBe(0);
    await until(() => getEventListeners(controller.signal, 'abort').length === 0);
  });

  it.each(['HEAD', 204, 304, 'content-length: 0'])('has no body to wait for: %s', async (what) => {
    const headers = what === 'content-length: 0' ? { 'content-length': '0' } : {};
    const answer: Answer = (_request, response) => void response.writeHead(Number(what) || 200, headers).end();
    const defaults = { ...stream(adapter), validateStatus: null, method: what === 'HEAD' ? 'HEAD' : 'GET' };
    const { client, holdfast } = await byHand(answer, ONE, defaults);
    for (let n = 0; n < 3; n++) await client.request({ url: '/' });
    expect(idle(holdfast)).toBe(true);
  });

  it('is whole, compressed or not, and its place comes back', async () => {
    const text = 'x'.repeat(300_000);
    const answer: Answer = ({ url }, response) => {
      const isPacked = url === '/gzip';
      response.writeHead(200, isPacked ? { 'content-encoding': 'gzip' } : {});
      response.end(isPacked ? gzipSync(text) : text);
    };
    const { client, holdfast, clock } = await byHand(answer, { ...ONE, deadlineMs: 60_000 }, stream(adapter));
    for (const url of ['/gzip', '/plain', '/gzip', '/plain']) {
      expect((await get(client, url).then(textOf)) === text).toBe(true);
    }
    await until(() => idle(holdfast));
    expect(clock.pending).toBe(0);
  });

  it('holds no place in a window: only the one among those that go on', async () => {
    const { answer } = begun();
    const limit = { requests: 3, perMs: 1_000, burst: 3, maxConcurrent: 10 };
    const { server, client, clock, holdfast } = await byHand(answer, { limit }, stream(adapter));
    const bodies = await Promise.all([get(client), get(client), get(client)]);
    const fourth = get(client);
    await settle();
    expect(server.seen).toHaveLength(3);
    expect(holdfast.stats().queued).toBe(1);
    await clock.advance(1_000);
    for (const body of [...bodies, await fourth]) dispose(body);
  });

  it('ends the report, and the finished event, at its headers', async () => {
    const { answer, open } = begun();
    const finished: string[] = [];
    const policy: Policy = { ...ONE, on: { finished: ({ endedBecause }) => finished.push(endedBecause) } };
    const { client } = await byHand(answer, policy, stream(adapter));
    const response = await client.get('/');
    expect(finished).toEqual(['success']);
    expect(reportOf(response)).toMatchObject({ endedBecause: 'success', sends: [{ status: 200 }] });
    open[0]?.end();
    await textOf(response.data);
    expect(finished).toEqual(['success']);
  });

  it('is under way when the attachment is closed: it goes on, and leaves nothing', async () => {
    const { answer, open } = begun();
    const { client, holdfast, clock } = await byHand(answer, { ...ONE, deadlineMs: 60_000 }, stream(adapter));
    const body = await get(client);
    await holdfast.close();
    open[0]?.end('and done');
    expect(await textOf(body)).toBe('begun and done');
    await until(() => idle(holdfast));
    expect(clock.pending).toBe(0);
  });

  it('of a refused send is no hindrance, though it never ends', async () => {
    const endless: Answer = (_request, response) => {
      response.writeHead(429, { 'content-type': 'application/json', 'retry-after': '1' }).write('{"half":');
    };
    const setting = await byHand(inTurn(endless, status(200)), ONE, stream(adapter));
    runThrough(setting);
    const call = get(setting.client);
    const body = await setting.clock.run(call);
    expect(await textOf(body)).toBe('{}');
    await until(() => idle(setting.holdfast));
  });
});

describe.each(ADAPTERS)('a streamed body that nobody reads, with the %s adapter', (adapter) => {
  it('gives its place back after 30 s in which others waited, with one warning', async () => {
    const heard = warnings();
    const { answer } = begun();
    const { server, client, holdfast, clock } = await byHand(answer, ONE, stream(adapter));
    const body = await get(client, '/forgotten?key=secret');
    await clock.advance(3_600_000);
    const second = get(client);
    await settle();
    await clock.advance(29_999);
    expect(holdfast.stats().queued).toBe(1);
    await clock.advance(1);
    const late = await second;
    expect(server.seen).toHaveLength(2);
    await settle();
    expect(heard.map(({ message }) => message)).toEqual([
      expect.stringMatching(/^GET http:\/\/127\.0\.0\.1:\d+\/forgotten: nothing was read of its stream for 30 s/),
    ]);
    expect(clock.pending).toBe(0);
    // It is still there for who reads it after all, and its end frees nothing twice.
    const third = get(client);
    dispose(body);
    await settle();
    expect(holdfast.stats().queued).toBe(1);
    dispose(late);
    dispose(await third);
    await until(() => idle(holdfast));
  });

  it('costs no timer while nobody waits', async () => {
    const { answer } = begun();
    const { client, clock } = await byHand(answer, TWO, stream(adapter));
    const body = await get(client);
    expect(clock.pending).toBe(0);
    dispose(body);
  });

  it('keeps its place while it is read, however slowly, and while its reader waits for more', async () => {
    const heard = warnings();
    const { answer, open } = begun();
    const { client, clock, holdfast } = await byHand(answer, ONE, stream(adapter));
    const body: AsyncIterable<Uint8Array> = await get(client);
    const second = get(client);
    const chunks = body[Symbol.asyncIterator]();
    await chunks.next();
    const waiting = chunks.next();
    await settle();
    await clock.advance(120_000);
    expect(holdfast.stats().queued).toBe(1);
    open[0]?.end('and done');
    await waiting;
    await chunks.next();
    dispose(await second);
    expect(heard).toEqual([]);
  });
});

describe.each(ADAPTERS)('a streamed body at the deadline, with the %s adapter', (adapter) => {
  it('is cut with an error of axios that says so, and its connection is closed', async () => {
    const { answer } = begun();
    const finished: string[] = [];
    const policy: Policy = {
      deadlineMs: 5_000,
      breaker: { minimumThroughput: 1 },
      on: { finished: ({ endedBecause }) => finished.push(endedBecause) },
    };
    const { server, client, holdfast, clock } = await byHand(answer, policy, stream(adapter));
    const unhandled = await unhandledDuring(async () => {
      const response = await client.get('/');
      const sockets: readonly Socket[] = [...server.sockets];
      const reading = rejectionOf(textOf(response.data));
      await settle();
      await clock.advance(5_000);
      const error = await reading;
      expect(error).toBeInstanceOf(AxiosError);
      expect(error).toMatchObject({
        code: 'ETIMEDOUT',
        message: 'deadline of 5000ms exceeded while the body was read, 6 bytes',
        config: response.config,
      });
      await until(() => sockets.every(({ destroyed }) => destroyed));
    });
    expect(unhandled).toEqual([]);
    expect(server.seen).toHaveLength(1);
    expect(finished).toEqual(['success']);
    expect(holdfast.stats()).toMatchObject({ inFlight: 0, open: [] });
    expect(clock.pending).toBe(0);
  });

  it.each([
    ['nobody reads it', begun(), {}],
    ['it is compressed', begun({ 'content-encoding': 'gzip' }, gzipSync('x'.repeat(1_000)).subarray(0, 15)), {}],
    ['axios counts its bytes', begun(), { maxContentLength: 1_000_000 }],
  ])('is cut also where %s, and harms nobody', async (_, { answer }, defaults) => {
    const { server, client, clock, holdfast } = await byHand(
      answer,
      { ...ONE, deadlineMs: 5_000 },
      { ...stream(adapter), ...defaults },
    );
    const unhandled = await unhandledDuring(async () => {
      await get(client);
      const sockets = [...server.sockets];
      await clock.advance(5_000);
      await until(() => sockets.every(({ destroyed }) => destroyed));
      await until(() => idle(holdfast));
    });
    expect(unhandled).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('is left alone without one, and where the call opts out', async () => {
    for (const holdfast of [undefined, { deadlineMs: Number.POSITIVE_INFINITY }]) {
      const { answer, open } = begun();
      const policy = holdfast === undefined ? {} : { deadlineMs: 5_000 };
      const { client, clock } = await byHand(answer, policy, stream(adapter));
      const { data } = await client.get('/', { holdfast });
      expect(clock.pending).toBe(0);
      await clock.advance(60_000);
      open[0]?.end('and done');
      expect(await textOf(data)).toBe('begun and done');
    }
  });

  it('takes the timer away by its own end', async () => {
    const { answer, open } = begun();
    const { client, clock } = await byHand(answer, { deadlineMs: 5_000 }, stream(adapter));
    const body = await get(client);
    expect(clock.pending).toBe(1);
    open[0]?.end();
    await textOf(body);
    await settle();
    expect(clock.pending).toBe(0);
  });
});

it('a body that looks like a stream and is none, as mocks have them, is handed on as it is', async () => {
  const data = { pipe: () => {}, read: () => null };
  const adapter: AxiosAdapter = async (config) => ({ config, data, headers: {}, status: 200, statusText: 'OK' });
  const { client, holdfast } = await attached(() => {}, ONE, { adapter });
  expect((await client.get('/')).data).toBe(data);
  expect(idle(holdfast)).toBe(true);
});

it('a limiter that is shared by two instances counts the bodies of both', async () => {
  const limit = localLimiter({ maxConcurrent: 1, key: () => 'all' });
  const { answer } = begun();
  const [a, b] = [await byHand(answer, { limit }, stream('http')), await byHand(answer, { limit }, stream('http'))];
  const body = await get(a.client);
  const second = get(b.client);
  await settle();
  expect(b.holdfast.stats().queued).toBe(1);
  dispose(body);
  dispose(await second);
  expect(b.server.seen).toHaveLength(1);
});

describe('who asks what is under way', () => {
  it('sees a stream until its body has ended, and whose stream another call waits behind', async () => {
    const { answer, endOne } = begun();
    const { client, holdfast, clock } = await byHand(answer, ONE, stream('http'));
    const queued: string[] = [];
    holdfast.on('queued', ({ why }) => queued.push(String(why)));
    const body = await get(client, '/x');
    expect(holdfast.pending()).toMatchObject([{ phase: 'body', why: expect.stringContaining('0 of the 6 bytes') }]);
    const second = get(client, '/y');
    await settle();
    const behind = expect.stringMatching(/behind a stream that nobody reads: GET http:\S+\/x$/);
    expect(queued).toEqual([behind]);
    expect(holdfast.pending()).toMatchObject([{ phase: 'body' }, { phase: 'limit', why: behind }]);
    const reading = textOf(body);
    await settle();
    expect(holdfast.pending()[1]?.why).not.toContain('behind');
    endOne();
    await reading;
    dispose(await second);
    await until(() => holdfast.pending().length === 0);
    expect(clock.pending).toBe(0);
  });

  it('is let wait for streams by close({ drain })', async () => {
    const { answer, endOne } = begun();
    const { client, holdfast } = await byHand(answer, {}, stream('http'));
    const body = await get(client);
    let closed = false;
    const closing = holdfast.close({ drain: true }).then(() => {
      closed = true;
    });
    await settle();
    expect(closed).toBe(false);
    endOne();
    await textOf(body);
    await closing;
  });
});
