import { Readable } from 'node:stream';
import axios, { type InternalAxiosRequestConfig } from 'axios';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import NodeFormData from 'form-data';
import { describe, expect, it } from 'vitest';
import {
  ADAPTERS,
  type AdapterName,
  attached,
  axiosErrorOf,
  inTurn,
  rejectionOf,
  status,
} from '../support/attached.ts';
import { closedPort } from '../support/closed-port.ts';
import { reset } from '../support/faults.ts';
import type { Seen } from '../support/loopback.ts';

/** Any bytes, so that a body that was taken for text would show. */
const BYTES = Uint8Array.from({ length: 70_000 }, (_, i) => i % 251);
/** Refuses twice, in the two ways that make a repeat harmless for any method. */
const REFUSING = inTurn(status(429), status(503, { 'retry-after': '0' }), status(200));

/** Lets a body pass through axios as it is. */
const asItIs = { transformRequest: [(data: unknown) => data] };

/** The parts of a multipart body, without the boundary, which may differ from send to send. */
function partsOf({ headers, body }: Seen): string[] {
  const [, boundary] = /boundary=([^;]+)/.exec(headers['content-type'] ?? '') ?? [];
  if (boundary === undefined) throw new Error(`no boundary in ${headers['content-type']}`);
  const parts = body.toString('latin1').split(`--${boundary}`);
  expect(parts.at(-1)?.trim()).toBe('--');
  return parts.slice(1, -1);
}

const bodiesOf = (seen: readonly Seen[]) => seen.map(({ body }) => body);

describe.each(ADAPTERS)('a body that can be read again over the %s adapter', (adapter) => {
  it.each<[string, unknown, Uint8Array | string]>([
    ['a string', 'naïve ☃', 'naïve ☃'],
    ['an object', { item: 1, note: 'ñ' }, '{"item":1,"note":"ñ"}'],
    ['an array', [1, 'two'], '[1,"two"]'],
    ['URLSearchParams', new URLSearchParams({ a: '1 2', b: 'ñ' }), 'a=1+2&b=%C3%B1'],
    ['a Buffer', Buffer.from(BYTES), BYTES],
    ['an ArrayBuffer', BYTES.slice().buffer, BYTES],
    ['a Uint8Array', BYTES, BYTES],
    ['a Float64Array', new Float64Array([1.5, -2]), new Uint8Array(new Float64Array([1.5, -2]).buffer)],
    ['a Blob', new Blob([BYTES]), BYTES],
    ['a File', new File([BYTES], 'a.bin'), BYTES],
    ['no body', undefined, ''],
  ])('goes out whole each time: %s', async (_what, data, bytes) => {
    const { server, client } = await attached(REFUSING, {}, { adapter });

    await client.post('/', data);

    expect(server.seen).toHaveLength(3);
    for (const body of bodiesOf(server.seen)) expect(body.equals(Buffer.from(bytes))).toBe(true);
    expect(new Set(server.seen.map(({ headers }) => headers['content-type'])).size).toBe(1);
    expect(new Set(server.seen.map(({ headers }) => headers['content-length'])).size).toBe(1);
  });

  it('goes out whole each time: native FormData, part by part', async () => {
    const form = new FormData();
    form.set('note', 'ñ');
    form.set('file', new Blob([BYTES], { type: 'application/x-bytes' }), 'a.bin');
    const { server, client } = await attached(REFUSING, {}, { adapter });

    // Under Node, axios' fetch adapter calls FormData url-encoded unless it is told otherwise.
    await client.post('/', form, { headers: { 'content-type': 'multipart/form-data' } });

    expect(server.seen).toHaveLength(3);
    const [first, ...others] = server.seen.map(partsOf);
    expect(first).toHaveLength(2);
    expect(first?.[0]).toContain('name="note"');
    expect(first?.[1]).toContain('filename="a.bin"');
    expect(first?.[1]).toContain(Buffer.from(BYTES).toString('latin1'));
    for (const parts of others) expect(parts).toEqual(first);
  });

  it('goes out as one set of bytes, whatever the caller does to the object meanwhile', async () => {
    const order = { item: 1 };
    const { server, client } = await attached(
      inTurn((_request, response) => {
        order.item = 2;
        response.writeHead(429).end();
      }, status(200)),
      {},
      { adapter },
    );
    await client.post('/', order);
    expect(bodiesOf(server.seen).map(String)).toEqual(['{"item":1}', '{"item":1}']);
  });

  it('is not asked of the body factory', async () => {
    const body = () => {
      throw new Error('asked for a body although the own one can be read again');
    };
    const { server, client } = await attached(REFUSING, { body }, { adapter });
    await client.post('/', 'mine');
    expect(bodiesOf(server.seen).map(String)).toEqual(['mine', 'mine', 'mine']);
  });
});

