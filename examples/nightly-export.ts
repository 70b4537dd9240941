/** Every customer of a tenant, read as fast as the quota allows: 100 requests in any second, never a 429. */
import { stdout } from 'node:process';
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { startPartnerApi } from './partner-api/server.ts';

const ids = Array.from({ length: 400 }, (_, i) => `c${i + 1}`);
const server = await startPartnerApi({ customers: ids });
const client = axios.create({ baseURL: server.url, timeout: 10_000 });
const holdfast = attach(client, {
  limit: { requests: 100, perMs: 1_000, maxConcurrent: 10, maxQueue: ids.length },
  retry: { maxRetries: 8 }, // nobody is waiting
});

let done = 0;
const beganAt = performance.now();
const draw = () => {
  const width = 40;
  const bar = '█'.repeat(Math.round((done / ids.length) * width)).padEnd(width, '░');
  const { queued, inFlight, retries } = holdfast.stats();
  const line = `${bar} ${done} of ${ids.length} · ${queued} queued · ${inFlight} under way · ${retries} retries`;
  if (stdout.isTTY) stdout.write(`\r${line}`);
  else if (done % 100 === 0) console.log(line);
};

server.script({ kind: 'answer', status: 503, times: 3 }); // a night without a hiccup would be a surprise
const names = await Promise.all(
  ids.map(async (id) => {
    const { data } = await client.get(`/v1/customers/${id}`);
    done += 1;
    draw();
    return data.id;
  }),
);

const seconds = (performance.now() - beganAt) / 1_000;
const refused = server.counters.byStatus['429'] ?? 0;
console.log(`\n${names.length} customers in ${seconds.toFixed(1)} s, ${refused} requests refused`);
await holdfast.close();
await server.close();
