import { expect, it } from 'vitest';
import { soak } from './soak.ts';

it('survives twenty rough seconds, and the books balance', async () => {
  const report = await soak({ forMs: 20_000, workers: 40, seed: 7 });
  expect(report.faults).toEqual([]);
  expect(report.resolved + report.rejected).toBe(report.calls);
  // Few on a busy machine; what has to happen is below.
  expect(report.calls).toBeGreaterThan(100);
  // All of it happened.
  expect(report).toMatchObject({
    aborted: expect.toSatisfy((n: number) => n > 0),
    refreshes: expect.toSatisfy((n: number) => n > 0),
    retries: expect.toSatisfy((n: number) => n > 0),
    ends: {
      'budget-empty': expect.toSatisfy((n: number) => n > 0),
      'circuit-open': expect.toSatisfy((n: number) => n > 0),
      cancelled: expect.toSatisfy((n: number) => n > 0),
      deadline: expect.toSatisfy((n: number) => n > 0),
    },
  });
  expect(report.left).toMatchObject({ inFlight: 0, queued: 0, waiting: 0 });
});
