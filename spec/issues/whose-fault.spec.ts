import { createReadStream, mkdtempSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import axios, { AxiosError, type AxiosRequestConfig } from 'axios';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { silent, untrusted } from '../support/faults.ts';

/** One failure of the server would open the circuit, and every retry costs. */
const WATCHED: Policy = { breaker: { minimumThroughput: 1, failureRatio: 0.01 } };

const coded = (code: string, syscall?: string, message = code) =>
  Object.assign(new Error(message), { code, ...(syscall !== undefined && { syscall }) });

function throwBug(): never {
  throw new TypeError('row is undefined');
}

/** A body that breaks off with this after its first bytes. */
const breaking = (error: Error) =>
  Readable.from(
    (async function* () {
      yield 'half';
      throw error;
    })(),
  );

describe.each(ADAPTERS)('a body of the caller that fails is no fault of the server (%s adapter)', (adapter) => {
  it.each<[string, string | undefined, () => Readable]>([
    ['a file that is missing', 'ENOENT', () => createReadStream('/nowhere/at/all')],
    ['a folder', 'EISDIR', () => createReadStream(tmpdir())],
    ['a stream with an error of its own', undefined, () => breaking(new Error('no more rows'))],
    ['a stream with a bug', undefined, () => breaking(new TypeError('row is undefined'))],
    ['a download that is reset', 'ECONNRESET', () => breaking(coded('ECONNRESET', 'read'))],
    ['a download from nowhere', 'ECONNREFUSED', () => breaking(coded('ECONNREFUSED', 'connect'))],
    ['a download that takes too long', 'ETIMEDOUT', () => breaking(coded('ETIMEDOUT'))],
    ['a store with codes of its own', 'NoSuchKey', () => breaking(coded('NoSuchKey'))],
  ])('%s: one send, `local`, also where `body` could make another', async (_what, code, make) => {
    for (const remade of [{}, { body: make }]) {
      const { client, holdfast } = await attached(status(200), { ...WATCHED, ...remade }, { adapter });
      const error = await axiosErrorOf(client.put('/', make()));
      expect(failureOf(error)).toMatchObject({ kind: 'local', code: code ?? failureOf(error)?.code, sends: 1 });
      expect(failureOf(error)?.endedBecause).toBe('not-retryable');
      expect(holdfast.stats()).toMatchObject({ open: [], retries: 0 });
    }
  });

  it('also where it is the body of a retry, which `body` has made', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'body-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, 'upload');
    await writeFile(path, 'whole');
    const policy: Policy = { body: () => breaking(new Error('changed meanwhile')) };
    const { client } = await attached(inTurn(status(503), status(200)), policy, { adapter });
    const error = await axiosErrorOf(client.put('/', createReadStream(path)));
    expect(failureOf(error)).toMatchObject({ kind: 'local', endedBecause: 'not-retryable', sends: 2 });
  });
});

describe('a web stream of the caller (fetch adapter)', () => {
  it.each([new Error('no more rows'), coded('ECONNRESET', 'read'), new TypeError('terminated')])(
    'that fails is no fault of the server: %s',
    async (failure) => {
      let left = 2;
      const body = new ReadableStream({
        pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(9)) : controller.error(failure)),
      });
      const { client, holdfast } = await attached(status(200), WATCHED, { adapter: 'fetch' });
      const error = await axiosErrorOf(client.put('/', body));
      expect(failureOf(error)).toMatchObject({ kind: 'local', endedBecause: 'not-retryable', sends: 1 });
      expect(holdfast.stats()).toMatchObject({ open: [], retries: 0 });
    },
  );

  it('that is cut off with its connection is none of ours', async () => {
    const server = net.createServer((socket) => void socket.once('data', () => socket.resetAndDestroy()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const { port } = server.address() as net.AddressInfo;
    const { client } = await attached(status(200), WATCHED, { adapter: 'fetch' });
    const body = new ReadableStream({
      pull: (controller) =>
        new Promise((resolve) => setTimeout(resolve, 10)).then(() => controller.enqueue(new Uint8Array(9))),
    });
    const error = await axiosErrorOf(client.put(`http://127.0.0.1:${port}/`, body));
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'body-not-replayable', sends: 1 });
  });
});

