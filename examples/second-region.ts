/** Failover: a retry goes to a second region, and while the first one's circuit is open, so does every new call. */
import axios from 'axios';
import { attach, reportOf } from 'axios-holdfast';
import { startPartnerApi } from './partner-api/server.ts';

const east = await startPartnerApi();
const west = await startPartnerApi();
const client = axios.create({ baseURL: east.url, timeout: 2_000 });
const holdfast = attach(client, {
  deadlineMs: 10_000,
  breaker: { minimumThroughput: 4, openMs: 60_000 },
  // A send that is turned to another origin needs the circuit, the budget and the permit of that one.
  beforeSend: ({ config, send }) => {
    if (send > 1) config.baseURL = west.url;
  },
});
// A call that begins while the east is known to be away goes west at once.
client.interceptors.request.use((config) => {
  if (holdfast.stats().open.includes(east.url)) config.baseURL = west.url;
  return config;
});

east.script({ kind: 'answer', status: 503, times: Infinity });
for (let n = 1; n <= 6; n += 1) {
  const response = await client.get('/v1/customers/c1');
  console.log(
    `call ${n}: ${reportOf(response)
      ?.sends.map(({ status }) => status)
      .join(', then ')}`,
  );
}
console.log(`the east saw ${east.counters.requests} requests, the west ${west.counters.requests}`);
await Promise.all([holdfast.close(), east.close(), west.close()]);
