import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../lib/call/outcome.ts';
import { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { Plan } from '../../lib/loop/plan.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { RetryBudget } from '../../lib/retry/budget.ts';
import { BudgetStation } from '../../lib/retry/budget-station.ts';
import type { ResolvedBudget } from '../../lib/retry/options.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { DEFAULTS, resolve } from '../support/policies.ts';
import { sharedBy } from '../support/under-way.ts';

const HERE = 'https://api.example.com';
const THERE = 'https://mirror.example.com';
const MOVES: Policy = { beforeSend: () => {} };

const configOf = (origin = HERE): InternalAxiosRequestConfig => ({ url: `${origin}/`, headers: new AxiosHeaders() });
const FAILED: Outcome = { response: { status: 503, headers: {}, data: '' } as never };

/** A station whose accounts hold 20 tokens, which time does not fill; a retry costs 10, one of what was throttled 5. */
function setUp(options: Partial<ResolvedBudget> = {}) {
  const clock = new ManualClock();
  const numbers = { ...DEFAULTS.retry.budget, capacity: 20, transientCost: 10, refillPerSecond: 0, ...options };
  const budget = new RetryBudget(numbers);
  const station = new BudgetStation(budget, numbers);
  const events: unknown[] = [];
  const on: Policy['on'] = { 'budget-empty': ({ key, rule, balance }) => events.push([key, rule, balance]) };
  const shared = sharedBy(clock);
  const call = (policy: Policy = {}, config = configOf()) =>
    new CallUnderWay(config, new Plan(shared, resolve({ on, ...policy })));
  const left = () => budget.balances(clock.now());
  const refusal = (subject: CallUnderWay, isFree = false) =>
    station.refusal(subject, 'transient', isFree, clock.now())?.rule;
  const withdraw = (subject: CallUnderWay, isFree = false) =>
    station.withdraw(subject, 'transient', isFree, clock.now());
  /** A call that has been answered with a failure, and whose retry is to be made. */
  const retrying = (policy: Policy = {}) => {
    const subject = call(policy);
    station.arrive(subject);
    subject.outcome = FAILED;
    withdraw(subject);
    return subject;
  };
  return { clock, budget, station, events, call, left, refusal, withdraw, retrying };
}

describe(BudgetStation.name, () => {
  it('takes what a retry costs, and allows none that it does not hold', () => {
    const { call, left, refusal, retrying } = setUp();
    expect(refusal(call())).toBeUndefined();
    for (let i = 0; i < 2; i++) retrying();
    expect(left()).toEqual({ [HERE]: 0 });
    expect(refusal(call())).toBe('bucket');
  });

  it('takes less for what was throttled, and nothing for what is free', () => {
    const { call, clock, left, refusal, station, withdraw } = setUp({ capacity: 4 });
    const subject = call();
    expect(station.refusal(subject, 'throttled', false, clock.now())?.cost).toBe(5);
    expect(refusal(subject)).toBe('bucket');
    expect(refusal(subject, true)).toBeUndefined();
    withdraw(subject, true);
    expect(left()).toEqual({ [HERE]: 4 });
  });

  it('gives back what a retry took that has not left, once', () => {
    const { left, retrying, station } = setUp();
    const subject = retrying();
    expect(left()).toEqual({ [HERE]: 10 });
    for (let i = 0; i < 2; i++) station.leave(subject);
    expect(left()).toEqual({ [HERE]: 20 });
  });

  it('keeps what a retry took that has left', () => {
    const { left, retrying, station } = setUp();
    const subject = retrying();
    station.arrive(subject);
    station.leave(subject);
    expect(left()).toEqual({ [HERE]: 10 });
  });

  it('has nothing to give back of a call that never came by', () => {
    const { call, station } = setUp();
    expect(() => station.leave(call())).not.toThrow();
  });

  it('gives back the cost of the last retry where the call succeeded, else a little', () => {
    const { call, clock, left, retrying, station } = setUp();
    const subject = retrying();
    station.arrive(subject);
    station.ended(subject, false, true, clock.now());
    expect(left()).toEqual({ [HERE]: 10 });
    const plain = call();
    station.arrive(plain);
    station.ended(plain, true, false, clock.now());
    expect(left()).toEqual({ [HERE]: 11 });
    const second = retrying();
    expect(left()).toEqual({ [HERE]: 1 });
    station.arrive(second);
    station.ended(second, true, false, clock.now());
    expect(left()).toEqual({ [HERE]: 11 });
  });

  it('books under the key that the policy gives', () => {
    const { left, retrying } = setUp({ key: () => 'all' });
    retrying();
    expect(left()).toEqual({ all: 10 });
  });

  it('refuses a key that is no text, and names the option', () => {
    const { retrying } = setUp({ key: () => 7 as never });
    expect(retrying).toThrow('retry.budget.key must return a string, got 7');
  });

  it('bounds the retries of an outage by the calls that were made', async () => {
    const { call, clock, refusal, station } = setUp({
      capacity: 1_000,
      failingMs: 10_000,
      minRetriesPerWindow: 1,
      ratio: 0.5,
    });
    const made = Array.from({ length: 4 }, () => call());
    for (const each of made) {
      station.arrive(each);
      station.called(each, clock.now());
      each.outcome = FAILED;
      station.withdraw(each, 'transient', false, clock.now());
      station.arrive(each);
    }
    await clock.advance(10_000);
    expect(refusal(call())).toBeUndefined();
    // They failed from the start on, and not only at their end.
    for (const each of made) station.ended(each, false, true, clock.now());
    expect(refusal(call())).toBe('ratio');
  });

  it('takes a call whose server is not the one that failed for failing since its end only', async () => {
    const { call, clock, refusal, retrying, station } = setUp({ capacity: 1_000, minRetriesPerWindow: 0, ratio: 0 });
    const made = Array.from({ length: 4 }, () => retrying(MOVES));
    for (const each of made) {
      station.arrive(each);
      station.moveTo(each, configOf(THERE));
      station.arrive(each);
    }
    await clock.advance(10_000);
    for (const each of made) station.ended(each, false, true, clock.now());
    expect(refusal(call({}, configOf(THERE)))).toBeUndefined();
  });

  it('learns nothing of the server from an end that says nothing', async () => {
    const { call, clock, refusal, retrying, station } = setUp({ capacity: 1_000, minRetriesPerWindow: 0, ratio: 0 });
    const made = Array.from({ length: 4 }, () => retrying());
    for (const each of made) station.arrive(each);
    await clock.advance(10_000);
    for (const each of made) station.ended(each, false, undefined, clock.now());
    expect(refusal(call())).toBeUndefined();
  });

  describe('where a retry goes elsewhere', () => {
    it('costs that place, and the first one nothing', () => {
      const { left, retrying, station } = setUp();
      const subject = retrying();
      expect(station.reroute(subject, configOf(THERE))).toBeUndefined();
      expect(left()).toEqual({ [HERE]: 20, [THERE]: 10 });
      station.leave(subject);
      expect(left()).toEqual({ [HERE]: 20, [THERE]: 20 });
    });

    it('costs nothing more where it stays', () => {
      const { left, retrying, station } = setUp();
      const subject = retrying();
      expect(station.moveTo(subject, configOf())).toBeUndefined();
      expect(left()).toEqual({ [HERE]: 10 });
    });

    it('ends the call with its answer where that place has nothing left, and says so', () => {
      const { budget, clock, events, left, retrying, station } = setUp();
      budget.account(THERE).withdraw('transient', 15, clock.now());
      const subject = retrying();
      expect(station.moveTo(subject, configOf(THERE))).toEqual({ outcome: FAILED, why: 'budget-empty' });
      expect(events).toEqual([[THERE, 'bucket', 5]]);
      expect(subject.refusedRetry).toMatchObject({ rule: 'bucket', balance: 5 });
      expect(left()).toEqual({ [HERE]: 20, [THERE]: 5 });
    });

    it('says under which key the retry was refused that would have stayed', () => {
      const { clock, events, call, retrying, station } = setUp();
      for (let i = 0; i < 2; i++) retrying();
      const subject = call();
      station.arrive(subject);
      const refused = station.refusal(subject, 'transient', false, clock.now());
      if (refused !== undefined) station.refuse(subject, refused);
      expect(events).toEqual([[HERE, 'bucket', 0]]);
    });

    it('a first send, which is no retry, costs that place nothing', () => {
      const { call, left, station } = setUp();
      const subject = call(MOVES);
      expect(station.moveTo(subject, configOf(THERE))).toBeUndefined();
      expect(left()).toEqual({ [HERE]: 20, [THERE]: 20 });
    });
  });

  describe('where beforeSend may turn a retry', () => {
    it('is asked when it has, and not before', () => {
      const { budget, call, clock, left, refusal, station, withdraw } = setUp();
      budget.account(HERE).withdraw('transient', 15, clock.now());
      const subject = call(MOVES);
      station.arrive(subject);
      subject.outcome = FAILED;
      expect(refusal(subject)).toBeUndefined();
      withdraw(subject);
      // Nobody has paid yet.
      expect(left()).toEqual({ [HERE]: 5 });
      expect(station.moveTo(subject, configOf(THERE))).toBeUndefined();
      expect(left()).toEqual({ [HERE]: 5, [THERE]: 10 });
    });

    it('refuses the retry that is turned nowhere else', () => {
      const { budget, clock, retrying, station } = setUp();
      budget.account(HERE).withdraw('transient', 15, clock.now());
      const subject = retrying(MOVES);
      expect(station.reroute(subject, configOf())).toBeUndefined();
      expect(station.moveTo(subject, configOf())).toMatchObject({ why: 'budget-empty' });
    });

    it('has the first place pay until then', () => {
      const { left, retrying, station } = setUp();
      const subject = retrying(MOVES);
      expect(left()).toEqual({ [HERE]: 10 });
      station.moveTo(subject, configOf(THERE));
      expect(left()).toEqual({ [HERE]: 20, [THERE]: 10 });
    });
  });
});
