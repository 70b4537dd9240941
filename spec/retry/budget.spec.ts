import {
  type BudgetOptions,
  type EventOf,
  exponentialBackoff,
  failureOf,
  LimitError,
  mergePolicies,
  type Policy,
  type Report,
  reportOf,
} from 'axios-holdfast';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VerdictKind } from '../../lib/call/verdict.ts';
import { RetryBudget } from '../../lib/retry/budget.ts';
import { DEFAULTS } from '../support/policies.ts';
import { type Line, networkError, type Scripted, scripted } from '../support/scripted.ts';

const ORIGIN = 'https://api.example.com';
/** Time brings nothing. */
const NO_REFILL = { budget: { refillPerSecond: 0 } };
const retry500 = { statuses: { 500: 'retry' } } as const;

/** Makes a call; notes the balance when the first send was answered and whenever it changed from then on. */
async function balancesOf(subject: Scripted, config?: Parameters<Scripted['call']>[0]) {
  const balances: (number | undefined)[] = [];
  const look = () => void balances.push(subject.holdfast.stats().budget[ORIGIN]);
  const off = ['retry-scheduled', 'finished'].map((event) => subject.holdfast.on(event as 'finished', look));
  const ended = await subject.call(config);
  for (const each of off) each();
  return { ended, balances };
}

const delaysOf = (report: Report | undefined) =>
  report?.sends.flatMap(({ delayMs }) => (delayMs === undefined ? [] : [delayMs]));

/** A call of a specification case: what the server answers, what waits there are, the balance after each step, the end. */
interface Call {
  readonly answers: readonly number[];
  readonly delaysMs: readonly number[];
  readonly balances: readonly number[];
  readonly ends: Report['endedBecause'];
}

interface Case {
  readonly name: string;
  readonly policy?: Policy;
  readonly calls: readonly Call[];
}

/** What the AWS SDKs have: a bucket of 500 that time does not fill, and waits from 50 ms. */
const AWS = {
  backoff: exponentialBackoff({ baseMs: 50, jitter: 'full' }),
  budget: { capacity: 500, refillPerSecond: 0 },
};

/** The specification cases of the AWS SDKs' standard retry mode (2026 constants), with the jitter fixed at 1. */
const CASES: readonly Case[] = [
  {
    name: '1: a success after retries gives the last cost back',
    calls: [{ answers: [500, 500, 200], delaysMs: [50, 100], balances: [486, 472, 486], ends: 'success' }],
  },
  {
    name: '2: the number of sends runs out before the budget does',
    policy: { retry: { maxRetries: 2 } },
    calls: [{ answers: [502, 502, 502], delaysMs: [50, 100], balances: [486, 472, 472], ends: 'retries-exhausted' }],
  },
  {
    name: '3: a balance of 14 is one retry',
    policy: { retry: { budget: { capacity: 14 } } },
    calls: [{ answers: [500, 500], delaysMs: [50], balances: [0, 0], ends: 'budget-empty' }],
  },
  {
    name: '4: an empty budget allows none',
    policy: { retry: { budget: { capacity: 0 } } },
    calls: [{ answers: [500], delaysMs: [], balances: [0], ends: 'budget-empty' }],
  },
  {
    name: '5: each retry waits twice as long',
    policy: { retry: { maxRetries: 4 } },
    calls: [
      {
        answers: [500, 500, 500, 500, 500],
        delaysMs: [50, 100, 200, 400],
        balances: [486, 472, 458, 444, 444],
        ends: 'retries-exhausted',
      },
    ],
  },
  {
    name: '6: what is left over but too little is no retry',
    policy: { retry: { budget: { capacity: 20 } } },
    calls: [{ answers: [500, 500], delaysMs: [50], balances: [6, 6], ends: 'budget-empty' }],
  },
  {
    name: '7: a success lets the next call retry again',
    policy: { retry: { budget: { capacity: 30 } } },
    calls: [
      { answers: [500, 500, 200], delaysMs: [50, 100], balances: [16, 2, 16], ends: 'success' },
      { answers: [500, 200], delaysMs: [50], balances: [2, 16], ends: 'success' },
    ],
  },
  {
    name: '8: throttling costs less and waits longer',
    calls: [{ answers: [429, 200], delaysMs: [1_000], balances: [495, 500], ends: 'success' }],
  },
];

