/** Every page of a long list, read as fast as the quota allows: 100 requests in any second. */
import { stdout } from 'node:process';
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { startPartnerApi } from './partner-api/server.ts';

const pages = Array.from({ length: 400 }, (_, i) => i + 1);
const server = await startPartnerApi({ quota: { requests: 100, perMs: 1_000 } });
const client = axios.create({ baseURL: server.url, timeout: 10_000 });
const holdfast = attach(client, {
  limit: { requests: 100, perMs: 1_000, maxConcurrent: 10, maxQueue: pages.length },
  retry: { maxRetries: 8 }, // nobody is waiting
});

let done = 0;
const beganAt = performance.now();
const draw = () => {
  const width = 40;
  const bar = '█'.repeat(Math.round((done / pages.length) * width)).padEnd(width, '░');
  const { queued, inFlight, retries } = holdfast.stats();
  const line = `${bar} ${done} of ${pages.length} · ${queued} queued · ${inFlight} under way · ${retries} retries`;
  if (stdout.isTTY) stdout.write(`\r${line}`);
  else if (done % 100 === 0) console.log(line);
};

server.script({ kind: 'answer', status: 503, times: 3 }); // a night without a hiccup would be a surprise
await Promise.all(
  pages.map(async (page) => {
    await client.get('/v1/customers', { params: { page } });
    done += 1;
    draw();
  }),
);

const seconds = (performance.now() - beganAt) / 1_000;
const refused = server.counters.byStatus['429'] ?? 0;
console.log(`\n${done} pages in ${seconds.toFixed(1)} s, ${refused} requests refused`);
await holdfast.close();
await server.close();
