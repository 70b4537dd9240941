import { CancelledError, QueryClient, QueryObserver } from '@tanstack/query-core';
import { failureOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';

function queries() {
  const client = new QueryClient({ defaultOptions: { queries: { retryDelay: 0 } } });
  client.mount();
  onTestFinished(() => {
    client.clear();
    client.unmount();
  });
  return client;
}

describe('TanStack Query', () => {
  it('is left one retry policy: with `retry: false` the sends of a query are those of one call', async () => {
    const { client, server } = await attached(status(503));
    const query = { queryKey: ['x'], queryFn: () => client.get('/'), retry: false };
    expect(failureOf(await rejectionOf(queries().fetchQuery(query)))).toMatchObject({ sends: 4 });
    expect(server.seen).toHaveLength(4);
  });

  it('may decide by the failure whether to ask again', async () => {
    const { client, server } = await attached(inTurn(status(404), status(200)));
    const asked: (string | undefined)[] = [];
    const retry = (_count: number, error: Error) => {
      asked.push(failureOf(error)?.kind);
      return failureOf(error)?.kind !== 'rejected';
    };
    await rejectionOf(queries().fetchQuery({ queryKey: ['x'], queryFn: () => client.get('/'), retry }));
    expect(asked).toEqual(['rejected']);
    expect(server.seen).toHaveLength(1);
  });

  it('cancels a call in its wait for a retry by the signal of the query', async () => {
    const { client, holdfast, server } = await attached(status(503, { 'retry-after': '30' }));
    const cache = queries();
    const queryFn = ({ signal }: { signal: AbortSignal }) => client.get('/', { signal });
    const query = rejectionOf(cache.fetchQuery({ queryKey: ['x'], queryFn, retry: false }));
    await expect.poll(() => holdfast.stats().waiting).toBe(1);
    await cache.cancelQueries({ queryKey: ['x'] });
    expect(await query).toBeInstanceOf(CancelledError);
    await expect.poll(() => holdfast.pending()).toEqual([]);
    expect(server.seen).toHaveLength(1);
  });

  it('asks once for several observers of one query', async () => {
    const { client, server } = await attached(inTurn(status(503), status(200, {}, { n: 1 })));
    const cache = queries();
    const queryFn = async () => (await client.get<{ n: number }>('/')).data;
    const seen = [1, 2, 3].map(() => {
      const observer = new QueryObserver(cache, { queryKey: ['x'], queryFn });
      onTestFinished(observer.subscribe(() => {}));
      return observer;
    });
    await expect.poll(() => seen.map((observer) => observer.getCurrentResult().data?.n)).toEqual([1, 1, 1]);
    expect(server.seen).toHaveLength(2);
  });
});
