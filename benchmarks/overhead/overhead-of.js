/** The work that is the same for every candidate: an instance over an adapter in memory, and a batch of calls. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import axios from 'axios';

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

/**
 * A candidate's `setup`; `equip(client)` attaches what is measured and may return its teardown. With `config`, each call is given that
 * as its own.
 */
export function overheadOf(equip, config) {
  return ({ case: method, size }) => {
    const client = axios.create({
      baseURL: 'https://api.example.com',
      headers: { Accept: 'application/json', 'X-Client': 'benchmark' },
      adapter: answerFromMemory,
    });
    const teardown = equip(client);
    const batch = method === 'get' ? getMany : postMany;

    return {
      teardown,
      async run() {
        const cpuBefore = process.cpuUsage();
        const wallBefore = process.hrtime.bigint();
        const last = await batch(client, size.calls, config);
        const wall = process.hrtime.bigint() - wallBefore;
        const cpu = process.cpuUsage(cpuBefore);

        if (last.status !== 200 || last.data.name !== 'Ada Lovelace') throw new Error('the call gave a wrong answer');
        return { wallNs: Number(wall) / size.calls, cpuNs: ((cpu.user + cpu.system) * 1_000) / size.calls };
      },
    };
  };
}

async function getMany(client, calls, config) {
  let last;
  for (let call = 0; call < calls; call++) {
    last = await client.get('/v1/customers/1', config);
    if (call % callsPerTurn === 0) await nextTurn();
  }
  return last;
}

async function postMany(client, calls, config) {
  let last;
  for (let call = 0; call < calls; call++) {
    last = await client.post('/v1/orders', order, config);
    if (call % callsPerTurn === 0) await nextTurn();
  }
  return last;
}
