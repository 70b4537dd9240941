/** A process that waits for an answer, for a retry and in a queue; tells what came of each. */
import axios from 'axios';
import { attach, failureOf } from '../../lib/index.ts';

const client = axios.create({ baseURL: process.argv[2] ?? '' });
attach(client);
const limited = axios.create({ baseURL: process.argv[2] ?? '' });
/** When each left, on the clock of this process: a server may hear of it late. */
const leftAt: number[] = [];
attach(limited, { limit: { requests: 4, perMs: 1_000 }, on: { sent: () => void leftAt.push(performance.now()) } });

const [named, silent, ...paced] = await Promise.all([
  client.get('/named').then(({ status }) => status),
  client.get('/silent', { holdfast: { deadlineMs: 2_500 } }).catch((error) => failureOf(error)?.endedBecause),
  ...Array.from({ length: 8 }, () => limited.get('/paced').then(({ status }) => status)),
]);
process.send?.({ named, paced, silent, leftAt });
process.disconnect?.();
