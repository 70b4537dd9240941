/** Runs a scenario with the real libraries, one client after the other, on time that does not have to be waited for. */

import { beginAnew, passUntil, seedRandom, virtualNow } from './virtual-time.ts';

import axios, { type AxiosInstance } from 'axios';
import { attach, failureOf, mergePolicies, type Policy, preparePolicy } from 'axios-holdfast';
import axiosRetry from 'axios-retry';
import type { CallRecord, Result, Scenario, Span } from './scenario.ts';
import { type ModelServer, modelServer } from './server.ts';
import { presetOf } from './stand-in.ts';

/** Nobody looks further than ten minutes. */
const MOST_MS = 600_000;

interface Client {
  readonly name: string;
  connect(instance: AxiosInstance, server: ModelServer, scenario: Scenario, spans: Span[]): void;
}

const CLIENTS: readonly Client[] = [
  {
    name: 'axios-holdfast',
    connect(instance, server, scenario, spans) {
      const { family, tokenLifeMs } = scenario.server;
      const auth = { token: () => ({ value: 'none-yet', expiresAt: 0 }), refresh: () => server.grant() };
      const policy = policyOf(scenario);
      const holdfast = attach(instance, family === '' && tokenLifeMs > 0 ? { auth, ...policy } : policy);
      holdfast.on('paused', ({ untilAt }) =>
        spans.push({ what: 'paused', fromMs: virtualNow(), toMs: virtualNow() + untilAt - Date.now() }),
      );
      holdfast.on('refreshed', ({ durationMs }) =>
        spans.push({ what: 'refresh', fromMs: virtualNow() - durationMs, toMs: virtualNow() }),
      );
    },
  },
  {
    name: 'axios-retry',
    connect: (instance) =>
      void axiosRetry(instance, { retries: 3, retryDelay: axiosRetry.exponentialDelay, retryCondition: isWorthIt }),
  },
  { name: 'axios alone', connect: () => {} },
];

function policyOf({ preset, policy, server: { family } }: Scenario): Policy {
  const written: Policy = JSON.parse(policy);
  return preset && family !== '' ? mergePolicies(presetOf(family), written) : written;
}

/** As its users write it: what it repeats by default, and 429s. */
function isWorthIt(error: unknown): boolean {
  return (
    axios.isAxiosError(error) && (axiosRetry.isNetworkOrIdempotentRequestError(error) || error.response?.status === 429)
  );
}

async function play(client: Client, scenario: Scenario): Promise<Result> {
  beginAnew();
  seedRandom(scenario.seed);
  const server = modelServer(scenario.server);
  const instance = axios.create({ baseURL: 'https://api.example.com', adapter: server.adapter });
  const spans: Span[] = [];
  client.connect(instance, server, scenario, spans);

  const calls: CallRecord[] = [];
  let next = 0;
  const work = async () => {
    while (next < scenario.calls) {
      const call = next;
      next += 1;
      const fromMs = virtualNow();
      const end = (ok: boolean, why?: string) => {
        calls[call] = { fromMs, toMs: virtualNow(), ok, why };
      };
      await instance.request({ ...asked(call, server), headers: { 'X-Call': String(call) } }).then(
        () => end(true),
        (error: unknown) => end(false, client === CLIENTS[0] ? failureOf(error)?.summary : (error as Error).message),
      );
    }
  };
  await passUntil(Promise.all(Array.from({ length: scenario.workers }, work)), MOST_MS);
  return { client: client.name, calls, sends: server.sends, spans: united(spans), lastedMs: virtualNow() };
}

/** Mostly the first of its calls; each tenth time it is another. */
function asked(call: number, { calls }: ModelServer) {
  const [first, ...others] = calls;
  const turn = (call + 1) / 10;
  return (Number.isInteger(turn) && others[turn % others.length]) || first;
}

/** Those that overlap are one. */
function united(spans: readonly Span[]): Span[] {
  const all: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const i = all.findLastIndex(({ what }) => what === span.what);
    const last = all[i];
    if (last === undefined || last.toMs < span.fromMs) all.push(span);
    else all[i] = { ...last, toMs: Math.max(last.toMs, span.toMs) };
  }
  return all;
}

async function run(scenario: Scenario): Promise<Result[]> {
  const results: Result[] = [];
  for (const client of CLIENTS) {
    try {
      if (client === CLIENTS[0]) preparePolicy(policyOf(scenario));
      results.push(await play(client, scenario));
    } catch (error) {
      const refused = (error as Error).message;
      results.push({ client: client.name, calls: [], sends: [], spans: [], lastedMs: 0, refused });
    }
  }
  return results;
}

self.onmessage = async ({ data }: MessageEvent<Scenario>) => self.postMessage(await run(data));