describe('the retry budget, over the whole loop', () => {
  it.each(CASES)('specification case $name', async ({ policy, calls }) => {
    const subject = scripted(
      calls.flatMap(({ answers }) => answers),
      mergePolicies(retry500, { retry: AWS }, policy),
    );
    for (const { answers, delaysMs, balances, ends } of calls) {
      const { ended, balances: seen } = await balancesOf(subject);
      const report = reportOf(ended);
      expect(delaysOf(report)).toEqual(delaysMs);
      expect(seen).toEqual(balances);
      expect(report?.endedBecause).toBe(ends);
      expect(report?.sends.map(({ status }) => status)).toEqual(answers);
    }
  });

  it('doubles the wait up to the cap', async () => {
    const subject = scripted(() => 500, { ...retry500, retry: { maxRetries: 11, budget: false } });
    const seconds = [0.5, 1, 2, 4, 8, 16, 20, 20, 20, 20, 20];
    expect(delaysOf(reportOf(await subject.call()))?.map((ms) => ms / 1_000)).toEqual(seconds);
    const gaps = subject.sentAt.slice(1).map((at, i) => (at - Number(subject.sentAt[i])) / 1_000);
    expect(gaps).toEqual(seconds);
  });

  it('gives 1 back for a success without a retry, and never more than fits', async () => {
    const subject = scripted([503, 503, 503, 503, 200, 404, 200, 200], { retry: NO_REFILL });
    await subject.call();
    expect(subject.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_058 });
    await subject.call();
    expect(subject.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_059 });
    await subject.call();
    expect(subject.holdfast.stats().budget, 'a failure gives nothing back').toEqual({ [ORIGIN]: 2_059 });
    await subject.call();
    expect(subject.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_060 });

    const full = scripted(() => 200);
    await full.call();
    expect(full.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_100 });
  });

  it('gives back what the last retry took, be it for throttling or for a transient failure', async () => {
    const subject = scripted([503, 429, 200, 429, 503, 200], { retry: NO_REFILL });
    expect((await balancesOf(subject)).balances).toEqual([2_086, 2_081, 2_086]);
    expect((await balancesOf(subject)).balances).toEqual([2_081, 2_067, 2_081]);
  });

  it('gives back what a retry took that never left, and never more than fits', async () => {
    let given = 0;
    const permit = { release: () => {} };
    const limit = {
      acquire: () => (given++ === 0 ? permit : Promise.reject(new LimitError('ERR_LIMIT_QUEUE_FULL', 'full'))),
      pause: () => {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const { balances } = await balancesOf(scripted([503], { limit, retry: NO_REFILL }));
    expect(balances).toEqual([2_086, 2_100]);
    const account = new RetryBudget({ ...DEFAULTS.retry.budget, capacity: 20 }).account('k');
    const giveBack = account.withdraw('transient', 14, 0);
    account.succeeded(10);
    giveBack();
    expect(account.balance(0)).toBe(20);
  });

  it('ends a call at once when it is empty, with an event, and with the last answer', async () => {
    const heard: EventOf<'budget-empty'>[] = [];
    const subject = scripted([502], {
      retry: { budget: { capacity: 13 } },
      on: { 'budget-empty': (e) => heard.push(e) },
    });
    const error = await subject.call();
    expect(failureOf(error)).toMatchObject({
      kind: 'unavailable',
      status: 502,
      endedBecause: 'budget-empty',
      sends: 1,
      waitedMs: 0,
      elapsedMs: 0,
      summary:
        'GET / ended after 1 send in 0 ms: 502 unavailable, the retry budget is empty (balance 13 of 13, a retry costs 14)',
      budget: { rule: 'bucket', retries: 0, calls: 1, balance: 13 },
    });
    expect(subject.clock.pending).toBe(0);
    expect(heard).toEqual([
      { call: expect.objectContaining({ sends: 1 }), key: ORIGIN, rule: 'bucket', retries: 0, calls: 1, balance: 13 },
    ]);
  });

  it('blames itself only where a retry would have been made otherwise', async () => {
    const empty: Policy = { retry: { budget: { capacity: 0 } } };
    const ends = async (script: Line[], policy: Policy = {}, method = 'get') =>
      failureOf(await scripted(script, { ...empty, ...policy }).call({ url: '/', method }))?.endedBecause;

    expect(await ends([404])).toBe('not-retryable');
    expect(await ends([503], {}, 'post')).toBe('unsafe-method');
    expect(await ends([503], { retry: { maxRetries: 0, budget: { capacity: 0 } } })).toBe('retries-exhausted');
    expect(await ends([{ status: 503, headers: { 'retry-after': '61' } }])).toBe('wait-too-long');
    expect(await ends([503])).toBe('budget-empty');
  });

  it('never delays or refuses a first send', async () => {
    const subject = scripted((n) => (n < 40 ? 503 : 200), { retry: { budget: { capacity: 0 } } });
    for (let call = 0; call < 41; call++) await subject.call();
    expect(subject.sentAt).toEqual(new Array(41).fill(0));
    expect(subject.holdfast.stats()).toMatchObject({ calls: 41, sends: 41, retries: 0 });
  });

  it('counts a network error as a transient failure', async () => {
    const subject = scripted([networkError('ECONNRESET'), 200]);
    expect((await balancesOf(subject)).balances).toEqual([2_086, 2_100]);
  });

  it('bounds nothing where it is off, and has no balance then', async () => {
    const subject = scripted(() => 503, { retry: { maxRetries: 100, budget: false, backoff: () => 0 } });
    expect(reportOf(await subject.call())?.sends).toHaveLength(101);
    expect(subject.holdfast.stats().budget).toEqual({});
  });
});

