import { describe, expect, it } from 'vitest';
import { attached, inTurn, status } from '../support/attached.ts';

/** Report: bottleneck#201, a short burst limit beside a long quota. At the pace of the hour, one in 0.72 s, 30 calls take 21 s. */
const windows = [
  { requests: 50, perMs: 1_000 },
  { requests: 5_000, perMs: 3_600_000, burst: 5_000 },
];

describe('of 50 a second and 5,000 an hour, in any shape', () => {
  it.each([
    ['a 429 with Retry-After: 1', { 'retry-after': '1' }],
    ['a 429 that names no time', {}],
  ])('%s costs a pause, and nothing of the 5,000', async (_what, headers) => {
    const policy = { limit: { windows }, deadlineMs: 10_000 };
    const { client, server } = await attached(inTurn(status(429, headers), status(200)), policy);
    const answers = await Promise.all(Array.from({ length: 30 }, (_, i) => client.get(`/${i}`)));
    expect(answers.every((answer) => answer.status === 200)).toBe(true);
    expect(server.seen).toHaveLength(31);
  });
});

describe('and where the pace is learnt within them', () => {
  it.each([
    ['a 429 with Retry-After: 1', { 'retry-after': '1' }],
    ['a 429 that names no time', {}],
  ])(
    '%s leaves what is left of the 5,000, so that the pace climbs again',
    async (_what, headers) => {
      const policy = { limit: { windows, adaptive: true }, deadlineMs: 40_000 };
      const { client, server } = await attached(
        (request, response, n) => status(n === 10 ? 429 : 200, n === 10 ? headers : {})(request, response, n),
        policy,
      );
      // At the pace of the hour they take over a minute.
      const answers = await Promise.all(Array.from({ length: 110 }, (_, i) => client.get(`/${i}`)));
      expect(answers.every((answer) => answer.status === 200)).toBe(true);
      expect(server.seen).toHaveLength(111);
    },
    60_000,
  );
});
