import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import axios, { type CreateAxiosDefaults } from 'axios';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { axiosErrorOf, inTurn, status } from '../support/attached.ts';
import { byHand, runThrough } from '../support/by-hand.ts';
import { reset, selfSigned } from '../support/faults.ts';

/** A server that keeps its connections open, and can give them up without a word: what is sent on those is reset, unread. */
async function forgetful(kind: 'http' | 'https') {
  const dropped = new WeakSet<Socket>();
  const open = new Set<Socket>();
  const seen: string[] = [];
  const listener: http.RequestListener = (request, response) => {
    const { socket } = request;
    if (dropped.has(socket)) return void socket.destroy();
    seen.push(`${request.method} ${request.url}`);
    request.resume().on('end', () => response.end('ok'));
  };
  const options = { keepAliveTimeout: 600_000 };
  const server =
    kind === 'http'
      ? http.createServer(options, listener)
      : https.createServer({ ...options, ...selfSigned() }, listener);
  server.on(kind === 'http' ? 'connection' : 'secureConnection', (socket: Socket) => {
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    url: `${kind}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    open,
    drop: () => {
      for (const socket of open) dropped.add(socket);
    },
  };
}

const KINDS = {
  "axios' default agent": () => ({ kind: 'http', defaults: {} }),
  'an agent of the caller': () => {
    const httpAgent = new http.Agent({ keepAlive: true });
    onTestFinished(() => httpAgent.destroy());
    return { kind: 'http', defaults: { httpAgent } };
  },
  'no redirects, so a bare request': () => {
    const httpAgent = new http.Agent({ keepAlive: true });
    onTestFinished(() => httpAgent.destroy());
    return { kind: 'http', defaults: { httpAgent, maxRedirects: 0 } };
  },
  TLS: () => {
    const httpsAgent = new https.Agent({ keepAlive: true, rejectUnauthorized: false });
    onTestFinished(() => httpsAgent.destroy());
    return { kind: 'https', defaults: { httpsAgent } };
  },
} satisfies Record<string, () => { kind: 'http' | 'https'; defaults: CreateAxiosDefaults }>;

/** Eight connections lie idle, and the server has given them up. A backoff would take longer than the test may. */
async function deadPool(name: keyof typeof KINDS, policy: Policy = {}) {
  const { kind, defaults } = KINDS[name]();
  const server = await forgetful(kind as 'http' | 'https');
  const client = axios.create({ baseURL: server.url, ...defaults });
  const holdfast = attach(client, { retry: { backoff: () => 3_600_000 }, ...policy });
  await Promise.all(Array.from({ length: 8 }, () => client.get('/warm')));
  expect(server.open.size).toBe(8);
  server.drop();
  server.seen.length = 0;
  return { server, client, holdfast };
}

describe.each(Object.keys(KINDS) as (keyof typeof KINDS)[])('a pool of dead connections, with %s', (name) => {
  it('costs a GET one retry, at once and on a fresh connection', async () => {
    const { server, client, holdfast } = await deadPool(name);
    const response = await client.get('/order');
    expect(response.data).toBe('ok');
    expect(server.seen).toEqual(['GET /order']);
    expect(reportOf(response)?.sends).toMatchObject([
      { code: 'ECONNRESET', decision: 'retry', delayMs: 0 },
      { status: 200 },
    ]);
    expect(holdfast.stats()).toMatchObject({ retries: 1, inFlight: 0 });
  });

  it('ends one POST, which may have been carried out, and no other', async () => {
    const { server, client } = await deadPool(name);
    const error = await axiosErrorOf(client.post('/order', { n: 1 }));
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
    expect((await client.post('/order', { n: 2 })).data).toBe('ok');
    expect(server.seen).toEqual(['POST /order']);
  });

  it('is no outage: not for the budget, and not for the breaker', async () => {
    const policy: Policy = {
      retry: { backoff: () => 3_600_000, budget: { capacity: 14, transientCost: 14, refillPerSecond: 0, refund: 0 } },
      breaker: { minimumThroughput: 1, failureRatio: 0.1 },
    };
    const { server, client, holdfast } = await deadPool(name, policy);
    const before = holdfast.stats().budget;
    const calls = Array.from({ length: 8 }, (_, n) => (n < 6 ? client.get('/') : axiosErrorOf(client.post('/', {}))));
    const ended = await Promise.all(calls);
    expect(ended.slice(0, 6)).toMatchObject(Array(6).fill({ status: 200 }));
    expect(ended.slice(6).map((error) => failureOf(error)?.endedBecause)).toEqual(['unsafe-method', 'unsafe-method']);
    expect(server.seen).toHaveLength(6);
    expect(holdfast.stats()).toMatchObject({ open: [], budget: before });
  });
});

describe('the retry on a fresh connection', () => {
  it('is made once a call and counts as the first: the others wait as long as they would have', async () => {
    const agent = new http.Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const setting = await byHand(inTurn(status(200), reset), {}, { httpAgent: agent }, { random: () => 1 });
    const delays = runThrough(setting);
    await setting.client.get('/warm');
    const error = await axiosErrorOf(setting.client.get('/'));
    expect(delays).toEqual([0, 1_000, 2_000]);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'retries-exhausted', sends: 4 });
  });

  it('is not made where the connection was new', async () => {
    const setting = await byHand(inTurn(reset, status(200)), {}, { httpAgent: new http.Agent() }, { random: () => 1 });
    const delays = runThrough(setting);
    await setting.client.get('/');
    expect(delays).toEqual([500]);
  });

  it('is made of any method after a 421, which was not carried out; the old connection is not used again', async () => {
    const agent = new http.Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    for (const defaults of [{}, { responseType: 'stream' as const }]) {
      const answer = inTurn(status(421), status(200));
      const setting = await byHand(answer, {}, { httpAgent: agent, ...defaults });
      const delays = runThrough(setting);
      expect((await setting.client.post('/', { n: 1 })).status).toBe(200);
      expect(delays).toEqual([0]);
      expect(setting.server.connections).toBe(2);
    }
  });

  it('is not known under fetch, whose pool is its own: ordinary backoff', async () => {
    const answer = inTurn(status(200), reset, status(200));
    const setting = await byHand(answer, {}, { adapter: 'fetch' }, { random: () => 1 });
    const delays = runThrough(setting);
    await setting.client.get('/warm');
    await setting.client.get('/');
    expect(delays).toEqual([500]);
  });

  it('leaves the idle connections of other servers alone', async () => {
    const agent = new http.Agent({ keepAlive: true });
    onTestFinished(() => agent.destroy());
    const healthy = await byHand(status(200), {}, { httpAgent: agent });
    await healthy.client.get('/');
    const dying = await byHand(inTurn(status(200), reset, status(200)), {}, { httpAgent: agent });
    runThrough(dying);
    await dying.client.get('/warm');
    await dying.client.get('/');
    await healthy.client.get('/');
    expect(healthy.server.connections).toBe(1);
  });
});