const pieces = ['one ', 'two ', 'three'];
const whole = pieces.join('');

const webStream = () => new Blob(pieces).stream();
const asyncIterable = () => ({
  async *[Symbol.asyncIterator]() {
    for (const piece of pieces) yield Buffer.from(piece);
  },
});
const packageForm = () => {
  const form = new NodeFormData();
  form.append('note', 'ñ');
  form.append('file', Buffer.from(BYTES), { filename: 'a.bin' });
  return form;
};

/** What each adapter of axios can send, and nobody can read twice. */
const ONE_SHOT: readonly [string, AdapterName, () => unknown][] = [
  ['a Node stream', 'http', () => Readable.from(pieces)],
  ['a Node stream', 'fetch', () => Readable.from(pieces)],
  ['a web stream', 'fetch', webStream],
  ['an async iterable', 'fetch', asyncIterable],
  ['an async generator', 'fetch', () => asyncIterable()[Symbol.asyncIterator]()],
];

describe('a body that can be read only once', () => {
  describe.each(ONE_SHOT)('%s over the %s adapter', (_what, adapter, make) => {
    const options = { adapter, ...asItIs };

    it('is never sent again, and the call ends with the error of its one send', async () => {
      const { server, client } = await attached(inTurn(status(429), status(200)), {}, options);

      const error = await axiosErrorOf(client.post('/', make()));

      expect(error.response?.status).toBe(429);
      expect(failureOf(error)).toMatchObject({ status: 429, endedBecause: 'body-not-replayable', sends: 1 });
      expect(bodiesOf(server.seen).map(String)).toEqual([whole]);
    });

    it('is never sent again by an idempotent method either, nor with an idempotency key', async () => {
      const policy: Policy = { idempotency: {} };
      const { server, client } = await attached(status(503), policy, options);
      for (const method of ['PUT', 'POST']) {
        const error = await axiosErrorOf(client.request({ method, url: '/', data: make() }));
        expect(failureOf(error)?.endedBecause).toBe('body-not-replayable');
      }
      expect(bodiesOf(server.seen).map(String)).toEqual([whole, whole]);
    });

    it('is made whole for each send by the body factory', async () => {
      const { server, client } = await attached(REFUSING, { body: make }, options);
      await client.post('/', make());
      expect(bodiesOf(server.seen).map(String)).toEqual([whole, whole, whole]);
    });

    it('is sent once and not missed where the first send succeeds', async () => {
      const { server, client } = await attached(status(200), {}, options);
      await client.post('/', make());
      expect(bodiesOf(server.seen).map(String)).toEqual([whole]);
    });
  });

  it.each([
    ['connection that was never made', async () => `http://127.0.0.1:${await closedPort()}`],
    ['name that does not resolve', async () => 'http://nowhere.invalid'],
  ])('is not sent again after a %s, since it may be half read', async (_what, nowhere) => {
    const client = axios.create({ baseURL: await nowhere() });
    attach(client, { retry: { backoff: () => 0 } });
    const error = await axiosErrorOf(client.post('/', Readable.from(pieces)));
    expect(error.response).toBeUndefined();
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'body-not-replayable', sends: 1 });
  });

  it('is not sent again after a reset', async () => {
    const { server, client } = await attached(inTurn(reset, status(200)));
    const error = await axiosErrorOf(client.put('/', Readable.from(pieces)));
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'body-not-replayable', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it('is not sent again also where validateStatus lets the answer through: that one resolves', async () => {
    const { server, client } = await attached(status(503), {}, { validateStatus: () => true });
    const response = await client.put('/', Readable.from(pieces));
    expect(response.status).toBe(503);
    expect(failureOf(response)?.endedBecause).toBe('body-not-replayable');
    expect(server.seen).toHaveLength(1);
  });

  it('may be a generator where the adapter is a function that reads one', async () => {
    const read: string[] = [];
    const client = axios.create({
      ...asItIs,
      adapter: async (config: InternalAxiosRequestConfig) => {
        read.push([...config.data].join(''));
        return { status: read.length < 3 ? 503 : 200, statusText: '', headers: {}, data: '', config };
      },
    });
    attach(client, { retry: { backoff: () => 0 } });
    const generator = function* () {
      yield* pieces;
    };

    const response = await client.put('/', generator());
    expect(failureOf(response)?.endedBecause).toBe('body-not-replayable');
    expect(read).toEqual([whole]);

    const made = await client.put('/', generator(), { holdfast: { body: generator } });
    expect(reportOf(made)?.endedBecause).toBe('success');
    expect(read).toEqual([whole, whole, whole]);
  });
});

