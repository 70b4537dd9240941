import axios, { AxiosError, AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { Circuits } from '../../lib/breaker/circuits.ts';
import type { ResolvedBreaker } from '../../lib/breaker/options.ts';
import { BreakerStation } from '../../lib/breaker/station.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import { evidenceOn } from '../../lib/classify/judging.ts';
import { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { Plan } from '../../lib/loop/plan.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { DEFAULTS, resolve } from '../support/policies.ts';
import { sharedBy } from '../support/under-way.ts';

const ORIGIN = 'https://api.example.com';
const OTHER = 'https://mirror.example.com';

const configOf = (origin = ORIGIN, config: object = {}): InternalAxiosRequestConfig => ({
  url: `${origin}/`,
  headers: new AxiosHeaders(),
  ...config,
});
const answer = (status: number): Outcome => ({ response: { status, headers: {}, data: '' } as never });
const LOST: Outcome = { error: new AxiosError('lost', 'ECONNRESET') };
const TIMED_OUT: Outcome = { error: new AxiosError('late', 'ETIMEDOUT') };
const CANCELLED: Outcome = { error: new CanceledError('canceled') };
const OURS: Outcome = { error: new TypeError('our own mistake') };

/** A station whose circuits open when two of two sends have failed, for 5 s. */
function setUp(options: Partial<ResolvedBreaker> = {}) {
  const clock = new ManualClock();
  const numbers = { ...DEFAULTS.breaker, minimumThroughput: 2, openMs: 5_000, ...options };
  const breaker = new Circuits(numbers);
  const station = new BreakerStation<CallUnderWay>(breaker, numbers, (call, outcome) =>
    evidenceOn(call, outcome, clock),
  );
  const events: unknown[] = [];
  const on: Policy['on'] = {
    'circuit-opened': ({ key, retryAt }) => events.push(['opened', key, retryAt - clock.wall()]),
    'circuit-closed': ({ key }) => events.push(['closed', key]),
  };
  const shared = sharedBy(clock);
  const call = (config = configOf(), policy: Policy = {}) =>
    new CallUnderWay(config, new Plan(shared, resolve({ on, ...policy })));
  /** What a call is refused with before it waits for anything, or when its send is to leave. */
  const enter = (subject: CallUnderWay) =>
    station.enter(subject, clock.now()) ?? station.depart(subject, clock.now()) ?? 'leaves';
  const arrive = (subject: CallUnderWay, outcome: Outcome) => {
    const turned = station.arrive(subject, outcome, clock.now());
    station.tell(subject, turned, clock.now());
    return turned;
  };
  const send = (outcome: Outcome, subject = call()) => {
    expect(enter(subject)).toBe('leaves');
    return arrive(subject, outcome);
  };
  const open = () => {
    send(answer(503));
    expect(send(answer(503))).toBe('open');
  };
  return { clock, station, breaker, events, call, enter, arrive, send, open };
}

describe(BreakerStation.name, () => {
  it('opens on failures, refuses until a probe may leave, and says so', async () => {
    const { call, clock, enter, events, open } = setUp();
    open();
    expect(events).toEqual([['opened', ORIGIN, 5_000]]);
    const retryAt = clock.wall() + 5_000;
    const message = `the circuit of ${ORIGIN} is open until ${new Date(retryAt).toISOString()}`;
    expect(enter(call())).toMatchObject({
      outcome: { error: { code: 'ERR_CIRCUIT_OPEN', message, retryAt } },
      why: 'circuit-open',
    });
    await clock.advance(5_000);
    expect(enter(call())).toBe('leaves');
  });

  it('ends a call that has been answered with that answer', () => {
    const { call, enter, open } = setUp();
    const subject = call();
    open();
    subject.outcome = answer(503);
    expect(enter(subject)).toEqual({ outcome: subject.outcome, why: 'circuit-open' });
  });

  it('lets one probe out, which closes the circuit where the server did well', async () => {
    const { arrive, breaker, call, clock, enter, events, open } = setUp();
    open();
    await clock.advance(5_000);
    const probe = call();
    expect(enter(probe)).toBe('leaves');
    expect(enter(call())).toMatchObject({ why: 'circuit-open' });
    expect(arrive(probe, answer(404))).toBe('closed');
    expect(events.at(-1)).toEqual(['closed', ORIGIN]);
    expect(breaker.open()).toEqual([]);
    expect(enter(call())).toBe('leaves');
  });

  it('counts a send once', () => {
    const { arrive, call, enter, station } = setUp({ minimumThroughput: 3 });
    const subject = call();
    enter(subject);
    arrive(subject, answer(503));
    for (let i = 0; i < 3; i++) {
      expect(arrive(subject, answer(503))).toBeUndefined();
      station.leave(subject);
    }
    const [second, third] = [call(), call()];
    for (const each of [second, third]) enter(each);
    expect(arrive(second, answer(503))).toBeUndefined();
    expect(arrive(third, answer(503))).toBe('open');
  });

  it('learns nothing of a send that left and was never heard of', async () => {
    const { call, clock, enter, open, station, arrive } = setUp();
    open();
    await clock.advance(5_000);
    const probe = call();
    enter(probe);
    station.leave(probe);
    // The next may try at once.
    const next = call();
    expect(enter(next)).toBe('leaves');
    // What is given back is over: it does not close what the next one tries.
    station.leave(probe);
    expect(arrive(probe, answer(200))).toBeUndefined();
    expect(enter(call())).toMatchObject({ why: 'circuit-open' });
    expect(arrive(next, answer(200))).toBe('closed');
  });

  it('takes a send that it refuses as it leaves for no probe', async () => {
    const { call, clock, enter, open, station } = setUp();
    open();
    expect(station.depart(call(), clock.now())).toMatchObject({ why: 'circuit-open' });
    await clock.advance(5_000);
    expect(enter(call())).toBe('leaves');
  });

  it('shows its instants by the time of day', () => {
    const { call, clock, enter, events, open } = setUp();
    clock.adjust(86_400_000);
    open();
    expect(events).toEqual([['opened', ORIGIN, 5_000]]);
    expect(enter(call())).toMatchObject({ outcome: { error: { retryAt: clock.wall() + 5_000 } } });
  });

  it('refuses a key that is no text, and names the option', () => {
    const { call, enter } = setUp({ key: () => 7 as never });
    expect(() => enter(call())).toThrow('breaker.key must return a string, got 7');
  });

  it('has nothing to give back of a call that never came by', () => {
    const { call, station } = setUp();
    expect(() => station.leave(call())).not.toThrow();
  });

  describe('what a send says of the server', () => {
    it.each<[string, Outcome, boolean]>([
      ['a 503', answer(503), true],
      ['a lost connection', LOST, true],
      ['a timeout', TIMED_OUT, true],
      ['a 404', answer(404), false],
      ['a 501', answer(501), false],
      ['an error of ours', OURS, false],
    ])('%s: a failure or not', (_, outcome, opens) => {
      const { breaker, send } = setUp();
      send(outcome);
      send(outcome);
      expect(breaker.open()).toEqual(opens ? [ORIGIN] : []);
    });

    it('a cancellation says nothing, whatever came; but an answer that came counts', () => {
      const [nothing, failed] = [answer(503), CANCELLED].map((outcome) => {
        const { arrive, breaker, call, enter } = setUp();
        for (let i = 0; i < 2; i++) {
          const controller = new AbortController();
          const subject = call(configOf(ORIGIN, { signal: controller.signal }));
          enter(subject);
          controller.abort();
          arrive(subject, outcome);
        }
        return breaker.open();
      });
      expect(nothing).toEqual([ORIGIN]);
      expect(failed).toEqual([]);
    });

    it.each<[string, Outcome]>([
      ['a cancellation', CANCELLED],
      ['an error of ours', OURS],
    ])('%s of a probe says nothing: the next may try at once', async (_, outcome) => {
      const { arrive, call, clock, enter, open } = setUp();
      open();
      await clock.advance(5_000);
      const source = axios.CancelToken.source();
      const probe = call(configOf(ORIGIN, { cancelToken: source.token }));
      enter(probe);
      if (outcome === CANCELLED) source.cancel();
      expect(arrive(probe, outcome)).toBeUndefined();
      expect(enter(call())).toBe('leaves');
    });

    it('a signal that timed out is a timeout', () => {
      const { arrive, breaker, call, enter } = setUp();
      for (let i = 0; i < 2; i++) {
        const controller = new AbortController();
        const subject = call(configOf(ORIGIN, { signal: controller.signal }));
        enter(subject);
        controller.abort(new DOMException('late', 'TimeoutError'));
        arrive(subject, CANCELLED);
      }
      expect(breaker.open()).toEqual([ORIGIN]);
    });

    it('the policy may say: it is shown the evidence, and asked first', () => {
      const shown: unknown[] = [];
      const { breaker, send } = setUp({
        isFailure: ({ response }) => {
          shown.push(response?.status);
          return response?.status === 404 ? true : response?.status === 503 ? false : undefined;
        },
      });
      send(answer(503));
      send(answer(503));
      expect(breaker.open()).toEqual([]);
      for (let i = 0; i < 2; i++) send(answer(404));
      expect(breaker.open()).toEqual([ORIGIN]);
      expect(shown).toEqual([503, 503, 404, 404]);
    });

    it('the policy may not say anything else: a promise would pass for true', () => {
      const { arrive, call, enter } = setUp({ isFailure: (async () => false) as never });
      const subject = call();
      enter(subject);
      expect(() => arrive(subject, answer(200))).toThrow(
        'breaker.isFailure must give true, false or undefined, got a promise',
      );
    });
  });

  describe('where a send goes elsewhere', () => {
    it('the circuit of the place that an answer named is asked', () => {
      const { call, enter, open, station } = setUp();
      open();
      const subject = call();
      station.reroute(subject, configOf(OTHER));
      expect(enter(subject)).toBe('leaves');
      const other = call(configOf(OTHER));
      station.reroute(other, configOf());
      expect(enter(other)).toMatchObject({ why: 'circuit-open' });
    });

    it('beforeSend turns one send, which is refused or counted there', () => {
      const { arrive, breaker, call, clock, open, station } = setUp();
      open();
      const turned = call(configOf(OTHER));
      expect(station.enter(turned, clock.now())).toBeUndefined();
      expect(station.moveTo(turned, configOf())).toMatchObject({ why: 'circuit-open' });
      for (let i = 0; i < 2; i++) {
        const subject = call(configOf());
        expect(station.moveTo(subject, configOf(OTHER))).toBeUndefined();
        expect(station.depart(subject, clock.now())).toBeUndefined();
        arrive(subject, answer(503));
      }
      expect(breaker.open()).toEqual([ORIGIN, OTHER]);
      // The next send of such a call goes home again.
      const again = call(configOf());
      station.moveTo(again, configOf(OTHER));
      expect(station.enter(again, clock.now())).toMatchObject({ why: 'circuit-open' });
    });

    it('whether a further send goes to an open circuit is for beforeSend to say', () => {
      const { call, clock, open, station } = setUp();
      open();
      const moves = call(configOf(), { beforeSend: () => {} });
      expect(station.enter(moves, clock.now())).toMatchObject({ why: 'circuit-open' });
      moves.sent = 1;
      expect(station.enter(moves, clock.now())).toBeUndefined();
      expect(station.isOpenIn(moves, 0, clock.now())).toBe(false);
      const stays = call();
      stays.sent = 1;
      expect(station.enter(stays, clock.now())).toMatchObject({ why: 'circuit-open' });
    });
  });

  it('tells of a retry that would find the circuit open', () => {
    const { call, clock, open, station } = setUp();
    expect(station.isOpenIn(call(), 0, clock.now())).toBe(false);
    open();
    const openIn = [0, 4_999, 5_000, 5_001].map((delayMs) => station.isOpenIn(call(), delayMs, clock.now()));
    expect(openIn).toEqual([true, true, false, false]);
  });

  it('lets through what the probe itself calls for, and nobody else', async () => {
    const { arrive, call, clock, enter, open, station } = setUp();
    const early = call();
    enter(early);
    open();
    await clock.advance(5_000);
    const probe = call();
    enter(probe);
    const within = (subject: CallUnderWay) => station.probing(subject, () => enter(call()));
    expect(within(probe)).toBe('leaves');
    for (const each of [early, call()]) expect(within(each)).toMatchObject({ why: 'circuit-open' });
    // The call within was not the probe: what came of the probe still counts.
    expect(arrive(probe, answer(200))).toBe('closed');
  });
});
