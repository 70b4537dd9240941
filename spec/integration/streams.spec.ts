import { getEventListeners } from 'node:events';
import http from 'node:http';
import { type PassThrough, Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import axios, { type AxiosAdapter, type AxiosError } from 'axios';
import { failureOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Policy } from '../../lib/policy/options.ts';
import { ADAPTERS, type AdapterName, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, next, runThrough, until } from '../support/by-hand.ts';
import type { Answer } from '../support/loopback.ts';
import { settle } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

const PATIENCE_MS = 1_000;
const AT_ONCE: Policy = { retry: { backoff: () => 0, budget: false } };
const IDLE = { inFlight: 0, waiting: 0, queued: 0 };

/** An error body of about so many bytes. */
const errorOf = (size: number) =>
  JSON.stringify({ error: { code: 'busy', message: 'Try later', target: 'x'.repeat(Math.max(0, size - 59)) } });

type Framing = 'length' | 'chunked' | 'gzip' | 'pieces';

/** Answers with that body, framed in one of the ways in which a body may come. */
const body =
  (code: number, text: string, framing: Framing, type = 'application/json'): Answer =>
  async (_request, response) => {
    const bytes = framing === 'gzip' ? gzipSync(text) : Buffer.from(text);
    const encoding = framing === 'gzip' ? { 'content-encoding': 'gzip' } : {};
    const length = framing === 'length' ? { 'content-length': bytes.length } : {};
    response.writeHead(code, { 'content-type': type, ...encoding, ...length });
    if (framing === 'length') return void response.end(bytes);
    const step = framing === 'pieces' ? Math.max(1, Math.ceil(bytes.length / 7)) : bytes.length;
    for (let at = 0; at < bytes.length; at += step) {
      response.write(bytes.subarray(at, at + step));
      if (framing === 'pieces') await settle();
    }
    response.end();
  };

/** Begins a body and never ends it. */
const endless =
  (code: number, beginning: string, type = 'application/json'): Answer =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': type });
    response.write(beginning);
  };

/** Sends a little at a time and never ends. */
const dripping =
  (code: number): Answer =>
  (_request, response) => {
    response.writeHead(code, { 'content-type': 'text/plain' });
    const drip = setInterval(() => response.write('x'), 1);
    response.on('close', () => clearInterval(drip));
  };

/** Fills the connection for as long as somebody reads. */
const flood: Answer = (_request, response) => {
  response.writeHead(503, { 'content-type': 'application/octet-stream' });
  new Readable({
    read() {
      this.push(Buffer.alloc(16_384));
    },
  }).pipe(response);
};

/** One connection at a time, kept for the next request. */
function oneSocket() {
  const httpAgent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => httpAgent.destroy());
  return { adapter: 'http', responseType: 'stream', httpAgent } as const;
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const streamOf = (error: AxiosError) => error.response?.data as PassThrough & ReadableStream<Uint8Array>;
const defaultsOf = (adapter: AdapterName) => ({ adapter, responseType: 'stream' }) as const;

