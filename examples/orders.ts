/** Orders that are placed once, whatever is lost on the way: each carries an idempotency key, the same on all its sends. */
import axios from 'axios';
import { attach, failureOf, reportOf } from 'axios-holdfast';
import { startPartnerApi } from './partner-api/server.ts';

const server = await startPartnerApi();
const client = axios.create({ baseURL: server.url, timeout: 2_000 });
// The stand-in knows repeats by this header. Most servers call it Idempotency-Key, which is the default.
attach(client, { deadlineMs: 20_000, idempotency: { header: 'MS-RequestId' } });

const mishaps = {
  'an answer that is lost after the order was placed': { kind: 'drop', when: 'before-headers' },
  'a bad gateway': { kind: 'answer', status: 502 },
  'a connection that is lost on arrival': { kind: 'drop', when: 'on-arrival' },
} as const;

for (const [mishap, step] of Object.entries(mishaps)) {
  server.script(step);
  const order = await client.post('/v1/customers/c1/orders', { product: 'seats', quantity: 5 });
  console.log(`${mishap}: ${reportOf(order)?.sends.length} sends, ${order.status}`);
}

// Without a key nobody knows whether the order was placed. So it is not sent again.
server.script({ kind: 'answer', status: 502 });
const order = { product: 'seats', quantity: 5 };
await client.post('/v1/customers/c1/orders', order, { holdfast: { idempotency: false } }).catch((error: unknown) => {
  console.log(`without a key: ${failureOf(error)?.endedBecause}`);
});

console.log(`${server.counters.ordersCreated} orders placed, ${server.counters.ordersRepeated} repeats known again`);
await server.close();
