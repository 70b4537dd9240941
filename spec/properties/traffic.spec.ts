import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { plan } from './traffic-plan.ts';
import { brokenRules, RULES, toldInWords } from './traffic-rules.ts';
import { playTraffic } from './traffic-run.ts';

/**
 * The same thousand each time, so that a change is what breaks them. More of them, and others, look further: `PLANS=25000 npx vitest run
 * spec/properties/traffic.spec.ts`. A failure names its seed; with it in `PLANS_SEED` the same plans are played again.
 */
const { PLANS, PLANS_SEED = PLANS === undefined ? 1 : undefined } = process.env;
const count = Number(PLANS ?? 1_000);

describe('whatever the traffic, the policy and the server, on a clock that moves by itself,', () => {
  it('every rule holds', { timeout: 600_000 + 60 * count }, async () => {
    const looked = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(plan, async (given) => {
        const played = await playTraffic(given);
        const broken = brokenRules(played, looked);
        if (broken.length > 0) throw new Error(toldInWords(played, broken));
      }),
      { numRuns: count, ...(PLANS_SEED !== undefined && { seed: Number(PLANS_SEED) }) },
    );
    // Else a rule has seen nothing that it speaks of.
    for (const rule of Object.keys(RULES)) expect(looked.get(rule), rule).toBeGreaterThan(0);
    if (PLANS !== undefined) console.log(Object.fromEntries(looked));
  });
});