describe('a file that an adapter of the caller cannot write is no fault of the server', () => {
  it.each([
    ['ENOSPC', 'write'],
    ['EACCES', 'open'],
    ['EPERM', 'open'],
    ['EBADF', 'write'],
    ['EROFS', 'open'],
    ['EDQUOT', 'write'],
    ['EIO', 'read'],
    ['EMFILE', 'open'],
    ['ENOENT', undefined],
  ])('%s at %s: one send, `local`, the circuit stays closed', async (code, syscall) => {
    const adapter = () => Promise.reject(coded(code, syscall));
    const { client, holdfast } = await attached(status(200), WATCHED, { adapter });
    const error = await rejectionOf(client.get('/'));
    expect(failureOf(error)).toMatchObject({ kind: 'local', code, endedBecause: 'not-retryable', sends: 1 });
    expect(holdfast.stats()).toMatchObject({ open: [], retries: 0 });
  });

  it.each(['EMFILE', 'ENFILE'])(
    '%s while connecting is ours too, but passes: also a POST is repeated',
    async (code) => {
      const adapter = () => Promise.reject(coded(code, 'connect'));
      const policy: Policy = { retry: { budget: false, backoff: () => 0 }, ...WATCHED };
      const { client, holdfast } = await attached(status(200), policy, { adapter });
      const error = await rejectionOf(client.post('/', {}));
      expect(failureOf(error)).toMatchObject({ kind: 'local', endedBecause: 'retries-exhausted', sends: 4 });
      expect(holdfast.stats().open).toEqual([]);
    },
  );

  it('a socket of Unix that is not there is no file: it may come', async () => {
    const client = axios.create({ adapter: 'http', socketPath: '/nowhere/daemon.sock' });
    attach(client, { retry: { backoff: () => 0 } });
    const error = await axiosErrorOf(client.post('http://daemon/', {}));
    expect(failureOf(error)).toMatchObject({ kind: 'network', code: 'ENOENT', endedBecause: 'retries-exhausted' });
  });
});

describe.each(ADAPTERS)('a request that cannot be is our bug: one send, `local` (%s adapter)', (adapter) => {
  it.each<[string, AxiosRequestConfig]>([
    ['a name of a header', { headers: { 'not a name': 'x' } }],
    ['a method', { method: 'NO SUCH' }],
    ['an address', { url: 'http://127.0.0.1:99999/' }],
    ['a body above maxBodyLength', { method: 'put', data: 'x'.repeat(1_000), maxBodyLength: 100 }],
    ['a paramsSerializer with a bug', { params: { a: 1 }, paramsSerializer: { serialize: throwBug } }],
  ])('%s', async (_what, config) => {
    const { client, server, holdfast } = await attached(status(200), WATCHED, { adapter });
    const error = await rejectionOf(client.request({ url: '/', ...config }));
    expect(failureOf(error)).toMatchObject({ kind: 'local', endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen).toHaveLength(0);
    expect(holdfast.stats().open).toEqual([]);
  });
});

describe('an adapter of the caller', () => {
  const failing = async (error: unknown, method = 'get') => {
    const { client } = await attached(status(200), {}, { adapter: () => Promise.reject(error) });
    return failureOf(await rejectionOf(client.request({ url: '/', method })));
  };

  it.each([new TypeError('x is not a function'), new ReferenceError('x is not defined'), new RangeError('bad date')])(
    'that has a bug is sent once and is `local`: %s',
    async (bug) => {
      expect(await failing(bug)).toMatchObject({ kind: 'local', endedBecause: 'not-retryable', sends: 1 });
    },
  );

  it.each([
    new TypeError('fetch failed', { cause: coded('UND_ERR_SOCKET') }),
    new TypeError('fetch failed'),
    new TypeError('Failed to fetch'),
    new TypeError('NetworkError when attempting to fetch resource.'),
    new TypeError('Load failed'),
    new TypeError('network error'),
    new TypeError('terminated'),
  ])('that lets the error of fetch through is the network: %s', async (lost) => {
    expect(await failing(lost)).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 4 });
    expect(await failing(lost, 'post')).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
  });

  it('that calls fetch wrongly is `local`', async () => {
    const wrong = new TypeError('fetch failed', { cause: new Error('bad port') });
    expect(await failing(wrong)).toMatchObject({ kind: 'local', endedBecause: 'not-retryable', sends: 1 });
  });
});

