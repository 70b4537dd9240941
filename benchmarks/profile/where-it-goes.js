/** The tables by room and by function: what is ours, out of all that a call takes. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { table } from '../harness/results.js';

const run = promisify(execFile);
const command = fileURLToPath(new URL('profiled.js', import.meta.url));
const SHOWN = 30;

const LOOKED_AT = [
  { kind: 'defaults', method: 'get', heading: 'GET, defaults' },
  { kind: 'everything', method: 'post', heading: 'POST, everything on' },
];

export async function whereItGoes(size) {
  const sections = [];
  for (const { kind, method, heading } of LOOKED_AT) {
    const [bare, attached] = [await meanOf('none', method, size), await meanOf(kind, method, size)];
    sections.push(
      `### ${heading}, by folder`,
      byRoom(bare, attached),
      `### ${heading}, by function`,
      byFunction(attached),
    );
  }
  return sections.join('\n\n');
}

/** → Map of the place → { ns, bytes }, both for each call, over several profiles. */
async function meanOf(kind, method, { profiles, profiled }) {
  const means = new Map();
  for (let profile = 0; profile < profiles; profile++) {
    const { stdout } = await run(process.execPath, [command, kind, method, String(profiled)]);
    for (const [what, places] of Object.entries(JSON.parse(stdout))) {
      for (const [place, amount] of Object.entries(places)) {
        if (!means.has(place)) means.set(place, { ns: 0, bytes: 0 });
        means.get(place)[what] += amount / profiles;
      }
    }
  }
  return means;
}

function byRoom(bare, attached) {
  const rooms = new Map();
  const add = (places, column) => {
    for (const [place, { ns, bytes }] of places) {
      const room = roomOf(place);
      if (!rooms.has(room)) rooms.set(room, { bare: { ns: 0, bytes: 0 }, attached: { ns: 0, bytes: 0 } });
      rooms.get(room)[column].ns += ns;
      rooms.get(room)[column].bytes += bytes;
    }
  };
  add(bare, 'bare');
  add(attached, 'attached');
  const all = totalOf(attached);
  const rows = [...rooms]
    .sort(([, a], [, b]) => b.attached.ns - a.attached.ns)
    .map(([room, { bare, attached }]) => [room, whole(bare.ns), ...costs(attached, all, whole(bare.bytes))]);
  return table([['', 'ns, bare', 'ns', '%', 'bytes, bare', 'bytes', '%'], ...rows]);
}

function byFunction(attached) {
  const all = totalOf(attached);
  const ours = [...attached].filter(([place]) => place.includes(' build/'));
  // By what each is of the whole, in time or in memory.
  const weight = ({ ns, bytes }) => ns / all.ns + bytes / all.bytes;
  const rows = ours
    .sort(([, a], [, b]) => weight(b) - weight(a))
    .slice(0, SHOWN)
    .map(([place, cost]) => [place.replace(' build/', ' '), ...costs(cost, all)]);
  return table([['function', 'ns', '%', 'bytes', '%'], ...rows]);
}

function costs({ ns, bytes }, all, ...between) {
  return [whole(ns), percent(ns / all.ns), ...between, whole(bytes), percent(bytes / all.bytes)];
}

function totalOf(places) {
  const total = { ns: 0, bytes: 0 };
  for (const { ns, bytes } of places.values()) {
    total.ns += ns;
    total.bytes += bytes;
  }
  return total;
}

function roomOf(place) {
  const [, path = ''] = place.split(' ');
  if (place === '(garbage collector)') return 'garbage collector';
  if (path.startsWith('build/'))
    return `holdfast ${path.split('/').length > 2 ? `${path.split('/')[1]}/` : 'the loop'}`;
  return path.startsWith('node_modules/axios/') ? 'axios' : 'the rest: promises, the benchmark';
}

const whole = (number) => Math.round(number).toLocaleString('en-US');
const percent = (share) => (share * 100).toFixed(1);