describe('the body of a send that failed', () => {
  describe('is read to its end, so that the next send has the same connection', () => {
    const sizes = [0, 1, 100, 16_383, 16_385, 65_535, 65_536, 65_537, 100_000, 250_000];
    const framings = ['length', 'chunked', 'gzip', 'pieces'] as const;
    it.each(framings.flatMap((framing) => sizes.map((size) => [framing, size] as const)))(
      '%s, %i bytes',
      async (framing, size) => {
        const text = size < 60 ? 'x'.repeat(size) : errorOf(size);
        const answer = inTurn(
          body(503, text, framing),
          body(503, text, framing),
          body(503, text, framing),
          status(200),
        );
        const setting = await byHand(answer, AT_ONCE, oneSocket());
        runThrough(setting);
        const { data } = await setting.client.get('/');
        expect(await textOf(data)).toBe('{}');
        expect(setting.server.seen).toHaveLength(4);
        expect(setting.server.connections).toBe(1);
        expect(setting.clock.pending).toBe(0);
      },
    );

    it.each(['text/html', 'application/octet-stream'])('of whatever type: %s', async (type) => {
      const answer = inTurn(body(503, errorOf(30_000), 'pieces', type), status(200));
      const setting = await byHand(answer, AT_ONCE, oneSocket());
      runThrough(setting);
      await textOf((await setting.client.get('/')).data);
      expect(setting.server.connections).toBe(1);
    });

    it('also where axios had resolved it', async () => {
      const answer = inTurn(body(503, errorOf(30_000), 'chunked'), status(200));
      const setting = await byHand(answer, AT_ONCE, { ...oneSocket(), validateStatus: () => true });
      runThrough(setting);
      expect(await textOf((await setting.client.get('/')).data)).toBe('{}');
      expect(setting.server.connections).toBe(1);
    });

    it('also where a judge found a success to be none', async () => {
      const answer = inTurn(body(200, 'x'.repeat(30_000), 'chunked', 'text/plain'), status(200));
      const classify: Policy['classify'] = ({ call }) => (call.sends === 1 ? { kind: 'transient' } : undefined);
      const setting = await byHand(answer, { ...AT_ONCE, classify }, oneSocket());
      runThrough(setting);
      expect(await textOf((await setting.client.get('/')).data)).toBe('{}');
      expect(setting.server.connections).toBe(1);
    });

    it('before the next send leaves, not after', async () => {
      const order: string[] = [];
      const failed = Readable.from(['x'.repeat(1_000)], { objectMode: false });
      failed.on('end', () => order.push('ended'));
      const adapter: AxiosAdapter = async (config) => {
        order.push('sent');
        const first = order.length === 1;
        return { status: first ? 503 : 200, statusText: '', data: first ? failed : '', headers: {}, config };
      };
      const setting = await byHand(status(200), AT_ONCE, { adapter });
      runThrough(setting);
      await setting.client.get('/');
      expect(order).toEqual(['sent', 'ended', 'sent']);
    });

    it('with the fetch adapter as well', async () => {
      const answer = inTurn(body(503, errorOf(30_000), 'length'), body(503, 'x', 'chunked', 'text/plain'), status(200));
      const setting = await byHand(answer, AT_ONCE, defaultsOf('fetch'));
      runThrough(setting);
      expect(await textOf((await setting.client.get('/')).data)).toBe('{}');
      expect(setting.server.seen).toHaveLength(3);
      expect(setting.server.connections).toBe(1);
    });
  });

  describe('is destroyed instead', () => {
    it('where it is too long', async () => {
      const setting = await byHand(inTurn(flood, status(200)), AT_ONCE, oneSocket());
      runThrough(setting);
      expect(await textOf((await setting.client.get('/')).data)).toBe('{}');
      expect(setting.server.connections).toBe(2);
      await until(() => setting.server.sockets.size === 1);
      expect(setting.clock.pending).toBe(0);
    });

    it.each(ADAPTERS)('where it does not end within the wait (%s)', async (adapter) => {
      const answer = inTurn(endless(503, 'x', 'text/plain'), status(200));
      const policy: Policy = { retry: { backoff: () => 400 } };
      const { server, client, clock, holdfast } = await byHand(answer, policy, defaultsOf(adapter));
      const scheduled = next(holdfast, 'retry-scheduled');
      const call = client.get('/');
      await scheduled;
      const sockets = [...server.sockets];
      await clock.advance(399);
      expect(sockets.some(({ destroyed }) => destroyed)).toBe(false);
      expect(server.seen).toHaveLength(1);
      await clock.advance(1);
      expect(await textOf((await call).data)).toBe('{}');
      await until(() => sockets.every(({ destroyed }) => destroyed));
      expect(clock.pending).toBe(0);
    });

    it.each(ADAPTERS)('and keeps nobody waiting where it does not even cancel (%s)', async (adapter) => {
      const answer = inTurn(endless(503, 'x', 'text/plain'), endless(503, 'x', 'text/plain'));
      const controller = new AbortController();
      const policy: Policy = { retry: { backoff: ({ retry }) => (retry === 0 ? 400 : 30_000) } };
      const { server, client, clock, holdfast } = await byHand(answer, policy, defaultsOf(adapter));
      let scheduled = next(holdfast, 'retry-scheduled');
      const call = rejectionOf(client.get('/', { signal: controller.signal }));
      await scheduled;
      scheduled = next(holdfast, 'retry-scheduled');
      await clock.advance(400);
      await scheduled;
      expect(server.seen).toHaveLength(2);
      controller.abort();
      expect(axios.isCancel(await call)).toBe(true);
      expect(clock.pending).toBe(0);
    });

    it('after a moment where there is hardly any wait', async () => {
      const answer = inTurn(endless(503, 'x', 'text/plain'), status(200));
      const { server, client, clock, holdfast } = await byHand(answer, AT_ONCE, oneSocket());
      const scheduled = next(holdfast, 'retry-scheduled');
      const call = client.get('/');
      await scheduled;
      await clock.advance(49);
      expect(server.seen).toHaveLength(1);
      await clock.advance(1);
      await textOf((await call).data);
      expect(server.connections).toBe(2);
    });

    it.each(ADAPTERS)('at once where the caller gives up (%s)', async (adapter) => {
      for (const delayMs of [0, 30_000]) {
        const controller = new AbortController();
        const policy: Policy = { retry: { backoff: () => delayMs } };
        // One that is silent fetch would keep: once an answer is an error, axios' adapter no longer hears the signal, and
        // cannot cancel the body before the next byte has come.
        const setting = await byHand(dripping(503), policy, defaultsOf(adapter));
        const { server, client, clock, holdfast } = setting;
        const unhandled = await unhandledDuring(async () => {
          const scheduled = next(holdfast, 'retry-scheduled');
          const call = rejectionOf(client.get('/', { signal: controller.signal }));
          await scheduled;
          const sockets = [...server.sockets];
          controller.abort();
          expect(axios.isCancel(await call)).toBe(true);
          await until(() => sockets.every(({ destroyed }) => destroyed));
        });
        expect(unhandled).toEqual([]);
        expect(clock.pending).toBe(0);
        expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
        expect(holdfast.stats()).toMatchObject(IDLE);
      }
    });

    it('at once where the caller gives up while it is being read', async () => {
      const controller = new AbortController();
      const { server, client, clock, holdfast } = await byHand(endless(503, '{"half":'), {}, oneSocket());
      const unhandled = await unhandledDuring(async () => {
        const call = rejectionOf(client.get('/', { signal: controller.signal }));
        await until(() => clock.nextIn === PATIENCE_MS);
        controller.abort();
        const error = await call;
        expect(axios.isCancel(error)).toBe(true);
        expect(failureOf(error)).toMatchObject({ endedBecause: 'cancelled', sends: 1 });
        await until(() => server.sockets.size === 0);
      });
      expect(unhandled).toEqual([]);
      expect(clock.pending).toBe(0);
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
      expect(holdfast.stats()).toMatchObject(IDLE);
    });
  });

  it('may break off without breaking anything', async () => {
    const torn: Answer = (_request, response) => {
      response.writeHead(503, { 'content-type': 'application/json', 'content-length': 100 });
      response.write('{"half":', () => setImmediate(() => response.socket?.destroy()));
    };
    for (const adapter of ADAPTERS) {
      const setting = await byHand(inTurn(torn, status(200)), AT_ONCE, defaultsOf(adapter));
      runThrough(setting);
      const unhandled = await unhandledDuring(async () => {
        expect(await textOf((await setting.client.get('/')).data)).toBe('{}');
      });
      expect(unhandled).toEqual([]);
      expect(setting.server.seen).toHaveLength(2);
    }
  });
});