describe('the keys of the retry budget', () => {
  it('are the origins', async () => {
    const subject = scripted(() => 503, { retry: { maxRetries: 1, ...NO_REFILL } });
    await subject.call({ url: '/a?token=1' });
    await subject.call({ url: '/b' });
    await subject.call({ url: 'https://user:word@other.example:8443/c' });
    expect(subject.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_072, 'https://other.example:8443': 2_086 });
  });

  it('keep one origin working while another is down', async () => {
    const subject = scripted((_n, { url }) => (url?.startsWith('/') ? 200 : 503), {
      retry: { budget: { capacity: 14, refillPerSecond: 0 } },
    });
    await subject.call({ url: 'https://down.example/' });
    expect(failureOf(await subject.call({ url: 'https://down.example/' }))?.endedBecause).toBe('budget-empty');
    expect(await subject.call()).toMatchObject({ status: 200 });
    expect(subject.holdfast.stats().budget).toEqual({ 'https://down.example': 0, [ORIGIN]: 14 });
  });

  it("are the policy's own where it names them", async () => {
    const budget = {
      ...NO_REFILL.budget,
      key: ({ headers }: { headers: { get(name: string): unknown } }) => String(headers.get('x-tenant')),
    };
    const subject = scripted(() => 503, { retry: { maxRetries: 1, budget } });
    for (const tenant of ['one', 'two', 'one', '__proto__']) {
      await subject.call({ url: '/', headers: { 'x-tenant': tenant } });
    }
    const { budget: balances } = subject.holdfast.stats();
    expect(Object.entries(balances).sort()).toEqual([
      ['__proto__', 2_086],
      ['one', 2_072],
      ['two', 2_086],
    ]);
  });

  it('belong to one attachment: two share nothing', async () => {
    const [one, other] = [scripted(() => 503), scripted(() => 200)];
    await one.call();
    await other.call();
    expect(other.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_100 });
  });

  it("share a budget with a call's own policy, which may have a key of its own", async () => {
    const subject = scripted(() => 503, { retry: { maxRetries: 1, ...NO_REFILL } });
    await subject.call({ url: '/', holdfast: { retry: { maxRetries: 2, budget: { capacity: 2_100 } } } });
    await subject.call();
    expect(subject.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_058 });
    await subject.call({ url: '/', holdfast: { retry: { budget: { key: () => 'own' } } } });
    expect(subject.holdfast.stats().budget).toEqual({ [ORIGIN]: 2_058, own: 2_086 });
  });

  it('are forgotten when ten thousand others have been used since, and not while they are in use', () => {
    const budget = new RetryBudget(DEFAULTS.retry.budget);
    budget.account('mine').withdraw('transient', 14, 0);
    for (let n = 0; n <= 10_000; n++) {
      budget.account(`key-${n}`).withdraw('transient', 14, 0);
      if (n % 1_000 === 0) expect(budget.account('mine').balance(0)).toBe(2_086);
    }
    const balances = budget.balances(0);
    expect(Object.keys(balances).length).toBeLessThanOrEqual(10_000);
    expect(balances).not.toHaveProperty('key-0');
    expect(balances['key-10000']).toBe(2_086);
    expect(budget.account('key-0').balance(0)).toBe(2_100);
  });
});

