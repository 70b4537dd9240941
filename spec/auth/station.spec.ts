import { AxiosError, AxiosHeaders, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { AuthStation } from '../../lib/auth/station.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import { unauthorizedBy } from '../../lib/classify/unauthorized-by.ts';
import { type AuthOptions, type Policy, TokenRefreshError } from '../../lib/index.ts';
import { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { Plan } from '../../lib/loop/plan.ts';
import { NOTHING } from '../support/credentials.ts';
import { gate } from '../support/guarded.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { resolve } from '../support/policies.ts';
import { sharedBy } from '../support/under-way.ts';

const HOME = 'https://api.example.com';
const ELSEWHERE = 'https://evil.example.com';
const configOf = (config: object = {}): InternalAxiosRequestConfig => ({
  baseURL: HOME,
  url: '/',
  headers: new AxiosHeaders(),
  ...config,
});
const answered = (status: number, headers: object = {}, data: unknown = ''): Outcome => ({
  error: new AxiosError('no', undefined, undefined, undefined, { status, headers, data } as never),
});

function setUp(auth: Partial<AuthOptions> = {}, policy: Policy = {}) {
  const clock = new ManualClock();
  const session = { token: 'a' as string | undefined };
  let refreshed = 0;
  const shared = sharedBy(clock);
  const plan = new Plan(
    shared,
    resolve({
      ...policy,
      auth: {
        token: () => session.token,
        refresh: async () => {
          refreshed += 1;
          session.token = `fresh-${refreshed}`;
          return session.token;
        },
        retry: { retries: 0 },
        ...auth,
      },
    }),
  );
  const { auth: station } = plan;
  if (station === undefined) throw new Error('no auth');
  const call = (config = configOf()) => new CallUnderWay(config, plan);
  /** A call whose send has carried its token. */
  const sent = async (config = configOf()) => {
    const subject = call(config);
    await station.enter(subject);
    const wire = { ...config, headers: new AxiosHeaders(config.headers) };
    station.stamp(subject, wire);
    subject.leaves(wire, clock.now());
    return subject;
  };
  const refreshable = (subject: CallUnderWay, unauthorized = NOTHING, explicit = false) =>
    station.isRefreshable(subject, unauthorized, explicit);
  return { clock, session, shared, plan, station, call, sent, refreshable, refreshes: () => refreshed };
}

describe(AuthStation.name, () => {
  describe('before a send', () => {
    it('has its token, at once where that is at hand', () => {
      const { call, station } = setUp();
      const subject = call();
      expect(station.enter(subject)).toBeUndefined();
      expect(subject.auth?.token).toEqual({ value: 'a' });
      expect(subject.refreshMs).toBe(0);
    });

    it('waits for it, and says so', async () => {
      const { promise, open } = gate<string>();
      const { call, clock, shared, station } = setUp({ token: () => promise });
      const subject = call();
      const entered = Promise.resolve(station.enter(subject));
      expect(subject.waiting).toMatchObject({ phase: 'refresh' });
      expect(subject.waiting?.why()).toBe('waits for a token: `auth.token` or `auth.refresh` has not settled');
      expect(shared.queue.size).toBe(1);
      await clock.advance(300);
      open('late');
      expect(await entered).toBeUndefined();
      expect(subject.auth?.token).toEqual({ value: 'late' });
      expect(subject.refreshMs).toBe(300);
      expect(subject.waiting).toBeUndefined();
      expect(shared.queue.size).toBe(0);
    });

    it.each<[string, Policy, string]>([
      ['no longer than the call may last', { deadlineMs: 1_000 }, 'deadline'],
      ['not once the call is given up', {}, 'cancelled'],
    ])('waits for it %s', async (_, policy, why) => {
      const controller = new AbortController();
      const { call, clock, station } = setUp({ token: () => new Promise(() => {}) }, policy);
      const entered = Promise.resolve(station.enter(call(configOf({ signal: controller.signal }))));
      if (why === 'cancelled') controller.abort();
      await clock.advance(1_000);
      const refused = await entered;
      expect(refused?.why).toBe(why);
      expect(refused?.outcome.error).toBeInstanceOf(why === 'cancelled' ? CanceledError : AxiosError);
    });

    it('is refused when the attachment is closed', async () => {
      const { call, shared, station } = setUp({ token: () => new Promise(() => {}) });
      const entered = Promise.resolve(station.enter(call()));
      for (const refuse of shared.queue) refuse();
      const refused = await entered;
      expect(refused?.why).toBe('refresh-failed');
      expect(refused?.outcome.error).toBeInstanceOf(TokenRefreshError);
      expect(refused?.outcome.error).toMatchObject({
        message: 'the attachment was closed while the call waited for a token',
      });
    });

    it('passes on what `token` throws', async () => {
      const fail = () => {
        throw new Error('odd');
      };
      const now = setUp({ token: fail });
      expect(() => now.station.enter(now.call())).toThrow('odd');
      const later = setUp({ token: async () => fail() });
      await expect(later.station.enter(later.call())).rejects.toThrow('odd');
    });

    it('carries none to where it must not be seen', () => {
      const { call, station } = setUp();
      const subject = call(configOf({ url: `${ELSEWHERE}/` }));
      expect(station.enter(subject)).toBeUndefined();
      expect(station.has(subject)).toBe(false);
      const headers = new AxiosHeaders();
      station.stamp(subject, { headers });
      expect(Object.keys(headers)).toEqual([]);
    });
  });

  describe('asked again after a queue', () => {
    it('has the token of now', async () => {
      const { call, session, station } = setUp();
      const subject = call();
      station.enter(subject);
      session.token = 'b';
      expect(await station.checkAgain(subject)).toBeUndefined();
      expect(subject.auth?.token).toEqual({ value: 'b' });
    });

    it('is stale where that would take a refresh, which it does not make', async () => {
      const { call, refreshes, station } = setUp({ token: () => ({ value: 'a', expiresAt: Date.UTC(2025, 0, 1) }) });
      expect(await station.checkAgain(call())).toBe('stale');
      expect(refreshes()).toBe(0);
    });

    it('asks for nothing where it carries none', async () => {
      const { call, station } = setUp({
        token: () => {
          throw new Error('asked');
        },
      });
      expect(await station.checkAgain(call(configOf({ url: ELSEWHERE })))).toBeUndefined();
      const turned = call();
      station.reroute(turned, configOf({ url: ELSEWHERE }));
      expect(await station.checkAgain(turned)).toBeUndefined();
    });
  });

  describe('on a request', () => {
    it('writes the token, and remembers it: a later answer may quote it', async () => {
      const { call, session, station } = setUp();
      const subject = call();
      const values = [];
      for (const token of ['a', 'b']) {
        session.token = token;
        station.enter(subject);
        const headers = new AxiosHeaders();
        station.stamp(subject, { headers });
        values.push(headers.get('Authorization'));
      }
      expect(values).toEqual(['Bearer a', 'Bearer b']);
      expect(subject.tokens).toEqual(['a', 'b']);
    });

    it('writes none where the session is in cookies, or nobody is logged in', () => {
      for (const auth of [{ token: undefined }, { token: () => undefined }] as Partial<AuthOptions>[]) {
        const { call, station } = setUp(auth);
        const subject = call();
        station.enter(subject);
        const headers = new AxiosHeaders();
        station.stamp(subject, { headers });
        expect(Object.keys(headers)).toEqual([]);
        expect(subject.tokens).toBeUndefined();
      }
    });

    it('takes it off where beforeSend turned the send to where it must not be seen', () => {
      const { call, station } = setUp();
      const [stays, leaves] = [call(), call()].map((subject, i) => {
        station.enter(subject);
        const config = configOf();
        station.stamp(subject, config);
        station.moveTo(subject, Object.assign(config, i === 1 && { url: ELSEWHERE }));
        return { sent: config.headers.get('Authorization'), token: subject.auth?.token };
      });
      expect(stays).toEqual({ sent: 'Bearer a', token: { value: 'a' } });
      expect(leaves).toEqual({ sent: undefined, token: undefined });
    });

    it('has nothing to take off where none was written', () => {
      const { call, station } = setUp();
      const subject = call(configOf({ url: ELSEWHERE }));
      expect(() => station.moveTo(subject, configOf({ url: ELSEWHERE }))).not.toThrow();
      expect(() => station.reroute(subject, configOf())).not.toThrow();
      expect(station.enter(subject)).toBeUndefined();
      expect(subject.auth?.token).toBeUndefined();
    });

    it('goes along to where an answer has named, if it may be seen there', () => {
      const { call, station } = setUp();
      const subject = call();
      station.enter(subject);
      station.reroute(subject, configOf({ url: `${HOME}/jobs/7` }));
      expect(subject.auth?.token).toEqual({ value: 'a' });
      station.reroute(subject, configOf({ url: ELSEWHERE }));
      expect(subject.auth?.token).toBeUndefined();
      station.enter(subject);
      expect(subject.auth?.token).toBeUndefined();
      station.reroute(subject, configOf());
      station.enter(subject);
      expect(subject.auth?.token).toEqual({ value: 'a' });
    });
  });

  describe('after a 401', () => {
    it('a refresh may help where a token of ours was carried, and not otherwise', async () => {
      const { call, refreshable, sent } = setUp();
      expect(refreshable(await sent())).toBe(true);
      expect(refreshable(call())).toBe(false);
      const other = await sent();
      other.wireHeaders?.set('Authorization', 'Bearer somebody-else');
      expect(refreshable(other)).toBe(false);
      const basic = await sent();
      if (basic.wire !== undefined) basic.wire.auth = { username: 'u', password: 'p' };
      expect(refreshable(basic)).toBe(false);
    });

    it('a refresh may help where nobody can say what was carried', async () => {
      const own = setUp({ apply: (headers, token) => void headers.set('X-Token', token.value) });
      expect(own.refreshable(await own.sent())).toBe(true);
    });

    it('no refresh helps against what the challenge says, unless the policy says otherwise', async () => {
      const { refreshable, sent } = setUp();
      const unauthorized = unauthorizedBy(
        answered(401, { 'www-authenticate': 'Bearer error="insufficient_scope"' }),
        undefined,
      );
      const subject = await sent();
      expect(refreshable(subject, unauthorized as never)).toBe(false);
      expect(refreshable(subject, unauthorized as never, true)).toBe(true);
    });

    it('no refresh helps against what the policy names, in a challenge or anywhere in the body', async () => {
      const { refreshable, sent } = setUp({ neverRefreshOn: ['account_locked'] });
      const subject = await sent();
      const challenged = unauthorizedBy(
        answered(401, { 'www-authenticate': 'Bearer error="account_locked"' }),
        undefined,
      );
      const json = { 'content-type': 'application/json' };
      const body = (text: string) => unauthorizedBy(answered(401, json, text), undefined);
      expect(refreshable(subject, challenged as never, true)).toBe(false);
      expect(refreshable(subject, body('{"error":{"code":"account_locked"}}') as never)).toBe(false);
      expect(refreshable(subject, body('{"error":{"code":"x","innererror":{"code":"account_locked"}}}') as never)).toBe(
        false,
      );
      expect(refreshable(subject, body('{"error":{"code":"x"}}') as never)).toBe(true);
    });

    it('gets another token, for a replay that need not ask for it again', async () => {
      const { refreshes, sent, session, station } = setUp();
      const subject = await sent();
      expect(await station.replace(subject, NOTHING)).toBeUndefined();
      expect(refreshes()).toBe(1);
      expect(subject.auth?.token).toEqual({ value: 'fresh-1' });
      session.token = 'other';
      expect(station.enter(subject)).toBeUndefined();
      expect(subject.auth?.token).toEqual({ value: 'fresh-1' });
      // The send after that asks as ever.
      station.enter(subject);
      expect(subject.auth?.token).toEqual({ value: 'other' });
    });

    it('ends with the answer where nobody is logged in any more', async () => {
      const { sent, session, station } = setUp();
      const subject = await sent();
      session.token = undefined;
      subject.outcome = answered(401);
      expect(await station.replace(subject, NOTHING)).toEqual({ outcome: subject.outcome, why: 'not-retryable' });
    });

    it('has nothing to replace where none was carried', async () => {
      const { call, refreshes, station } = setUp();
      expect(await station.replace(call(), NOTHING)).toBeUndefined();
      expect(await station.replace(call(configOf({ url: ELSEWHERE })), NOTHING)).toBeUndefined();
      expect(refreshes()).toBe(0);
    });

    it('ends with an error of its own for each call where the refresh failed, with the answer and nothing secret', async () => {
      const cause = Object.assign(new Error('revoked'), { response: { status: 400 } });
      const { sent, station } = setUp({ refresh: async () => Promise.reject(cause) });
      const subjects = [await sent(), await sent()];
      const refusals = await Promise.all(
        subjects.map((subject) => {
          subject.outcome = answered(401);
          return station.replace(subject, NOTHING);
        }),
      );
      const errors = refusals.map((refusal) => refusal?.outcome.error as TokenRefreshError);
      for (const [i, error] of errors.entries()) {
        expect(error).toBeInstanceOf(TokenRefreshError);
        expect(error.cause).toBe(cause);
        expect(error.response?.status).toBe(401);
        expect(refusals[i]?.why).toBe('refresh-failed');
        expect(subjects[i]?.tokens).toContain('a');
      }
      expect(errors[0]).not.toBe(errors[1]);
    });

    it('knows a token that is refused though a refresh has just given it', async () => {
      const { sent, station } = setUp();
      const subject = await sent();
      await station.replace(subject, NOTHING);
      station.enter(subject);
      expect(station.isRefusedAnew(subject)).toBe(false);
      station.refusedAgain(subject);
      expect(station.isRefusedAnew(subject)).toBe(true);
    });

    it('knows nothing of a call that carries none', () => {
      const { call, station } = setUp();
      for (const subject of [call(), call(configOf({ url: ELSEWHERE }))]) {
        expect(() => station.refusedAgain(subject)).not.toThrow();
        expect(station.isRefusedAnew(subject)).toBe(false);
      }
    });
  });

  describe('why a send carried no token', () => {
    it('is told', async () => {
      const { call, sent, session, station } = setUp();
      expect(station.bareBecause(await sent())).toBeUndefined();
      expect(station.bareBecause(call(configOf({ url: ELSEWHERE })))).toBe(
        `${ELSEWHERE} is not among auth.origins, which are that of the baseURL, ${HOME}`,
      );
      session.token = undefined;
      expect(station.bareBecause(await sent())).toBe('auth.token gave none');
      const turned = await sent();
      turned.wire = configOf({ url: ELSEWHERE });
      expect(station.bareBecause(turned)).toContain(`${ELSEWHERE} is not among auth.origins`);
    });

    it('is that the call is part of the refresh', async () => {
      const reasons: unknown[] = [];
      const made = setUp({
        refresh: async () => {
          reasons.push(made.station.bareBecause(made.call()));
          return 'b';
        },
      });
      await made.station.replace(await made.sent(), NOTHING);
      expect(reasons).toEqual(['the call is part of the refresh']);
    });
  });
});

describe(unauthorizedBy.name, () => {
  it('reads the challenges and the error of the body, also where the loop has read that', () => {
    const headers = { 'www-authenticate': 'Bearer error="invalid_token"', 'content-type': 'application/json' };
    const said = unauthorizedBy(answered(401, headers, {}), '{"error":{"code":"Expired"}}');
    expect(said.challenges).toEqual([expect.objectContaining({ params: { error: 'invalid_token' } })]);
    expect(said.api).toMatchObject({ code: 'Expired' });
  });

  it('reads nothing where nothing was answered', () => {
    expect(unauthorizedBy(undefined, undefined)).toEqual({ challenges: [], api: undefined });
    expect(unauthorizedBy({ error: new Error('lost') }, undefined)).toEqual({ challenges: [], api: undefined });
  });
});
