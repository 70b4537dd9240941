import { AsyncLocalStorage } from 'node:async_hooks';
import axios, { getAdapter, type InternalAxiosRequestConfig } from 'axios';
import { attach, type EventName } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, status } from '../support/attached.ts';
import { OneAtATime } from '../support/limiter.ts';

const CALLERS = ['ann', 'ben', 'cem'];
const EVENTS = ['sent', 'answered', 'retry-scheduled', 'queued', 'finished'] satisfies EventName[];

describe.each(ADAPTERS)("the caller's AsyncLocalStorage, with the %s adapter", (name) => {
  it('is there in everything that the caller has given, on every send, also for calls that share a limiter', async () => {
    const { server } = await attached((request, response, n) =>
      status(n < 2 * CALLERS.length ? 503 : 200)(request, response, n),
    );
    const storage = new AsyncLocalStorage<string>();
    const strangers: string[] = [];
    const places = new Map<string, number>();
    const note = (place: string, caller: string | undefined) => {
      places.set(place, (places.get(place) ?? 0) + 1);
      if (storage.getStore() !== caller) strangers.push(`${place}: ${storage.getStore()} for ${caller}`);
    };
    const callerOf = ({ headers }: InternalAxiosRequestConfig) => String(headers.get('X-Caller'));
    const client = axios.create({
      baseURL: server.url,
      adapter: (config) => {
        note('adapter', callerOf(config));
        return getAdapter(name, config)(config);
      },
    });
    const ids = new Map<string, string | undefined>();
    const attachment = attach(client, {
      limit: new OneAtATime(),
      retry: {
        budget: false,
        backoff: () => {
          places.set('backoff', (places.get('backoff') ?? 0) + 1);
          if (storage.getStore() === undefined) strangers.push('backoff');
          return 1;
        },
      },
      beforeSend: async ({ config, call }) => {
        ids.set(call.id, callerOf(config));
        note('beforeSend', callerOf(config));
        await null;
        note('beforeSend, later', callerOf(config));
      },
      classify: ({ call }) => {
        note('classify', ids.get(call.id));
        return undefined;
      },
    });
    for (const event of EVENTS) {
      attachment.on(event, ({ call }) => note(event, ids.get(call.id) ?? storage.getStore()));
    }
    await Promise.all(
      CALLERS.map((caller) =>
        storage.run(caller, async () => {
          await client.get('/', { headers: { 'X-Caller': caller } });
          note('caller', caller);
        }),
      ),
    );
    expect(strangers).toEqual([]);
    expect(server.seen).toHaveLength(9);
    expect(Object.fromEntries(places)).toMatchObject({
      adapter: 9,
      beforeSend: 9,
      'beforeSend, later': 9,
      classify: 9,
      backoff: 6,
      sent: 9,
      answered: 9,
      'retry-scheduled': 6,
      finished: 3,
      caller: 3,
    });
    expect(places.get('queued')).toBeGreaterThan(0);
  });
});
