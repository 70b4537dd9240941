/** A client with holdfast attached, against a server that throttles, stutters and refuses. `npm start` runs it. */
import axios from 'axios';
import { attach, failureOf, reportOf } from 'axios-holdfast';
import { startPartnerApi } from './partner-api/server.ts';

const server = await startPartnerApi();
const client = axios.create({ baseURL: server.url });
const holdfast = attach(client, { deadlineMs: 20_000, idempotency: { header: 'MS-RequestId' } });

holdfast.on('answered', ({ call, send, status, code, durationMs }) => {
  console.log(`    send ${send} of ${call.id}: ${status ?? code} after ${durationMs} ms`);
});
holdfast.on('retry-scheduled', ({ delayMs }) => console.log(`    waits ${Math.round(delayMs)} ms`));

async function tell(what: string, call: () => Promise<unknown>): Promise<void> {
  console.log(`\n${what}`);
  try {
    const report = reportOf(await call());
    console.log(`  → ${report?.endedBecause} after ${report?.sends.length} send(s) in ${report?.elapsedMs} ms`);
  } catch (error) {
    console.log(`  → ${failureOf(error)?.summary}`);
  }
}

await tell('A call that succeeds', () => client.get('/v1/customers'));

server.script({ kind: 'answer', status: 429, retryAfter: 1, shape: 'gateway' });
await tell('Throttled: it waits as long as the server asked', () => client.get('/v1/customers/c1'));

server.script({ kind: 'answer', status: 503, times: 2 });
await tell('Two hiccups: it backs off and gets through', () => client.get('/v1/customers/c2'));

server.script({ kind: 'drop', when: 'before-headers' });
await tell('An order whose answer is lost: the same key goes out again, and it is placed once', () =>
  client.post('/v1/customers/c1/orders', { product: 'seats', quantity: 5 }),
);

server.script({ kind: 'answer', status: 409, code: '800060', shape: 'nested' });
await tell('A conflict fails fast', () => client.get('/v1/customers'));

server.script({ kind: 'answer', status: 502 });
await tell('A PATCH that a gateway lost is not repeated: it might be applied twice', () =>
  client.patch('/v1/customers/c1/orders/o1', { quantity: 6 }, { holdfast: { idempotency: false } }),
);

const { requests, ordersCreated } = server.counters;
const { sends } = holdfast.stats();
console.log(`\nThe server saw ${requests} requests, the client made ${sends}; ${ordersCreated} order was placed.`);
await holdfast.close();
await server.close();
process.exitCode = requests === sends && ordersCreated === 1 ? 0 : 1;
