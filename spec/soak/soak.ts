/**
 * A long, rough life: random faults, aborts, deadlines, refreshes and limits over real HTTP, through one attachment, and at the
 * end the books have to balance.
 */
import { once } from 'node:events';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as pass } from 'node:timers/promises';
import axios, { isCancel } from 'axios';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { json } from '../support/loopback.ts';

export interface SoakOptions {
  readonly forMs: number;
  /** Calls at a time. */
  readonly workers: number;
  readonly seed: number;
}

export interface SoakReport {
  readonly calls: number;
  readonly resolved: number;
  readonly rejected: number;
  readonly aborted: number;
  readonly refreshes: number;
  readonly retries: number;
  readonly sends: number;
  /** Requests that the server saw. A send that was aborted may not have reached it. */
  readonly seen: number;
  /** Sends that got a status. */
  readonly answered: number;
  /** By `endedBecause`. */
  readonly ends: { readonly [why: string]: number };
  /** What did not add up; empty if all is well. */
  readonly faults: readonly string[];
  /** Bytes of heap after a collection, at even distances after the warm-up. */
  readonly heap: readonly number[];
  /** What went on after everything had settled. */
  readonly left: {
    readonly inFlight: number;
    readonly queued: number;
    readonly waiting: number;
    readonly handles: number;
  };
}

/** Numbers from 0 to 1 that are the same for the same seed (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const METHODS = ['get', 'get', 'get', 'put', 'delete', 'post', 'patch'] as const;

export async function soak({ forMs, workers, seed }: SoakOptions): Promise<SoakReport> {
  const random = randomOf(seed);
  const faults: string[] = [];
  const note = (kind: string) => (problem: unknown) => void faults.push(`${kind}: ${String(problem)}`);
  const [unhandled, warned] = [note('unhandled'), note('warning')];
  process.on('unhandledRejection', unhandled);
  process.on('warning', warned);

  /** How often the server saw each send. Not a list: it must not grow. */
  const seen = new Uint8Array(MOST_SENDS);
  const server = await listening(answering(random, (send) => (seen[send] = Number(seen[send]) + 1)));
  const agent = new http.Agent({ keepAlive: true, maxSockets: workers });
  const client = axios.create({ baseURL: urlOf(server), httpAgent: agent, timeout: 2_000 });
  let token = 0;
  let sends = 0;
  let answered = 0;
  const holdfast = attach(client, {
    // A budget and circuits that a busy machine, with few calls in a second, comes to the end of as well.
    retry: { maxRetries: 2, backoff: () => 2, budget: { key: pathOf, capacity: 140, refillPerSecond: 7 } },
    limit: { maxConcurrent: Math.ceil(workers * 0.75), requests: 20_000, perMs: 1_000, burst: 50, maxQueue: workers },
    breaker: { failureRatio: 0.7, minimumThroughput: 10, windowMs: 10_000, openMs: 20, key: pathOf },
    idempotency: {},
    auth: {
      token: () => `token-${token}`,
      refresh: async () => {
        await pass(5);
        token += 1;
        return `token-${token}`;
      },
    },
    beforeSend: ({ config }) => {
      config.headers.set('X-Send', `${sends++}`);
    },
    on: {
      answered: ({ status }) => {
        if (status !== undefined) answered += 1;
      },
    },
  });

  const ends: Record<string, number> = {};
  const counted = { calls: 0, resolved: 0, rejected: 0, aborted: 0 };
  const until = Date.now() + forMs;

  const work = async (): Promise<void> => {
    // One for the whole time: Node warns if more than ten listeners are ever left on it.
    const long = new AbortController();
    while (Date.now() < until) {
      counted.calls += 1;
      const method = METHODS[Math.floor(random() * METHODS.length)] as (typeof METHODS)[number];
      const controller = random() < 0.1 ? new AbortController() : undefined;
      const own: Policy = {};
      if (random() < 0.1) Object.assign(own, { deadlineMs: 5 + random() * 60 });
      if (random() < 0.05) Object.assign(own, { limit: { priority: () => -1 } });
      if (controller !== undefined) setTimeout(() => controller.abort(), random() * 40);
      const data = method === 'post' || method === 'put' || method === 'patch' ? { n: counted.calls } : undefined;
      const url = `/${Math.floor(random() * 10)}`;
      const adapter = random() < 0.25 ? 'fetch' : 'http';
      try {
        const signal = controller?.signal ?? long.signal;
        const response = await client.request({ method, url, data, adapter, signal, holdfast: own });
        counted.resolved += 1;
        check(response);
      } catch (error) {
        counted.rejected += 1;
        if (isCancel(error)) counted.aborted += 1;
        const failure = failureOf(error);
        if (failure === undefined) faults.push(`no failure for ${String(error)}`);
        else ends[failure.endedBecause] = (ends[failure.endedBecause] ?? 0) + 1;
        check(error);
      }
    }
  };

  /** The report of a call has as many sends as left, and those that were answered reached the server. */
  const check = (responseOrError: unknown): void => {
    const report = reportOf(responseOrError);
    if (report === undefined) faults.push('no report');
    else if (report.sends.length > 4) faults.push(`${report.sends.length} sends in a call`);
  };

  const heap: number[] = [];
  const sampling = (async () => {
    await pass(forMs / 3);
    while (Date.now() < until) {
      globalThis.gc?.();
      heap.push(process.memoryUsage().heapUsed);
      await pass(forMs / 18);
    }
  })();
  await Promise.all([...Array.from({ length: workers }, work), sampling]);

  // What was aborted or cut off may be on its way yet.
  await pass(500);
  const { refreshes, retries, inFlight, queued, waiting, ...stats } = holdfast.stats();
  let requests = 0;
  for (const [id, times] of seen.entries()) {
    requests += times;
    if (times > 1) faults.push(`the server saw send ${id} ${times} times`);
    if (times > 0 && id >= sends) faults.push(`the server saw a send ${id} that never left`);
  }
  if (stats.sends > sends) faults.push(`${stats.sends} sends counted, ${sends} prepared`);
  if (requests > stats.sends) faults.push(`${requests} requests seen, ${stats.sends} sends counted`);
  if (answered > requests) faults.push(`${answered} answers, ${requests} requests seen`);
  await holdfast.close();
  agent.destroy();
  server.closeAllConnections();
  server.close();
  process.off('unhandledRejection', unhandled);
  process.off('warning', warned);
  const left = {
    inFlight,
    queued,
    waiting,
    handles: process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length,
  };
  return { ...counted, refreshes, retries, sends: stats.sends, seen: requests, answered, ends, faults, heap, left };
}

