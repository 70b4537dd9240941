import { type Classifier, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, axiosErrorOf, status } from '../support/attached.ts';

const inSeconds = (seconds: number) => Math.floor(Date.now() / 1_000) + seconds;
const DATE = 'Mon, 15 Jan 2029 10:00:00 GMT';

/** What a call that can't wait at all says that it would have had to wait. */
async function namedBy(code: number, headers: { [name: string]: string }, classify?: Classifier): Promise<unknown> {
  const policy: Policy = { classify, retry: { retryAfter: { maxMs: 0 }, maxRetries: 1 } };
  const { client } = await attached(status(code, headers), policy);
  return failureOf(await axiosErrorOf(client.get('/')));
}

describe('a reset without a word of what remains', () => {
  it.each([
    ['seconds', { 'x-ratelimit-reset': '7' }],
    ['seconds', { 'x-rate-limit-reset': '7' }],
    ['seconds', { 'ratelimit-reset': '7' }],
    ['seconds', { 'x-ratelimit-limit': '100', 'x-ratelimit-reset': '7' }],
    ['seconds', { 'x-ratelimit-retry-after': '7' }],
    ['seconds', { 'x-ratelimit-reset-after': '6.999' }],
    ['seconds', { 'x-ratelimit-reset-requests': '7s' }],
    ['seconds', { ratelimit: 'limit=100, reset=7' }],
    ['an epoch in seconds', { date: DATE, 'x-ratelimit-reset': String(Date.parse(DATE) / 1_000 + 7) }],
    ['an epoch in seconds', { date: DATE, 'x-ratelimit-retry-after': String(Date.parse(DATE) / 1_000 + 7) }],
    ['an epoch in ms', { date: DATE, 'x-ratelimit-reset': String(Date.parse(DATE) + 7_000) }],
    ['a date', { date: DATE, 'x-ratelimit-reset': 'Mon, 15 Jan 2029 10:00:07 GMT' }],
    ['a date', { date: DATE, 'x-ratelimit-reset': '2029-01-15T10:00:07Z' }],
  ])('is the wait of a 429: %s, %o', async (_, headers) => {
    expect(await namedBy(429, headers)).toMatchObject({
      endedBecause: 'wait-too-long',
      retryAfterMs: expect.closeTo(7_000, -1),
    });
  });

  it('is so by our own clock where the server does not say what its own shows', async () => {
    const { retryAfterMs } = (await namedBy(429, { 'x-ratelimit-reset': String(inSeconds(60)) })) as {
      retryAfterMs: number;
    };
    expect(retryAfterMs).toBeGreaterThan(50_000);
    expect(retryAfterMs).toBeLessThanOrEqual(61_000);
  });

  it('is the wait of whatever a judge calls throttled', async () => {
    const classify: Classifier = ({ status }) => (status === 403 ? { kind: 'throttled' } : undefined);
    expect(await namedBy(403, { 'x-ratelimit-reset': '7' }, classify)).toMatchObject({ retryAfterMs: 7_000 });
  });

  it('is shown to a judge of a 429', async () => {
    const shown: unknown[] = [];
    await namedBy(429, { 'x-ratelimit-reset': '7' }, ({ retryAfterMs }) => void shown.push(retryAfterMs));
    expect(shown).toEqual([7_000]);
  });

  it.each([
    [503, { 'x-ratelimit-reset': '7' }],
    [503, { 'ratelimit-reset': '7' }],
    [429, { 'x-ratelimit-remaining': '3', 'x-ratelimit-reset': '7' }],
    // An epoch long past or a delay: with a number beside it that could tell, it is no lone reset.
    [429, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '123' }],
    [429, { 'x-ratelimit-reset': '0' }],
    [429, { 'x-ratelimit-reset': 'soon' }],
    [429, { date: DATE, 'x-ratelimit-reset': '2029-01-15T09:00:00Z' }],
  ])('is none after a %i with %o', async (code, headers) => {
    expect(await namedBy(code, headers)).toMatchObject({ endedBecause: 'retries-exhausted', retryAfterMs: undefined });
  });

  it('gives way to Retry-After', async () => {
    expect(await namedBy(429, { 'retry-after': '3', 'x-ratelimit-reset': '7' })).toMatchObject({ retryAfterMs: 3_000 });
  });

  it('is waited for', async () => {
    const delays: number[] = [];
    const { client, server } = await attached(
      (request, response, n) => status(n === 0 ? 429 : 200, { 'x-ratelimit-reset': '1' })(request, response, n),
      { on: { 'retry-scheduled': ({ delayMs }) => void delays.push(delayMs) } },
    );
    await client.post('/', {});
    expect(delays).toEqual([1_000]);
    expect(server.seen).toHaveLength(2);
  });
});
