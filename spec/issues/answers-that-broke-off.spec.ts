import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import axios from 'axios';
import old from 'axios-1.7';
import { attach, failureOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, inTurn, rejectionOf, status } from '../support/attached.ts';
import { truncated } from '../support/faults.ts';
import { type Answer, loopback } from '../support/loopback.ts';

/** Another copy's typings do not fit this one's. */
const sameTypings = (copy: unknown): typeof axios => copy as typeof axios;

const COPIES = [
  ['our own copy of axios', axios],
  ['its CommonJS build', sameTypings(createRequire(import.meta.url)('axios'))],
  ['axios 1.7', sameTypings(old)],
] as const;

/** Ends in the middle of a chunk. */
const chunkCut: Answer = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/plain' });
  response.write('half', () => response.socket?.end());
};

/** Says that it is compressed, and is not. */
const notGzip: Answer = (_request, response) => {
  response.writeHead(200, { 'content-encoding': 'gzip' }).end('never compressed');
};

const CASES = COPIES.flatMap(([name, copy]) => ADAPTERS.map((adapter) => [name, adapter, copy] as const));

describe.each(CASES)('through %s, with the %s adapter', (_name, adapter, copy) => {
  const serving = async (answer: Answer) => {
    const server = await loopback(answer);
    onTestFinished(() => server.close());
    const client = copy.create({ baseURL: server.url, adapter });
    const holdfast = attach(client, { retry: { backoff: () => 0 }, breaker: { minimumThroughput: 2 } });
    return { server, client, holdfast };
  };

  it.each([
    ['short of its length', truncated],
    ['in the middle of a chunk', chunkCut],
    ['compressed wrongly', notGzip],
  ] as const)('an answer that broke off %s is repeated for a GET', async (_how, answer) => {
    const { server, client } = await serving(inTurn(answer, status(200)));
    expect((await client.get('/')).status).toBe(200);
    expect(server.seen).toHaveLength(2);
  });

  it('and counts against the server; of a POST it may have been applied', async () => {
    const { client, holdfast } = await serving(chunkCut);
    const error = await rejectionOf(client.post('/', { quantity: 1 }));
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
    await rejectionOf(client.post('/', { quantity: 1 }));
    expect(holdfast.stats().open).toHaveLength(1);
  });

  it('a whole one that validateStatus refuses has not broken off', async () => {
    const { client, server } = await serving((_request, response) => void response.writeHead(200).end());
    const refused = await rejectionOf(client.get('/', { validateStatus: (code) => code === 201 }));
    expect(failureOf(refused)).toMatchObject({ kind: 'rejected', endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it('nor one that decompresses', async () => {
    const { client } = await serving((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(zlib.gzipSync('whole'));
    });
    expect((await client.get('/')).data).toBe('whole');
  });
});