describe('what bounds itself by AbortSignal.timeout() has timed out', () => {
  it.each<[string, AxiosRequestConfig]>([
    ['an adapter', { adapter: () => Promise.reject(new DOMException('too slow', 'TimeoutError')) }],
    [
      'a fetch',
      { adapter: 'fetch', env: { fetch: (url: string) => fetch(url, { signal: AbortSignal.timeout(50) }) } as never },
    ],
  ])('%s of the caller', async (_what, config) => {
    const { client, holdfast } = await attached(silent, { retry: { maxRetries: 1 }, ...WATCHED, breaker: {} }, config);
    const reading = failureOf(await rejectionOf(client.get('/')));
    expect(reading).toMatchObject({ kind: 'timeout', endedBecause: 'retries-exhausted', sends: 2 });
    expect(failureOf(await rejectionOf(client.post('/', {})))).toMatchObject({ kind: 'timeout', sends: 1 });
    const once = client.get('/', { holdfast: { retry: { timeouts: false } } });
    expect(failureOf(await rejectionOf(once))).toMatchObject({ kind: 'timeout', endedBecause: 'not-retryable' });
    expect(holdfast.stats().retries).toBe(1);
  });
});

describe('a connection that was made and then is lost may have been applied (http adapter)', () => {
  /** The client's socket fails with this once the request has arrived. */
  async function failingWith(error: Error) {
    const sockets: net.Socket[] = [];
    const httpAgent = new http.Agent();
    Object.assign(httpAgent, {
      createConnection: (options: net.NetConnectOpts) => {
        const socket = net.connect(options);
        sockets.push(socket);
        return socket;
      },
    });
    const answer = inTurn(() => void sockets.at(-1)?.destroy(error), status(200));
    return attached(answer, {}, { adapter: 'http', httpAgent });
  }

  it.each([
    ['ENETUNREACH', 'read', 'network'],
    ['EHOSTUNREACH', 'read', 'network'],
    ['ENETDOWN', 'write', 'network'],
    ['ENETRESET', 'read', 'network'],
    ['EPIPE', 'write', 'network'],
    ['ETIMEDOUT', 'read', 'timeout'],
    ['ERR_SOCKET_CLOSED', undefined, 'network'],
    ['ERR_SOCKET_TIMEOUT', undefined, 'timeout'],
    ['AGENT_GAVE_UP', undefined, 'network'],
    ['no code', undefined, 'network'],
  ])('%s at %s: a GET is repeated, a POST is not', async (code, syscall, kind) => {
    const error = code === 'no code' ? new Error('the agent lost it') : coded(code, syscall, `${syscall} ${code}`);
    const reading = await failingWith(error);
    const response = await reading.client.get('/');
    expect(reportOf(response)?.sends).toMatchObject([{ verdict: 'transient' }, { status: 200 }]);
    const writing = await failingWith(error);
    const failure = failureOf(await axiosErrorOf(writing.client.post('/', {})));
    expect(failure).toMatchObject({ kind, endedBecause: 'unsafe-method', sends: 1 });
  });

  it('a time-out of the agent is one for retry.timeouts as well', async () => {
    const { client } = await attached(
      silent,
      { retry: { timeouts: false } },
      {
        adapter: () => Promise.reject(new AxiosError('Socket timeout', 'ERR_SOCKET_TIMEOUT', undefined, {})),
      },
    );
    expect(failureOf(await axiosErrorOf(client.get('/')))).toMatchObject({ endedBecause: 'not-retryable', sends: 1 });
  });
});

it('a certificate that nobody trusts is the network, and a repeat would end the same way', async () => {
  const { url } = await untrusted();
  const client = axios.create({ adapter: 'http' });
  attach(client);
  expect(failureOf(await axiosErrorOf(client.get(url)))).toMatchObject({ kind: 'network', sends: 1 });
});

describe.each(ADAPTERS)('what an answer is at fault for opens no circuit (%s adapter)', (adapter) => {
  it('redirects without end, an answer that is too long', async () => {
    const round = await attached(status(302, { location: '/' }), WATCHED, { adapter });
    const endless = failureOf(await axiosErrorOf(round.client.get('/', { maxRedirects: 3 })));
    expect(endless).toMatchObject({ kind: 'network', endedBecause: 'not-retryable', sends: 1 });
    const long = await attached(status(200, {}, 'x'.repeat(1_000)), WATCHED, { adapter, maxContentLength: 100 });
    expect(failureOf(await axiosErrorOf(long.client.get('/')))).toMatchObject({ kind: 'network', sends: 1 });
    expect(round.holdfast.stats().open).toEqual([]);
  });
});

describe('what the caller’s own code throws', () => {
  it.each([coded('ENOENT', 'open'), new TypeError('x is undefined')])('is `local`: %s', async (thrown) => {
    const policy: Policy = {
      beforeSend: () => {
        throw thrown;
      },
    };
    const { client } = await attached(status(200), policy);
    expect(failureOf(await rejectionOf(client.get('/')))).toMatchObject({ kind: 'local', sends: 0 });
  });
});