const MOST_SENDS = 10_000_000;

/** Each has a budget and a circuit of its own. */
const pathOf = ({ url }: { readonly url?: string }): string => String(url);
/** Whoever asks for this is mostly refused. */
const ILL = '/9';

async function listening(answer: http.RequestListener): Promise<http.Server> {
  const server = http.createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

const urlOf = (server: http.Server): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function answering(random: () => number, see: (send: number) => void): http.RequestListener {
  let valid = 0;
  let asked = 0;
  return async (request, response) => {
    request.on('error', () => {});
    see(Number(request.headers['x-send']));
    request.resume();
    const current = Number(/token-(\d+)/.exec(request.headers.authorization ?? '')?.[1]);
    // By number and not by chance: a busy machine makes few requests, and must see refreshes too.
    if (++asked % 100 === 0) valid = current + 1;
    if (current < valid) return json(response, 401);
    if (random() < 0.3) await pass(random() * 8);
    if (request.url === ILL && random() < 0.9) return json(response, 502);
    const lot = random();
    if (lot < 0.03) return json(response, 503, {}, { 'retry-after-ms': '3' });
    if (lot < 0.06) return json(response, 502);
    if (lot < 0.07) return json(response, 429, {}, { 'retry-after-ms': '4' });
    if (lot < 0.08) return json(response, 404, { error: { code: 'gone', message: 'it is gone' } });
    if (lot < 0.09) return void response.socket?.resetAndDestroy();
    if (lot < 0.1) return void response.socket?.end();
    if (lot < 0.105) {
      response.writeHead(200, { 'content-length': '100' });
      response.write('{');
      return void setTimeout(() => response.socket?.destroy(), 2);
    }
    return json(response, 200, { ok: true, at: 'x'.repeat(Math.floor(random() * 2_000)) });
  };
}
