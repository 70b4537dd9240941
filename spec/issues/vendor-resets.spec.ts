import { describe, expect, it } from 'vitest';
import { inTurn, status } from '../support/attached.ts';
import { byHand, runThrough } from '../support/by-hand.ts';

/** Noon, and what the server's clock says; the hand-moved clock begins elsewhere. */
const DATE = { date: 'Mon, 30 Nov 2026 12:00:00 GMT' };

/** The waits before the retries of a call that is answered 429 with these headers, and then 200. */
async function waitsFor(headers: Record<string, string>, retry = {}): Promise<readonly number[]> {
  const policy = { retry: { backoff: () => 777, ...retry } };
  const made = await byHand(inTurn(status(429, { ...DATE, ...headers }), status(200)), policy);
  const waits = runThrough(made);
  await made.client.get('/');
  return waits;
}

/** Jitter is only ever added to what is named. */
const about = (ms: number) => [expect.toSatisfy((waited: number) => waited >= ms && waited <= 1.25 * ms + 1_000)];

describe('a reset in a form of its own', () => {
  it.each([
    ['an instant without seconds, as Jira has it', { 'x-ratelimit-reset': '2026-11-30T12:01Z' }, 60_000],
    ['the same in another zone', { 'x-ratelimit-reset': '2026-11-30T13:01+01:00' }, 60_000],
    ['the same with the zone by name', { 'x-ratelimit-reset': '2026-11-30 12:01:00 UTC' }, 60_000],
    ['ms beside a limit per minute', { 'x-ratelimit-limit': '100;w=60', 'x-ratelimit-reset': '59000' }, 59_000],
    ['an epoch in µs', { 'x-ratelimit-limit': '100', 'x-ratelimit-reset': '1796040060000000' }, 60_000],
  ])('is waited for: %s', async (_, headers, ms) => {
    const named = { 'x-ratelimit-limit': '100', 'x-ratelimit-remaining': '0', ...headers };
    expect(await waitsFor(named, { retryAfter: { maxMs: 120_000 } })).toEqual(about(ms));
  });

  it('600000 beside a limit per minute are ten minutes, and not a week', async () => {
    const headers = { 'x-rate-limit-limit': '1m', 'x-rate-limit-remaining': '0', 'x-rate-limit-reset': '600000' };
    expect(await waitsFor(headers, { retryAfter: { maxMs: 900_000 } })).toEqual(about(600_000));
  });
});

describe('numbers that are none', () => {
  it.each([
    ['-1 of -1', { 'x-ratelimit-limit': '-1', 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '0' }],
    [
      '-1 of -1 of each unit, as Azure OpenAI has it',
      {
        'x-ratelimit-limit-requests': '-1',
        'x-ratelimit-remaining-requests': '-1',
        'x-ratelimit-reset-requests': '0',
        'x-ratelimit-limit-tokens': '-1',
        'x-ratelimit-remaining-tokens': '-1',
        'x-ratelimit-reset-tokens': '0',
      },
    ],
    ['-1 left', { 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '0' }],
    ['0 of 0', { 'ratelimit-limit': '0', 'ratelimit-remaining': '0', 'ratelimit-reset': '0' }],
  ])('are no reason to retry at once: %s', async (_, headers) => {
    expect(await waitsFor(headers)).toEqual([777]);
  });

  it('hold nobody up under adaptive either', async () => {
    const headers = { 'x-ratelimit-limit': '-1', 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '0' };
    const { client, server } = await byHand(status(200, headers), { limit: { adaptive: true } });
    for (let round = 0; round < 3; round++) await Promise.all(Array.from({ length: 20 }, () => client.get('/')));
    expect(server.seen).toHaveLength(60);
  });
});
