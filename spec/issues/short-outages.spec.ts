import http from 'node:http';
import axios from 'axios';
import { attach, exponentialBackoff, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { attached } from '../support/attached.ts';
import { closedPort } from '../support/closed-port.ts';
import { json, loopback } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { networkError, scripted } from '../support/scripted.ts';

/** What people meet first: a server that fails for a moment. With the defaults none of it may cost a call. */
describe('a short outage costs no call its success', () => {
  it('where 50 calls leave at once and each is answered 503 once', async () => {
    const failed = new Set<string>();
    const { client, server } = await attached(({ url }, response) => {
      json(response, failed.has(url) ? 200 : 503);
      failed.add(url);
    });
    const calls = Array.from({ length: 50 }, (_, n) => client.get(`/${n}`));
    const statuses = (await Promise.all(calls)).map(({ status }) => status);
    expect(statuses).toEqual(new Array(50).fill(200));
    expect(server.seen).toHaveLength(100);
  });

  it.each([0, 0.5])(
    'where 200 calls, one after the other, are each answered 503, 503 and 200: random %s',
    async (random) => {
      const server = await loopback((_request, response, n) => json(response, n % 3 === 2 ? 200 : 503));
      onTestFinished(() => server.close());
      const client = axios.create({ baseURL: server.url });
      // The waits take no real time, but the budget sees them pass.
      const clock = new ManualClock();
      const holdfast = attachWith({ clock, random: () => random }, client, {});
      for (let call = 0; call < 200; call++) expect((await clock.run(client.get('/'))).status).toBe(200);
      expect(holdfast.stats()).toMatchObject({ calls: 200, sends: 600, retries: 400 });
    },
  );

  it('where 149 of them come in no time: 150 retries and what successes give back', async () => {
    const { client } = await attached((_request, response, n) => json(response, n % 3 === 2 ? 200 : 503));
    for (let call = 0; call < 149; call++) expect((await client.get('/')).status).toBe(200);
  });

  it('where nobody listens for a second', async () => {
    const port = await closedPort();
    const server = http.createServer((_request, response) => void response.end('well'));
    onTestFinished(() => void server.close());
    const client = axios.create({ baseURL: `http://127.0.0.1:${port}`, httpAgent: new http.Agent() });
    attach(client);
    const call = client.get('/').catch((error: unknown) => error);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    server.listen(port, '127.0.0.1');
    expect(await call).toMatchObject({ data: 'well' });
  });

  it.each<[string, Policy, number]>([
    ['a policy that says nothing', {}, 0],
    ['a policy that says nothing', {}, 1],
    ['exponentialBackoff()', { retry: { backoff: exponentialBackoff() } }, 0],
    ['exponentialBackoff()', { retry: { backoff: exponentialBackoff() } }, 1],
  ])('since three retries take at least 1.75 s and at most 3.5 s: %s, random %s', async (_name, policy, random) => {
    const subject = scripted(() => networkError('ECONNREFUSED'), policy, { random: () => random });
    const waits = reportOf(await subject.call())?.sends.map(({ delayMs }) => delayMs);
    const bounds = [500, 1_000, 2_000];
    expect(waits).toEqual([...bounds.map((bound) => (bound * (1 + random)) / 2), undefined]);
    expect(subject.sentAt.at(-1)).toBe(1_750 * (1 + random));
  });
});
