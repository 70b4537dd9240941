/** Calls to so many origins in turn, each with a bucket, a circuit and a budget of its own. */
import axios from 'axios';
import { attach } from '../../../dist/index.js';
import { heapUsed } from '../heap.js';
import { cpuUsOf } from '../measured.js';

/** Fewer weigh no more than what the engine itself makes and drops meanwhile. */
const WEIGHED = 1_000;

export const setup = async ({ size, value: keys }) => {
  const client = axios.create({
    adapter: async (config) => ({ data: '{}', status: 200, statusText: 'OK', headers: {}, config }),
  });
  const attachment = attach(client, { limit: { requests: 1e9, perMs: 1_000, burst: 1e6 }, breaker: {} });
  const urls = Array.from({ length: keys }, (_, key) => `https://api-${key}.example.com/v1/customers/1`);
  let next = 0;
  const callEach = async (calls) => {
    for (let call = 0; call < calls; call++) {
      await client.get(urls[next]);
      next = (next + 1) % keys;
    }
  };
  // Compiled by now, with one key.
  for (let call = 0; call < size.calls; call++) await client.get('https://api.example.com/v1/customers/1');
  const before = await heapUsed();
  await callEach(keys);
  const bytes = keys < WEIGHED ? 0 : ((await heapUsed()) - before) / keys;
  return {
    teardown: () => attachment.close(),
    run: async () => ({ us: (await cpuUsOf(() => callEach(size.calls))) / size.calls, bytes }),
  };
};
