import { describe, expect, it, onTestFinished } from 'vitest';
import { type QuotaServerOptions, quotaServer } from './quota-server.ts';

/** An hour's quota, so that nothing comes back while the test runs. */
const HOUR = { requests: 3, perMs: 3_600_000, burst: 3, latencyMs: [0, 0] } as const;

async function started(options: QuotaServerOptions) {
  const server = await quotaServer(options);
  onTestFinished(() => server.close());
  const get = (client: string) => fetch(server.url, { headers: { 'x-client': client } });
  return { server, get };
}

describe(quotaServer, () => {
  it.each([
    ['bucket', { ...HOUR, kind: 'bucket' }, '1200'],
    ['nginx', { ...HOUR, kind: 'nginx', burst: 2 }, '1200'],
    ['sliding', { ...HOUR, kind: 'sliding' }, '3600'],
    ['express', { ...HOUR, kind: 'express' }, '3600'],
  ] as const)('%s admits its quota, then names the time', async (_kind, options, named) => {
    const { server, get } = await started(options);
    const answers = [await get('a'), await get('a'), await get('b'), await get('b')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    expect(answers[3]?.headers.get('retry-after')).toBe(named);
    expect(await server.stats()).toMatchObject({
      admitted: 3,
      refused: 1,
      clients: { a: { admitted: 2, refused: 0 }, b: { admitted: 1, refused: 1 } },
    });
  });

  it('fixed admits its quota, then names the end of the window', async () => {
    const { get } = await started({ ...HOUR, kind: 'fixed' });
    const answers = [await get('a'), await get('a'), await get('a'), await get('a')];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429]);
    const named = Number(answers[3]?.headers.get('retry-after'));
    expect(named).toBeGreaterThan(0);
    expect(named).toBeLessThanOrEqual(3_600);
  });

  it('counts who comes before the time that was named to anybody, and to them', async () => {
    const { server, get } = await started({ ...HOUR, requests: 1, burst: 1, inFlightMs: 0 });
    for (const client of ['a', 'a', 'b', 'a']) await get(client);
    expect(await server.stats()).toMatchObject({
      pauseViolations: 2,
      clients: { a: { pauseViolations: 1 }, b: { pauseViolations: 0 } },
    });
  });

  it('names no time, or the quota as well', async () => {
    const { server, get } = await started({ ...HOUR, requests: 1, burst: 1, headers: 'none' });
    await get('a');
    expect((await get('a')).headers.get('retry-after')).toBeNull();
    await server.reset({ headers: 'draft8' });
    const { headers } = await get('a');
    expect([headers.get('ratelimit-policy'), headers.get('ratelimit')]).toEqual([
      '"default";q=1;w=3600',
      '"default";r=0;t=3600',
    ]);
  });

  it('starts afresh, and changes the quota while it runs', async () => {
    const { server, get } = await started({ ...HOUR, kind: 'sliding', requests: 1 });
    await get('a');
    expect((await get('a')).status).toBe(429);
    await server.change({ requests: 2 });
    expect((await get('a')).status).toBe(200);
    await server.reset();
    expect(await server.stats()).toMatchObject({ admitted: 0, refused: 0, clients: {} });
  });

  it('shares the quota with a stranger', async () => {
    const { server } = await started({ requests: 1_000, perMs: 1_000, burst: 1_000, stranger: 1 });
    await expect.poll(async () => (await server.stats()).stranger.admitted).toBeGreaterThan(0);
  });

  it('refuses options that it does not have', async () => {
    await expect(quotaServer({ kind: 'sliding', requests: 0 })).rejects.toThrow('requests must be at least 1, got 0');
  });
});