describe.each(ADAPTERS)("the last error's stream, with the %s adapter", (adapter) => {
  const sizes = [60, 1_000, 16_383, 16_384, 16_385, 40_000, 65_535, 65_536];
  const framings = ['length', 'chunked', 'gzip', 'pieces'] as const;

  it.each(framings.flatMap((framing) => sizes.map((size) => [framing, size] as const)))(
    'is whole for the caller, and explained all the same: %s, %i bytes',
    async (framing, size) => {
      const text = errorOf(size);
      const { client, clock } = await byHand(body(400, text, framing), {}, defaultsOf(adapter));
      const error = await axiosErrorOf(client.get('/'));
      expect(failureOf(error)?.api).toMatchObject({ code: 'busy', message: 'Try later' });
      expect((await textOf(streamOf(error))) === text).toBe(true);
      expect(clock.pending).toBe(0);
    },
  );

  it.each(framings.flatMap((framing) => [65_537, 70_000, 200_000].map((size) => [framing, size] as const)))(
    'is whole where it is too long to be explained: %s, %i bytes',
    async (framing, size) => {
      const text = errorOf(size);
      const { client, clock } = await byHand(body(400, text, framing), {}, defaultsOf(adapter));
      const error = await axiosErrorOf(client.get('/'));
      expect(failureOf(error)).toMatchObject({ kind: 'rejected', status: 400 });
      expect((await textOf(streamOf(error))) === text).toBe(true);
      expect(clock.pending).toBe(0);
    },
  );

  it('is whole after retries', async () => {
    const setting = await byHand(body(503, errorOf(20_000), 'pieces'), AT_ONCE, defaultsOf(adapter));
    runThrough(setting);
    const error = await axiosErrorOf(setting.client.get('/'));
    expect(failureOf(error)).toMatchObject({ endedBecause: 'retries-exhausted', sends: 4, api: { code: 'busy' } });
    expect((await textOf(streamOf(error))) === errorOf(20_000)).toBe(true);
    expect(setting.server.connections).toBe(1);
  });

  it('is whole where axios resolves it', async () => {
    const defaults = { ...defaultsOf(adapter), validateStatus: () => true };
    const { client } = await byHand(body(400, errorOf(20_000), 'chunked'), {}, defaults);
    const response = await client.get('/');
    expect(failureOf(response)?.api?.code).toBe('busy');
    expect((await textOf(response.data)) === errorOf(20_000)).toBe(true);
  });

  it('is not read where no JSON is announced', async () => {
    const { client, clock } = await byHand(endless(400, 'busy', 'text/plain'), {}, defaultsOf(adapter));
    const error = await axiosErrorOf(client.get('/'));
    expect(clock.pending).toBe(0);
    expect(failureOf(error)?.api).toBeUndefined();
    await dispose(adapter, error);
  });

  it('keeps the call for a second at most where it does not end', async () => {
    let finish = () => {};
    const answer: Answer = (_request, response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.write('{"code":"busy",');
      finish = () => response.end('"description":"Try later"}');
    };
    const { client, clock } = await byHand(answer, {}, defaultsOf(adapter));
    let ended = false;
    const call = axiosErrorOf(client.get('/')).finally(() => {
      ended = true;
    });
    await until(() => clock.nextIn === PATIENCE_MS);
    await clock.advance(PATIENCE_MS - 1);
    expect(ended).toBe(false);
    await clock.advance(1);
    const error = await call;
    expect(failureOf(error)).toMatchObject({ status: 400, endedBecause: 'not-retryable' });
    finish();
    expect(await textOf(streamOf(error))).toBe('{"code":"busy","description":"Try later"}');
    expect(clock.pending).toBe(0);
  });

  it('may be left unread', async () => {
    const { client, clock } = await byHand(body(400, errorOf(20_000), 'chunked'), {}, defaultsOf(adapter));
    const unhandled = await unhandledDuring(async () => {
      await dispose(adapter, await axiosErrorOf(client.get('/')));
    });
    expect(unhandled).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe("the last error's Blob, with the fetch adapter", () => {
  it.each([60, 65_536])('is whole for the caller, and explained all the same: %i bytes', async (size) => {
    const { client } = await byHand(
      body(400, errorOf(size), 'chunked'),
      {},
      { adapter: 'fetch', responseType: 'blob' },
    );
    const error = await axiosErrorOf(client.get('/'));
    expect(failureOf(error)?.api?.code).toBe('busy');
    const blob = error.response?.data as Blob;
    expect(blob).toBeInstanceOf(Blob);
    expect((await blob.text()) === errorOf(size)).toBe(true);
  });
});

describe.each(ADAPTERS)("a success' stream, with the %s adapter", (adapter) => {
  it('is left alone, whatever it holds', async () => {
    for (const text of ['', errorOf(100), errorOf(300_000)]) {
      const { server, client, clock } = await byHand(body(200, text, 'pieces'), {}, defaultsOf(adapter));
      const { data } = await client.get('/');
      expect(clock.pending).toBe(0);
      expect((await textOf(data)) === text).toBe(true);
      expect(server.seen).toHaveLength(1);
    }
  });

  it('is there before it has ended', async () => {
    let finish = () => {};
    const answer: Answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{"a":');
      finish = () => response.end('1}');
    };
    const { client } = await byHand(answer, {}, defaultsOf(adapter));
    const { data } = await client.get('/');
    finish();
    expect(await textOf(data)).toBe('{"a":1}');
  });

  it.each([{}, { deadlineMs: 60_000 }])('can be aborted midway (%o)', async (policy) => {
    const controller = new AbortController();
    const { server, client, clock } = await byHand(endless(200, 'begun'), policy, defaultsOf(adapter));
    const unhandled = await unhandledDuring(async () => {
      const { data } = await client.get('/', { signal: controller.signal });
      const sockets = [...server.sockets];
      const read = rejectionOf(textOf(data));
      await settle();
      controller.abort();
      expect(await read).toBeInstanceOf(Error);
      await until(() => sockets.every(({ destroyed }) => destroyed));
    });
    expect(unhandled).toEqual([]);
    await until(() => getEventListeners(controller.signal, 'abort').length === 0);
    expect(clock.pending).toBe(0);
  });

  it.each([{}, { deadlineMs: 60_000 }])('leaves no listener when it has been read (%o)', async (policy) => {
    const { signal } = new AbortController();
    const { client } = await byHand(body(200, 'x'.repeat(100_000), 'pieces'), policy, defaultsOf(adapter));
    const { data } = await client.get('/', { signal });
    await textOf(data);
    await until(() => getEventListeners(signal, 'abort').length === 0);
  });
});

it('hands on the very stream that the adapter gave', async () => {
  const stream = Readable.from(['x']);
  const adapter: AxiosAdapter = async (config) => ({ status: 200, statusText: '', data: stream, headers: {}, config });
  const { client } = await byHand(status(200), {}, { adapter });
  expect((await client.get('/')).data).toBe(stream);
  expect(stream.readableFlowing).toBeNull();
});

async function dispose(adapter: AdapterName, error: AxiosError): Promise<void> {
  if (adapter === 'http') streamOf(error).destroy();
  else await streamOf(error).cancel();
}
