import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from './traffic-plan.ts';
import { brokenRules, RULES, toldInWords } from './traffic-rules.ts';
import { playTraffic } from './traffic-run.ts';

/**
 * More of them look further: `PLANS=25000 npx vitest run spec/properties/traffic.spec.ts`. A failure names its seed; with it in `PLANS_SEED` the
 * same plans are played again.
 */
const PLANS = Number(process.env.PLANS ?? 1_000);
const SEED = process.env.PLANS_SEED === undefined ? {} : { seed: Number(process.env.PLANS_SEED) };

describe('whatever the traffic, the policy and the server, on a clock that moves by itself,', () => {
  it('every rule holds', { timeout: 600_000 + 60 * PLANS }, async () => {
    const looked = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const played = await playTraffic(given);
        const broken = brokenRules(played, looked);
        if (broken.length > 0) throw new Error(toldInWords(played, broken));
      }),
      { numRuns: PLANS, ...SEED },
    );
    // Else a rule has seen nothing that it speaks of.
    for (const rule of Object.keys(RULES)) expect(looked.get(rule), rule).toBeGreaterThan(0);
    if (process.env.PLANS !== undefined) console.log(Object.fromEntries(looked));
  });
});
