/** A process that makes a call each time that it is told to, and says what came of it. */
import axios from 'axios';
import { attach, reportOf } from '../../lib/index.ts';

const client = axios.create({ baseURL: process.argv[2] ?? '' });
attach(client, { retry: { backoff: () => 60_000 }, deadlineMs: 30_000, limit: { maxConcurrent: 2 } });

process.on('message', async (path: string) => {
  const ended = await client.get(path).catch((error: unknown) => error);
  const { endedBecause } = reportOf(ended) ?? {};
  process.send?.(endedBecause);
});
process.send?.('ready');
