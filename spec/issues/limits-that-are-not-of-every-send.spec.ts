import { localLimiter, type Policy, reportOf } from 'axios-holdfast';
import { expect, it } from 'vitest';
import { status } from '../support/attached.ts';
import { byHand } from '../support/by-hand.ts';

const writes = ({ method = 'get' }: { method?: string | undefined }) => method !== 'get' && 'writes';
const policy: Policy = { limit: [{ maxConcurrent: 5 }, { requests: 1, perMs: 1_000, key: writes }] };

it('a limit of a list is not of the sends for which its key says false', async () => {
  const { client, clock } = await byHand(status(200), policy);
  await clock.run(client.post('/'));
  expect(reportOf(await client.get('/'))?.queuedMs).toBe(0);
  const second = await clock.run(client.post('/'));
  expect(reportOf(second)?.queuedMs).toBeGreaterThanOrEqual(990);
});

it('nor does a pause of such sends hold it', async () => {
  const { client, holdfast, clock } = await byHand(status(429, { 'retry-after': '30' }), {
    ...policy,
    limit: [
      { requests: 1, perMs: 1, key: ({ method }) => method === 'get' && 'reads' },
      { requests: 1, perMs: 1, key: writes },
    ],
    retry: false,
  });
  await clock.run(client.get('/').catch(() => {}));
  expect(holdfast.stats().pausedKeys).toBe(1);
});

it('also of one that was handed in', async () => {
  const limiter = localLimiter({ requests: 1, perMs: 1_000, key: writes });
  const { client } = await byHand(status(200), { limit: [limiter] });
  const all = await Promise.all([client.get('/'), client.get('/'), client.get('/')]);
  expect(all.map((each) => reportOf(each)?.queuedMs)).toEqual([0, 0, 0]);
  await limiter.close();
});

it('alone it must say which bucket', async () => {
  const { client } = await byHand(status(200), { limit: { requests: 1, perMs: 1_000, key: writes } });
  await expect(client.get('/')).rejects.toThrow('limit.key must return a string, got false');
});
