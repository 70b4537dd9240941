/** The stand-in of a family of APIs, and a client under its preset that has more to do than the quota lets through. */
import axios from 'axios';
import { attach } from 'axios-holdfast';
import { FAMILIES } from '../stand-in/families.ts';
import { startStandIn } from '../stand-in/server.ts';
import type { Moment } from './timeline.ts';
import { watch } from './watch.ts';

const MANY = 80;

/** Whether client and server agree in the end on what has happened. */
export async function playFamily(name: string, tell: (moment: Moment) => void): Promise<boolean> {
  const [family, preset] = FAMILIES[name] ?? [];
  if (family === undefined || preset === undefined) {
    throw new Error(`there is no family ${name}: ${Object.keys(FAMILIES).join(', ')}`);
  }
  const server = await startStandIn(family);
  const client = axios.create({ baseURL: server.url });
  const holdfast = attach(client, preset());
  watch(client, holdfast, tell);

  for (const call of family.calls) {
    const isRead = call.method === 'get';
    tell({ kind: 'chapter', title: `${isRead ? MANY : 4} times ${call.method.toUpperCase()} ${call.url}` });
    await Promise.allSettled(Array.from({ length: isRead ? MANY : 4 }, () => client.request({ ...call })));
  }
  for (const { title, reply } of family.failures ?? []) {
    tell({ kind: 'chapter', title });
    server.script(reply);
    await client.request({ ...family.calls[0] }).catch(() => {});
  }

  const { sends } = holdfast.stats();
  const agree = sends === server.seen.length;
  const { served, refused } = server.counters;
  tell({ kind: 'chapter', title: `Totals: client and server ${agree ? 'agree' : 'DIFFER'}` });
  console.log(`  requests: client ${sends}, server ${server.seen.length}; served ${served}, refused ${refused}`);
  await holdfast.close();
  await server.close();
  return agree;
}