describe('the form-data package', () => {
  it('is read only once, so it is never sent again', async () => {
    const { server, client } = await attached(inTurn(status(429), status(200)));
    const error = await axiosErrorOf(client.post('/', packageForm()));
    expect(failureOf(error)).toMatchObject({ status: 429, endedBecause: 'body-not-replayable', sends: 1 });
    expect(server.seen.map(partsOf)).toHaveLength(1);
  });

  it.each<[string, (form: NodeFormData) => object]>([
    ['axios writes its headers', () => ({})],
    ['the caller has written the headers of the first form', (form) => form.getHeaders()],
  ])('is made whole for each send by the body factory, with a boundary of its own: %s', async (_who, headersOf) => {
    const { server, client } = await attached(REFUSING, { body: packageForm });
    const form = packageForm();

    await client.post('/', form, { headers: { ...headersOf(form) } });

    expect(server.seen).toHaveLength(3);
    const [first, ...others] = server.seen.map(partsOf);
    expect(first).toHaveLength(2);
    expect(first?.[1]).toContain(Buffer.from(BYTES).toString('latin1'));
    for (const parts of others) expect(parts).toEqual(first);
    for (const { headers, body } of server.seen) expect(headers['content-length']).toBe(String(body.length));
  });

  it('is what axios makes of postForm under Node, so that needs the body factory too', async () => {
    const { server, client } = await attached(REFUSING, {});
    const error = await axiosErrorOf(client.postForm('/', { note: 'ñ' }));
    expect(failureOf(error)?.endedBecause).toBe('body-not-replayable');
    expect(server.seen.map(partsOf)).toHaveLength(1);
  });
});

describe('the body factory', () => {
  it('is not asked for the first send', async () => {
    let made = 0;
    const body = () => {
      made += 1;
      return 'made';
    };
    const { server, client } = await attached(REFUSING, { body });
    await client.post('/', Readable.from(pieces));
    expect(made).toBe(2);
    expect(bodiesOf(server.seen).map(String)).toEqual([whole, 'made', 'made']);
  });

  it("may be asynchronous, and is given this send's config", async () => {
    const urls: unknown[] = [];
    const body = async (config: unknown) => {
      urls.push((config as InternalAxiosRequestConfig).url);
      return Readable.from(pieces);
    };
    const { server, client } = await attached(REFUSING, { body });
    await client.post('/upload', Readable.from(pieces));
    expect(urls).toEqual(['/upload', '/upload']);
    expect(bodiesOf(server.seen).map(String)).toEqual([whole, whole, whole]);
  });

  it('does not make a POST repeatable that may have been applied', async () => {
    const { server, client } = await attached(status(502), { body: () => 'made' });
    const error = await axiosErrorOf(client.post('/', Readable.from(pieces)));
    expect(failureOf(error)?.endedBecause).toBe('unsafe-method');
    expect(server.seen).toHaveLength(1);
  });

  it("may be one call's own", async () => {
    const { server, client } = await attached(inTurn(status(429), status(200), status(429)));
    await client.post('/', Readable.from(pieces), { holdfast: { body: () => Readable.from(pieces) } });
    expect(bodiesOf(server.seen).map(String)).toEqual([whole, whole]);
    const error = await axiosErrorOf(client.post('/', Readable.from(pieces)));
    expect(failureOf(error)?.endedBecause).toBe('body-not-replayable');
  });

  it('that throws has the call reject with what it threw', async () => {
    const thrown = new Error('the file is gone');
    const body = () => {
      throw thrown;
    };
    const { server, client } = await attached(REFUSING, { body });
    expect(await rejectionOf(client.post('/', Readable.from(pieces)))).toBe(thrown);
    expect(server.seen).toHaveLength(1);
  });

  it('leaves the body on the config that comes back', async () => {
    const data = Readable.from(pieces);
    const { client } = await attached(REFUSING, { body: () => 'made' });
    const response = await client.post('/', data);
    expect(response.config.data).toBe(data);
  });
});
