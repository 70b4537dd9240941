import { brotliCompressSync } from 'node:zlib';
import axios from 'axios';
import { attach, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, inTurn, status } from '../support/attached.ts';

const RECOVERS = inTurn(status(429), status(503), status(200));

/** Every byte there is, so that a body that goes through a string on its way does not come out as it was. */
const BYTES = Uint8Array.from({ length: 512 }, (_, i) => i % 256);

const BODIES: readonly (readonly [name: string, body: () => unknown, bytes: Uint8Array | string])[] = [
  ['a string', () => 'grüße\r\n\u0000', 'grüße\r\n\u0000'],
  ['an empty string', () => '', ''],
  ['an object', () => ({ a: 1, nested: { b: ['ü'] } }), '{"a":1,"nested":{"b":["ü"]}}'],
  ['an array', () => [1, null, 'x'], '[1,null,"x"]'],
  ['a Buffer', () => Buffer.from(BYTES), BYTES],
  ['a part of a Buffer', () => Buffer.from(BYTES).subarray(7, 300), BYTES.slice(7, 300)],
  ['a typed array', () => BYTES.slice(), BYTES],
  ['an ArrayBuffer', () => BYTES.slice().buffer, BYTES],
  ['URLSearchParams', () => new URLSearchParams({ a: '1 2', b: 'ü' }), 'a=1+2&b=%C3%BC'],
  ['a Blob', () => new Blob([BYTES], { type: 'image/png' }), BYTES],
];

describe.each(ADAPTERS)('the body, with the %s adapter', (adapter) => {
  it.each(BODIES)('of %s goes out whole and the same on every send', async (_, body, bytes) => {
    const { server, client } = await attached(RECOVERS, { idempotency: {} }, { adapter });
    const response = await client.post('/', body());
    expect(reportOf(response)?.sends).toHaveLength(3);
    const sent = server.seen.map((request) => request.body.toString('hex'));
    expect(sent).toEqual(Array(3).fill(Buffer.from(bytes as Uint8Array).toString('hex')));
    const lengths = server.seen.map(({ headers }) => headers['content-length'] ?? headers['transfer-encoding']);
    expect(new Set(lengths).size).toBe(1);
  });

  it.each(BODIES)('of %s goes out as bare axios sends it: the same bytes, the same Content-Type', async (_, body) => {
    const { server, client, holdfast } = await attached(RECOVERS, { idempotency: {} }, { adapter });
    await client.post('/', body());
    holdfast.detach();
    await client.post('/', body());
    const sent = server.seen.map((request) => [request.body.toString('hex'), request.headers['content-type']]);
    expect(sent).toHaveLength(4);
    expect(sent.slice(0, 3)).toEqual(Array(3).fill(sent[3]));
  });

  it("is the caller's own object still, and unchanged, when the call has ended", async () => {
    const { client } = await attached(RECOVERS, { idempotency: {} }, { adapter });
    const body = { a: 1, nested: { b: [1, 2] } };
    const buffer = Buffer.from(BYTES);
    const params = new URLSearchParams({ q: '1' });
    await client.post('/', body, { params });
    await client.post('/', buffer);
    expect(body).toEqual({ a: 1, nested: { b: [1, 2] } });
    expect(buffer).toEqual(Buffer.from(BYTES));
    expect(String(params)).toBe('q=1');
  });

  it('of native FormData has identical parts on every send, each under a boundary of its own', async () => {
    const { server, client } = await attached(RECOVERS, { idempotency: {} }, { adapter });
    const form = new FormData();
    form.append('text', 'grüße');
    form.append('text', 'twice');
    form.append('file', new Blob([BYTES], { type: 'image/png' }), 'a "b".png');
    await client.postForm('/', form);
    expect(server.seen).toHaveLength(3);
    const boundaries = server.seen.map(
      ({ headers }) => /boundary=(\S+)/.exec(headers['content-type'] ?? '')?.[1] ?? '',
    );
    const parts = server.seen.map(({ body }, n) => body.toString('latin1').replaceAll(boundaries[n] ?? '', 'BOUNDARY'));
    expect(parts).toEqual(Array(3).fill(parts[0]));
    expect(parts[0]?.split('--BOUNDARY')).toHaveLength(5);
    expect(parts[0]).toContain(Buffer.from(BYTES).toString('latin1'));
    for (const [n, { body }] of server.seen.entries()) {
      expect(boundaries[n]).not.toBe('');
      expect(body.toString('latin1')).toContain(`--${boundaries[n]}--`);
    }
  });

  it('of a GET is none, on every send', async () => {
    const { server, client } = await attached(RECOVERS, {}, { adapter });
    await client.get('/');
    expect(server.seen.map(({ body, headers }) => [body.length, headers['content-length']])).toEqual(
      Array(3).fill([0, undefined]),
    );
  });

  it('of the answer is the one after the retries, read and decompressed as bare axios does', async () => {
    const text = JSON.stringify({ long: 'x'.repeat(10_000) });
    const { client } = await attached(
      inTurn(status(503, {}, { long: 'y'.repeat(10_000) }), (_request, response) => {
        response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'br' });
        response.end(brotliCompressSync(text));
      }),
      {},
      { adapter },
    );
    expect((await client.get('/')).data).toEqual(JSON.parse(text));
  });
});

describe('a body made by a transform', () => {
  it('is made once, and goes out the same each time, though the transform would make another', async () => {
    const { server, client } = await attached(RECOVERS);
    let made = 0;
    await client.put('/', null, { transformRequest: () => `body ${++made}` });
    expect(server.seen.map(({ body }) => body.toString())).toEqual(['body 1', 'body 1', 'body 1']);
  });

  it('is not made anew from an object that changes while the call waits', async () => {
    const { server } = await attached(RECOVERS);
    const body = { n: 1 };
    const client = axios.create({ baseURL: server.url });
    attach(client, {
      retry: {
        backoff: () => {
          body.n += 1;
          return 0;
        },
      },
    });
    await client.put('/', body);
    expect(server.seen.map((request) => request.body.toString())).toEqual(['{"n":1}', '{"n":1}', '{"n":1}']);
    expect(body.n).toBe(3);
  });
});
