import axios, { type AxiosAdapter, AxiosError } from 'axios';
import { attach, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf } from '../support/attached.ts';

function attachedTo(adapter: AxiosAdapter, policy: Policy) {
  const client = axios.create({ adapter, baseURL: 'https://api.example.com' });
  return { client, holdfast: attach(client, { retry: { backoff: () => 0 }, ...policy }) };
}

describe.each<[string, Policy]>([
  ['without a deadline', {}],
  ['under a deadline', { deadlineMs: 60_000 }],
])('an adapter that freezes the config that it is given, %s', (_, policy) => {
  it('has its call end with its own error, and nothing is held', async () => {
    let sends = 0;
    const { client, holdfast } = attachedTo(
      async (config) => {
        sends += 1;
        Object.freeze(config);
        throw new AxiosError('refused', 'ECONNREFUSED', config);
      },
      { ...policy, limit: { maxConcurrent: 1 } },
    );
    const error = await axiosErrorOf(client.get('/'));
    expect(error.code).toBe('ECONNREFUSED');
    expect(failureOf(error)).toMatchObject({ endedBecause: 'retries-exhausted', sends: 4 });
    expect(sends).toBe(4);
    expect(holdfast.pending()).toEqual([]);
    expect(holdfast.stats()).toMatchObject({ inFlight: 0, queued: 0 });
  });
});

it('an adapter that freezes the config and never settles is ended by the deadline', async () => {
  const { client, holdfast } = attachedTo(
    (config) => {
      Object.freeze(config);
      return new Promise(() => {});
    },
    { deadlineMs: 20 },
  );
  const error = await axiosErrorOf(client.get('/'));
  expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline' });
  expect(holdfast.pending()).toEqual([]);
});

it('an adapter that is told of the deadline may look at the signal of its config once more', async () => {
  const seen: unknown[] = [];
  const { client } = attachedTo(
    (config) =>
      new Promise(() => {
        config.signal?.addEventListener?.('abort', () => seen.push(config.signal?.aborted));
      }),
    { deadlineMs: 20 },
  );
  const error = await axiosErrorOf(client.get('/'));
  expect(seen).toEqual([true]);
  // It was lent.
  expect(error.config).not.toHaveProperty('signal');
});
