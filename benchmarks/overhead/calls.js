/** The calls that are measured, and what is measured of them: an instance over an adapter in memory, so that there is nothing else. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import axios from 'axios';
import { quantile } from '../harness/statistics.js';

const body = '{"id":"1","name":"Ada Lovelace","country":"GB","active":true}';
const order = { sku: 'A-100', quantity: 2, note: 'fragile' };

// A turn of the event loop now and then, as every real answer takes one: thousands of calls in a single turn keep alive
// what would be dead by then, and the collector's work for it (7 % of a call with axios-retry) is nobody's in practice.
const callsPerTurn = 100;

const answerFromMemory = async (config) => ({
  data: body,
  status: 200,
  statusText: 'OK',
  headers: { 'content-type': 'application/json' },
  config,
  request: undefined,
});

export function makeClient() {
  return axios.create({
    baseURL: 'https://api.example.com',
    headers: { Accept: 'application/json', 'X-Client': 'benchmark' },
    adapter: answerFromMemory,
  });
}

/** Each makes so many calls one after the other, with that config if there is one, and gives the last answer. */
export const batches = {
  async get(client, calls, config) {
    let last;
    for (let call = 0; call < calls; call++) {
      last = await client.get('/v1/customers/1', config);
      if ((call + 1) % callsPerTurn === 0) await nextTurn();
    }
    return last;
  },

  async post(client, calls, config) {
    let last;
    for (let call = 0; call < calls; call++) {
      last = await client.post('/v1/orders', order, config);
      if ((call + 1) % callsPerTurn === 0) await nextTurn();
    }
    return last;
  },
};

export function requireAnswer(last) {
  if (last.status !== 200 || last.data.name !== 'Ada Lovelace') throw new Error('the call gave a wrong answer');
}

const AT_A_TIME = 8;
const TIMES = 31;

/**
 * What a call allocates, in bytes, where `batch(calls)` makes so many. Between two collections the heap grows by exactly what was asked for;
 * so few calls at a time seldom meet one, and the median is taken of many times.
 */
export async function bytesPerCall(batch) {
  return ((await growthBy(batch, AT_A_TIME)) - (await growthBy(batch, 0))) / AT_A_TIME;
}

async function growthBy(batch, calls) {
  const grown = [];
  for (let time = 0; time < TIMES; time++) {
    const before = process.memoryUsage().heapUsed;
    await batch(calls);
    grown.push(process.memoryUsage().heapUsed - before);
  }
  return quantile(grown, 0.5);
}
