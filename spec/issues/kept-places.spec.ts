import { describe, expect, it } from 'vitest';
import type { Policy } from '../../lib/policy/options.ts';
import { ADAPTERS } from '../support/attached.ts';
import { byHand, runQuietly } from '../support/by-hand.ts';
import { type Answer, json } from '../support/loopback.ts';

/** A throttled call's retry went to the tail of the queue: first in, and the 61st of 61 to be answered. */

const urls = (server: { readonly seen: readonly { readonly url: string }[] }) => server.seen.map(({ url }) => url);

async function queueing(answer: Answer, policy: Policy, defaults = {}) {
  const setting = await byHand(
    answer,
    { limit: { maxConcurrent: 1 }, retry: { backoff: () => 0 }, ...policy },
    defaults,
  );
  const all = (paths: readonly string[]) =>
    runQuietly(setting, Promise.allSettled(paths.map((path) => setting.client.get(path))));
  return { ...setting, all };
}

describe.each(ADAPTERS)('a retry, over %s', (adapter) => {
  it.each([
    ['that was throttled for a time', 429, { 'retry-after': '1' }],
    ['that was throttled for no time', 429, {}],
    ['that failed', 503, {}],
  ])('of a call %s keeps its place among those that began in the same ms', async (_what, status, headers) => {
    const paths = Array.from({ length: 61 }, (_, n) => `/${n}`);
    const { all, server } = await queueing(
      (_request, response, n) => (n === 0 ? json(response, status, {}, headers) : json(response, 200)),
      {},
      { adapter },
    );
    await all(paths);
    // While it comes back, at once, the next may have left.
    expect(urls(server).slice(1).indexOf('/0')).toBeLessThanOrEqual(1);
    expect(urls(server).filter((url) => url !== '/0')).toEqual(paths.slice(1));
  });
});

describe('a retry', () => {
  it('goes behind a call of a smaller priority, whenever that began', async () => {
    const { all, server } = await queueing(
      (_request, response, n) => (n === 0 ? json(response, 429, {}, { 'retry-after': '1' }) : json(response, 200)),
      { limit: { maxConcurrent: 1, priority: ({ url }) => (url === '/urgent' ? 0 : 1) } },
    );
    await all(['/first', '/second', '/urgent']);
    expect(urls(server)).toEqual(['/first', '/urgent', '/first', '/second']);
  });

  it('goes behind another call after two refused probes: one route that is refused for good holds up no other', async () => {
    const { all, server } = await queueing(
      ({ url }, response) =>
        url.startsWith('/refused') ? json(response, 429, {}, { 'retry-after': '1' }) : json(response, 200),
      { retry: { backoff: () => 0, maxRetries: 3 } },
    );
    await all(['/refused?1', '/refused?2', '/other', '/another']);
    const order = urls(server);
    // The first send is no probe; two probes are refused, and the next is for another path.
    expect(order.slice(0, 4)).toEqual(['/refused?1', '/refused?1', '/refused?1', '/other']);
    expect(order.indexOf('/another')).toBeLessThan(order.length - 1);
  });

  it('makes way also where all go to one path', async () => {
    const { all, server } = await queueing(
      ({ url }, response) =>
        url === '/same?id=1' ? json(response, 429, {}, { 'retry-after': '1' }) : json(response, 200),
      {},
    );
    await all(['/same?id=1', '/same?id=2']);
    expect(urls(server).slice(0, 4)).toEqual(['/same?id=1', '/same?id=1', '/same?id=1', '/same?id=2']);
  });
});