describe('the refill of the retry budget', () => {
  it('is one retry a second by default, in whole tokens', () => {
    const account = new RetryBudget(DEFAULTS.retry.budget).account('k');
    for (let n = 0; n < 150; n++) account.withdraw('transient', 14, 0);
    expect(account.balance(0)).toBe(0);
    expect(account.refusal('transient', 14, 999)).toMatchObject({ rule: 'bucket', balance: 13, cost: 14 });
    expect(account.refusal('transient', 14, 1_000)).toBeUndefined();
    expect(account.balance(10_500)).toBe(147);
  });

  it('loses nothing between two looks, and fills the bucket no higher than its brim', () => {
    const account = new RetryBudget(DEFAULTS.retry.budget).account('k');
    for (let n = 0; n < 150; n++) account.withdraw('transient', 14, 0);
    for (let at = 0; at < 60_000; at += 7) account.balance(at);
    expect(account.balance(60_001)).toBe(840);
    expect(account.balance(3_600_000)).toBe(2_100);
    account.withdraw('transient', 14, 7_200_000);
    expect(account.balance(7_200_000)).toBe(2_086);
  });
});

describe('the price of the retry budget', () => {
  /** The part of the calls that are refused a retry where so many sends fail, at random, for long, at 100 calls a second. */
  function refused(failing: number): number {
    const account = new RetryBudget({ ...DEFAULTS.retry.budget, ratio: 1 }).account('k');
    let state = 1;
    const fails = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32 < failing;
    };
    let refusals = 0;
    for (let call = 0; call < 100_000; call++) {
      const now = call * 10;
      let last: number | undefined;
      for (let retries = 0; ; retries++) {
        if (!fails()) {
          account.succeeded(last);
          break;
        }
        if (retries === 3) break;
        last = account.costOf('transient');
        if (account.refusal('transient', last, now) !== undefined) {
          refusals += 1;
          break;
        }
        account.withdraw('transient', last, now);
      }
    }
    return refusals / 100_000;
  }

  it('is next to nothing while a fifth of all sends fail, and no more than that beyond', () => {
    expect(refused(0.2)).toBeLessThan(0.005);
    expect(refused(0.3)).toBeGreaterThan(0.05);
  });
});

