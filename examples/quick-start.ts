/** The least that one needs: a call that is throttled, an API that is away for a moment, and a failure that says why. */
import axios from 'axios';
import { attach, failureOf, reportOf } from 'axios-holdfast';
import { startPartnerApi } from './partner-api/server.ts';

const server = await startPartnerApi();
const client = axios.create({ baseURL: server.url, timeout: 10_000 });
attach(client, { deadlineMs: 30_000 });

server.script({ kind: 'answer', status: 429, retryAfter: 1 }, { kind: 'drop', when: 'on-arrival' });
const customers = await client.get('/v1/customers');
for (const { status, code, verdict, delayMs } of reportOf(customers)?.sends ?? []) {
  console.log(
    `${status ?? code}: ${verdict}${delayMs === undefined ? '' : `, then ${Math.round(delayMs)} ms of waiting`}`,
  );
}

server.script({ kind: 'answer', status: 409, code: '800060' });
await client.post('/v1/customers/c1/orders', { product: 'seats', quantity: 5 }).catch((error: unknown) => {
  console.log(failureOf(error)?.summary);
});
await server.close();
