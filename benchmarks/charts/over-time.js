/** How much each client gets through, second by second, of a server that admits 100 a second and tells nobody. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { control } from '../quota-server/control.js';
import { startQuotaServer } from '../quota-server/start.js';

const kept = new URL('goodput.json', import.meta.url);
const SECONDS = 30;
const QUOTA = {
  kind: 'sliding',
  requests: 100,
  perMs: 1_000,
  burst: 1,
  stranger: 0,
  latencyMs: [5, 30],
  headers: 'retry-after',
};
const CANDIDATES = {
  holdfast: 'holdfast',
  'holdfast, adaptive': 'holdfast-adaptive',
  'axios-retry': 'axios-retry',
  'retry-axios': 'retry-axios',
  'Bottleneck, reservoir': 'bottleneck-reservoir',
};

/** Measures it anew, one client after the other, and keeps it for the next drawing. Takes three minutes. */
export async function measure() {
  const server = await startQuotaServer();
  const measured = {};
  for (const [name, file] of Object.entries(CANDIDATES)) {
    const { setup } = await import(`../goodput/candidates/${file}.js`);
    const time = { firstMs: 1_000, windows: SECONDS };
    const { run } = setup({ case: QUOTA, size: { workers: 32, told: time, learning: time }, shared: server });
    await run();
    const { seconds } = await control(server.url).stats();
    measured[name] = seconds.slice(0, SECONDS);
  }
  await server.close();
  await mkdir(new URL('.', kept), { recursive: true });
  await writeFile(kept, `${JSON.stringify(measured)}\n`);
}

/** What was measured last, as points in seconds and requests: what was admitted, and what was refused. */
export async function goodputOverTime() {
  const measured = JSON.parse(await readFile(kept, 'utf8'));
  const of = (what) =>
    Object.fromEntries(
      Object.entries(measured).map(([name, counts]) => [
        name,
        counts.map((count, second) => [second + 0.5, count[what]]),
      ]),
    );
  return { admitted: of('admitted'), refused: of('refused') };
}
