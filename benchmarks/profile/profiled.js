/**
 * The command: what one kind of client does with its time and its memory, as JSON.
 *
 *   node benchmarks/profile/profiled.js none|defaults|everything get|post CALLS
 *
 * A process of its own, since a profiler slows down what it looks at: nothing is timed here but shares.
 */
import { Session } from 'node:inspector/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attach } from '../../build/index.js';
import { batches, makeClient, requireAnswer } from '../overhead/calls.js';
import { everything } from './policies.js';

const [kind, method, calls] = [process.argv[2], process.argv[3], Number(process.argv[4])];
/** How often it is looked where the processor is, in µs. */
const EVERY_US = 100;
/** Of how many bytes allocated, on average, one is looked at. */
const EVERY_BYTES = 512;

const root = fileURLToPath(new URL('../../', import.meta.url));
const policies = { defaults: () => ({}), everything };
const client = makeClient();
const attachment = kind === 'none' ? undefined : attach(client, policies[kind]());

const run = async (count) => requireAnswer(await batches[method](client, count));
for (let warmup = 0; warmup < 10; warmup++) await run(4_000);

const cpuBefore = process.cpuUsage();
await run(calls);
const { user, system } = process.cpuUsage(cpuBefore);
const cpuNs = ((user + system) * 1_000) / calls;

const session = new Session();
session.connect();
await session.post('Profiler.enable');
await session.post('Profiler.setSamplingInterval', { interval: EVERY_US });
await run(4_000);
await session.post('Profiler.start');
await run(calls);
const { profile } = await session.post('Profiler.stop');

await session.post('HeapProfiler.enable');
const collected = { includeObjectsCollectedByMajorGC: true, includeObjectsCollectedByMinorGC: true };
await session.post('HeapProfiler.startSampling', { samplingInterval: EVERY_BYTES, ...collected });
await run(calls / 10);
const heap = await session.post('HeapProfiler.stopSampling');
session.disconnect();
await attachment?.close();

console.log(JSON.stringify({ ns: nsOf(profile, cpuNs), bytes: bytesOf(heap.profile.head, calls / 10) }));

/** → { [place]: ns a call }: each has its share of what a call took while nobody looked. */
function nsOf({ nodes, samples, timeDeltas }, cpuNs) {
  const self = new Map();
  for (const [i, id] of samples.entries()) self.set(id, (self.get(id) ?? 0) + timeDeltas[i]);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const ns = {};
  let all = 0;
  const visit = (node, above) => {
    const place = placeOf(node.callFrame, above);
    const us = self.get(node.id) ?? 0;
    if (place !== '(idle)') {
      all += us;
      ns[place] = (ns[place] ?? 0) + us;
    }
    for (const id of node.children ?? []) visit(byId.get(id), place);
  };
  visit(nodes[0], '');
  for (const place of Object.keys(ns)) ns[place] *= cpuNs / all;
  return ns;
}

/** → { [place]: bytes a call } */
function bytesOf(head, count) {
  const bytes = {};
  const visit = (node, above) => {
    const place = placeOf(node.callFrame, above);
    bytes[place] = (bytes[place] ?? 0) + node.selfSize / count;
    for (const child of node.children) visit(child, place);
  };
  visit(head, '');
  return bytes;
}

/** `function file:line`. What the engine does for a function of ours or of axios counts as that function's: `Object.assign`, `new Promise`. */
function placeOf({ functionName, url, lineNumber }, above) {
  if (url === '') return functionName.startsWith('(') && functionName !== '(root)' ? functionName : above;
  if (!url.startsWith('file:')) return above.includes(':') ? above : 'node';
  return `${functionName || '(anonymous)'} ${relative(root, fileURLToPath(url))}:${lineNumber + 1}`;
}