describe('the ratio of the retry budget', () => {
  /** In force as soon as most calls have failed, and with a bucket that has no end. */
  const AT_ONCE = { backoff: () => 0, budget: { failingMs: 0, capacity: 1e6 } };

  /** Calls one after the other without a pause; how each ended, and how many retries there were. */
  async function outage(subject: Scripted, calls: number) {
    const ends: unknown[] = [];
    for (let n = 0; n < calls; n++) ends.push(failureOf(await subject.call())?.endedBecause);
    return { ends, retries: subject.holdfast.stats().retries };
  }

  it('is not in force before ten seconds after the first failure', async () => {
    const subject = scripted(() => 503);
    // Each takes 3.5 s, so the ten seconds are over after the third.
    expect(await outage(subject, 4)).toEqual({
      ends: [...new Array(3).fill('retries-exhausted'), 'budget-empty'],
      retries: 9,
    });
    expect(subject.clock.now() - Date.UTC(2026, 0, 1)).toBe(10_500);
  });

  it('is not in force ten seconds later for a client that was well, but as soon as most of its calls have failed', async () => {
    const subject = scripted((n) => (n < 20 ? 200 : 503));
    await outage(subject, 20);
    // After ten of them, half of the last twenty have failed.
    expect((await outage(subject, 12)).ends).toEqual([...new Array(11).fill('retries-exhausted'), 'budget-empty']);
  });

  it('is not in force ten seconds after a failure that a success came after', async () => {
    const subject = scripted((n) => (n === 4 ? 200 : 503));
    expect((await outage(subject, 2)).ends).toEqual(['retries-exhausted', undefined]);
    expect((await outage(subject, 4)).ends).toEqual([...new Array(3).fill('retries-exhausted'), 'budget-empty']);
  });

  it('says so: the rule, what it allows, and the numbers of that moment', async () => {
    const heard: EventOf<'budget-empty'>[] = [];
    const subject = scripted(() => 503, { on: { 'budget-empty': (event) => heard.push(event) } });
    await outage(subject, 3);
    const numbers = { rule: 'ratio', retries: 9, calls: 4, balance: 2_100 } as const;
    const failure = failureOf(await subject.call());
    expect(failure?.budget).toEqual({ ...numbers, balance: expect.any(Number) });
    expect(failure?.summary).toMatch(
      /the retry budget allows 5 retries a minute while most calls fail \(9 retries for 4 calls\)$/,
    );
    expect(heard).toEqual([{ call: expect.anything(), key: ORIGIN, ...failure?.budget }]);

    const lone = scripted(() => 503, {
      retry: { ...AT_ONCE, budget: { ...AT_ONCE.budget, minRetriesPerWindow: 1, windowMs: 30_000 }, maxRetries: 1 },
    });
    await outage(lone, 1);
    expect(failureOf(await lone.call())?.summary).toMatch(
      /allows 1 retry in 30\.0 s while most calls fail \(1 retry for 2 calls\)$/,
    );
  });

  it('is moved by failingMs', async () => {
    const after3s = scripted(() => 503, { retry: { budget: { failingMs: 3_500 } } });
    expect((await outage(after3s, 2)).ends).toEqual(['retries-exhausted', 'budget-empty']);
    const never = scripted(() => 503, { retry: { budget: { failingMs: Number.POSITIVE_INFINITY, capacity: 1e6 } } });
    expect((await outage(never, 50)).retries).toBe(150);
  });

  it('begins to count anew after every break: once half of them have not failed', async () => {
    // Three calls fail (10.5 s), then three succeed; so half have. Then four fail again: only the last seconds count.
    const subject = scripted((n) => (n < 12 || n >= 15 ? 503 : 200), { retry: { budget: { capacity: 1e6 } } });
    expect((await outage(subject, 3)).retries).toBe(9);
    expect((await outage(subject, 3)).ends).toEqual(new Array(3).fill(undefined));
    expect((await outage(subject, 3)).ends).toEqual(new Array(3).fill('retries-exhausted'));
    expect((await outage(subject, 1)).ends).toEqual(['budget-empty']);
  });

  it('takes a key that is seen rarely for no outage: between two calls it has forgotten the one before', async () => {
    const subject = scripted(() => 503, { retry: { budget: { minRetriesPerWindow: 0 } } });
    for (let n = 0; n < 10; n++) {
      expect(failureOf(await subject.call())?.endedBecause).toBe('retries-exhausted');
      await subject.clock.advance(120_000);
    }
  });

  it("ends a lone script's sixth retry within a minute of total outage", async () => {
    const subject = scripted(() => 503, { retry: AT_ONCE });
    const { ends, retries } = await outage(subject, 4);
    expect(ends).toEqual(['retries-exhausted', 'budget-empty', 'budget-empty', 'budget-empty']);
    expect(retries).toBe(5);
  });

  it('slides: what lies a minute back counts no longer', async () => {
    const subject = scripted(() => 503, { retry: AT_ONCE });
    await outage(subject, 3);
    await subject.clock.advance(50_000);
    expect((await outage(subject, 1)).retries, 'still within the window').toBe(5);
    await subject.clock.advance(10_000);
    expect((await outage(subject, 1)).retries, 'out of it').toBe(8);
  });

  it('lets a tenth of the calls of the window be retried', async () => {
    const subject = scripted(() => 503, { retry: AT_ONCE });
    expect((await outage(subject, 200)).retries).toBe(20);
    expect((await outage(subject, 100)).retries).toBe(30);
  });

  it.each<[string, BudgetOptions, number]>([
    ['minRetriesPerWindow', { minRetriesPerWindow: 2 }, 2],
    ['ratio', { ratio: 0.5, minRetriesPerWindow: 0 }, 10],
    ['ratio 1', { ratio: 1, minRetriesPerWindow: 0 }, 20],
    // Not before the first call has failed.
    ['no ratio at all', { ratio: 0, minRetriesPerWindow: 0 }, 1],
  ])('is moved by %s', async (_name, budget, retries) => {
    const subject = scripted(() => 503, {
      retry: { ...AT_ONCE, maxRetries: 1, budget: { ...AT_ONCE.budget, ...budget } },
    });
    expect((await outage(subject, 20)).retries).toBe(retries);
  });

  it('is moved by windowMs', async () => {
    const subject = scripted(() => 503, { retry: { ...AT_ONCE, budget: { ...AT_ONCE.budget, windowMs: 1_000 } } });
    expect((await outage(subject, 3)).retries).toBe(5);
    await subject.clock.advance(1_000);
    expect((await outage(subject, 1)).retries).toBe(8);
  });

  it('goes by the last 20 calls: in force from the eleventh failure after ten successes', async () => {
    const subject = scripted((n) => (n < 20 ? 200 : 503), { retry: { ...AT_ONCE, maxRetries: 1 } });
    await outage(subject, 20);
    // Eleven calls fail with a retry each, then five in the window are long used up.
    expect((await outage(subject, 30)).retries).toBe(11);
  });

  it('takes a retried call that succeeded for a success, so that it is never in force where retries help', async () => {
    const subject = scripted((n) => (n % 3 === 2 ? 200 : 503), { retry: AT_ONCE });
    expect((await outage(subject, 100)).retries).toBe(200);
  });

  it('lets go as soon as half of the last 20 calls succeeded, whatever the window still holds', async () => {
    // 30 calls fail and use up the five; then ten succeed, and from there on every other send.
    const subject = scripted((n) => (n < 35 || (n >= 45 && n % 2 === 1) ? 503 : 200), { retry: AT_ONCE });
    expect((await outage(subject, 30)).retries).toBe(5);
    expect((await outage(subject, 10)).ends).toEqual(new Array(10).fill(undefined));
    const { ends, retries } = await outage(subject, 20);
    expect(ends).toEqual(new Array(20).fill(undefined));
    expect(retries).toBe(25);
  });

  it('does not count retries that never left, nor calls that sent nothing', async () => {
    let open = true;
    const permit = { release: () => {} };
    const refusal = () => Promise.reject(new LimitError('ERR_LIMIT_QUEUE_FULL', 'full'));
    const limit = {
      acquire: () => (open ? permit : refusal()),
      pause: () => {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const subject = scripted(() => 503, { limit, retry: AT_ONCE });
    // Five retries that the limiter refuses, then two hundred calls.
    const stop = subject.holdfast.on('retry-scheduled', () => {
      open = false;
    });
    for (let i = 0; i < 5; i++) {
      await subject.call();
      open = true;
    }
    stop();
    open = false;
    await outage(subject, 200);
    open = true;
    for (let i = 0; i < 200; i++) await subject.call({ url: '/', holdfast: { beforeSend: refusal } });
    expect(subject.holdfast.stats()).toMatchObject({ sends: 5, retries: 0 });
    expect((await outage(subject, 20)).retries).toBe(5);
  });

  it('takes no notice of throttling: a server that answers 429 is well, and asks for patience itself', async () => {
    const subject = scripted(() => 429, { retry: AT_ONCE });
    expect((await outage(subject, 20)).retries).toBe(60);
  });

  it('does not count the retries after throttling towards the ratio', async () => {
    const subject = scripted((n) => (n < 40 ? 429 : 503), { retry: { ...AT_ONCE, maxRetries: 1 } });
    expect((await outage(subject, 20)).retries).toBe(20);
    // 20 throttled calls are in the ring: the 11th failure makes it an outage.
    expect((await outage(subject, 20)).retries).toBe(20 + 11);
  });

  it('takes a 404, a 401 and a 429 for answers, and so for no failure', async () => {
    const subject = scripted((n) => (n < 20 ? ([404, 401, 429][n % 3] as number) : 503), {
      retry: { ...AT_ONCE, maxRetries: 1 },
      on: {},
    });
    // Of 20 calls a third were throttled and retried.
    while (subject.sentAt.length < 20) await subject.call();
    const { retries } = subject.holdfast.stats();
    const more = (await outage(subject, 30)).retries - retries;
    expect(more).toBeGreaterThanOrEqual(10);
    expect(more).toBeLessThan(20);
  });

  it('holds no retry after throttling back, not even while it bites', async () => {
    const subject = scripted((n) => (n < 8 ? 503 : n === 8 ? 429 : 200), { retry: AT_ONCE });
    expect((await outage(subject, 3)).ends).toEqual(['retries-exhausted', 'budget-empty', 'budget-empty']);
    expect((await outage(subject, 1)).ends).toEqual([undefined]);
    expect(subject.holdfast.stats().retries).toBe(6);
  });

  it('learns nothing from a call that was cancelled, also while it waited after a 503', async () => {
    const subject = scripted((n) => (n < 40 ? 503 : 200), { retry: { ...AT_ONCE, backoff: () => 1_000 } });
    for (let n = 0; n < 40; n++) {
      const aborter = new AbortController();
      const call = subject.client.get('/', { signal: aborter.signal }).catch((error: unknown) => error);
      await subject.clock.advance(10);
      aborter.abort();
      expect(failureOf(await call)?.endedBecause).toBe('cancelled');
    }
    expect(subject.holdfast.stats()).toMatchObject({ sends: 40, retries: 0 });
    expect((await outage(subject, 1)).ends).toEqual([undefined]);
  });

  it('learns nothing from a call that failed on our side: a bad certificate, a judge that throws', async () => {
    const broken = networkError('ERR_INVALID_URL');
    const subject = scripted((n) => (n < 20 ? broken : 503), { retry: { ...AT_ONCE, maxRetries: 1 } });
    await outage(subject, 20);
    const judge = () => {
      throw new Error('broken');
    };
    for (let n = 0; n < 20; n++) await subject.call({ url: '/', holdfast: { classify: judge } });
    // Were they successes, eleven calls would fail with a retry each before it bites.
    expect((await outage(subject, 20)).retries).toBe(5);
  });

  it('takes a 2xx that a judge wants to see change for no failure of the server', async () => {
    const notReady = { classify: () => ({ kind: 'transient' }) as const };
    const subject = scripted(() => 200, { retry: { ...AT_ONCE, maxRetries: 1 }, ...notReady });
    expect((await outage(subject, 40)).retries).toBe(40);
  });

  it('counts calls where they end, whatever else is under way', async () => {
    const subject = scripted(() => 503, { retry: AT_ONCE });
    const calls = Array.from({ length: 50 }, () => subject.client.get('/').catch((error: unknown) => error));
    await subject.clock.run(Promise.all(calls));
    // None of the fifty has ended when the last of them asks for its first retry.
    expect(subject.holdfast.stats().retries).toBeGreaterThanOrEqual(50);
    expect((await outage(subject, 1)).ends).toEqual(['budget-empty']);
  });
});

describe(RetryBudget.name, () => {
  it('never goes below 0 or above its capacity, and never gives what it does not have', () => {
    const step = fc.record({
      kind: fc.constantFrom<VerdictKind>('success', 'transient', 'throttled'),
      afterMs: fc.integer({ min: -100_000, max: 100_000 }),
    });
    const numbers = fc.record({
      capacity: fc.nat(600),
      transientCost: fc.nat(50),
      throttledCost: fc.nat(50),
      refund: fc.nat(50),
      refillPerSecond: fc.oneof(fc.nat(50), fc.double({ min: 0, max: 50, noNaN: true })),
      ratio: fc.double({ min: 0, max: 1, noNaN: true }),
      windowMs: fc.integer({ min: 1_000, max: 100_000 }),
      minRetriesPerWindow: fc.nat(10),
      failingMs: fc.nat(20_000),
    });
    fc.assert(
      fc.property(numbers, fc.array(step, { maxLength: 100 }), (options, steps) => {
        const account = new RetryBudget(options).account('k');
        let now = 1e12;
        for (const { kind, afterMs } of steps) {
          now += afterMs;
          account.called(now);
          account.ended(kind === 'transient', now);
          const cost = account.costOf(kind);
          if (kind === 'success') account.succeeded(undefined);
          else if (account.refusal(kind, cost, now) === undefined) {
            expect(cost).toBe(kind === 'transient' ? options.transientCost : options.throttledCost);
            account.withdraw(kind, cost, now);
          }
          const balance = account.balance(now);
          expect(Number.isInteger(balance)).toBe(true);
          expect(balance).toBeGreaterThanOrEqual(0);
          expect(balance).toBeLessThanOrEqual(options.capacity);
        }
      }),
    );
  });

  it('allows no more transient retries in any full outage of a minute than the ratio says', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 2_000 }), { minLength: 1, maxLength: 200 }), (gaps) => {
        const account = new RetryBudget({ ...DEFAULTS.retry.budget, failingMs: 0, capacity: 1e9 }).account('k');
        let now = 1e12;
        const retries: number[] = [];
        const calls: number[] = [];
        for (const gap of gaps) {
          now += gap;
          account.called(now);
          calls.push(now);
          account.ended(true, now);
          if (account.refusal('transient', 14, now) !== undefined) continue;
          account.withdraw('transient', 14, now);
          retries.push(now);
          // The window moves in twelfths, so it holds between 55 and 60 s.
          const within = (at: number) => now - at < 55_000;
          const perhaps = (at: number) => now - at < 60_000;
          expect(retries.filter(within).length).toBeLessThanOrEqual(Math.max(5, 0.1 * calls.filter(perhaps).length));
        }
      }),
    );
  });
});
