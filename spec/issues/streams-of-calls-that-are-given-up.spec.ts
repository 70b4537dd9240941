import { Readable } from 'node:stream';
import axios, { type AxiosAdapter, type AxiosResponse } from 'axios';
import { attach, type Policy } from 'axios-holdfast';
import { expect, it } from 'vitest';
import { rejectionOf } from '../support/attached.ts';

/** An adapter function that gives a Node stream which never ends, and knows nothing of signals. */
function streaming(policy: Policy) {
  const streams: Readable[] = [];
  const adapter: AxiosAdapter = async (config) => {
    const data = new Readable({ read() {} });
    streams.push(data);
    return { status: 200, statusText: '', headers: {}, data, config } as unknown as AxiosResponse;
  };
  const client = axios.create({ adapter, baseURL: 'https://api.example.com', responseType: 'stream' });
  return { client, streams, holdfast: attach(client, { limit: { maxConcurrent: 1 }, ...policy }) };
}

it('a stream is destroyed when its caller gives the call up, and its place is free', async () => {
  const { client, streams, holdfast } = streaming({});
  const caller = new AbortController();
  const { data } = await client.get('/', { signal: caller.signal });
  const failed = new Promise((resolve) => data.on('error', resolve));
  caller.abort();
  expect(axios.isCancel(await failed)).toBe(true);
  expect(streams[0]?.destroyed).toBe(true);
  expect(holdfast.pending()).toEqual([]);
  await client.get('/');
});

it('so is one that the caller is never handed, since they gave up in the turn in which the call ended', async () => {
  const caller = new AbortController();
  const { client, streams, holdfast } = streaming({ on: { finished: () => caller.abort() } });
  expect(axios.isCancel(await rejectionOf(client.get('/', { signal: caller.signal })))).toBe(true);
  await new Promise((resolve) => streams[0]?.once('close', resolve));
  expect(holdfast.stats().inFlight).toBe(0);
  await holdfast.close({ drain: true });
});
