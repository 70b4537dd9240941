import { failureOf, LimitError, localLimiter, type Permit } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../lib/limit/options.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { ADAPTERS, rejectionOf } from '../support/attached.ts';
import { byHand, runQuietly, until } from '../support/by-hand.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

/** Report: octokit.js#2827. A pause of an hour was cut to a minute: one call a minute left for nothing, and the others waited behind it. */

const HOUR_S = 3_600;

/** Refuses for an hour, or until the test has it do well. */
async function refusing(policy: Policy = {}, defaults = {}) {
  const state = { isWell: false };
  const answer: Answer = (_request, response) =>
    json(response, state.isWell ? 200 : 429, {}, state.isWell ? {} : { 'retry-after': String(HOUR_S) });
  const made = await byHand(answer, { limit: { maxConcurrent: 1 }, ...policy }, defaults);
  const started = made.clock.now();
  return { ...made, state, endsAt: new Date(started + HOUR_S * 1_000).toISOString() };
}

describe.each(ADAPTERS)('a pause that is longer than a call waits, over %s', (adapter) => {
  it('is told at once to all that wait, by the name of the option and the time, and costs one request', async () => {
    const { client, clock, endsAt, server } = await refusing({}, { adapter });
    const calls = Array.from({ length: 20 }, (_, n) => rejectionOf(client.get(`/${n}`)));
    // Nobody moves the clock.
    const [answered, ...others] = await Promise.all(calls);
    expect(server.seen).toHaveLength(1);
    expect(failureOf(answered)).toMatchObject({ kind: 'throttled', endedBecause: 'wait-too-long', sends: 1 });
    expect(new Set(others).size).toBe(19);
    for (const other of others) {
      expect(other).toBeInstanceOf(LimitError);
      expect(other).toMatchObject({
        code: 'ERR_LIMIT_WAIT_TOO_LONG',
        retryAt: clock.now() + HOUR_S * 1_000,
        message: expect.stringContaining('retry.retryAfter.maxMs'),
      });
      expect((other as Error).message).toContain(endsAt);
      expect(failureOf(other)).toMatchObject({
        kind: 'limited',
        endedBecause: 'limited',
        sends: 0,
        retryAfterMs: HOUR_S * 1_000,
        summary: expect.stringMatching(/3600 s.*the call waits 60 s at most.*retry\.retryAfter\.maxMs/),
      });
    }
  });
});

describe('a pause that is longer than a call waits', () => {
  it('is told at once to who comes later, and one probe leaves in each maxMs', async () => {
    const { client, clock, server } = await refusing();
    const call = () => rejectionOf(client.get('/'));
    await call();
    for (let minute = 1; minute <= 3; minute++) {
      await clock.advance(59_999);
      await Promise.all([call(), call()]);
      expect(server.seen).toHaveLength(minute);
      await clock.advance(1);
      await call();
      expect(server.seen).toHaveLength(minute + 1);
      await Promise.all([call(), call()]);
      expect(server.seen).toHaveLength(minute + 1);
    }
  });

  it('ends with a probe that is answered well: a rogue header shuts nobody out for a day', async () => {
    const setting = await refusing();
    const { client, clock, holdfast, server, state } = setting;
    await rejectionOf(client.get('/'));
    await clock.advance(60_000);
    state.isWell = true;
    const answers = await runQuietly(setting, Promise.all([client.get('/'), client.get('/'), client.get('/')]));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(server.seen).toHaveLength(4);
    expect(holdfast.stats().pausedKeys).toBe(0);
  });

  it('is compared with the maxMs of each call', async () => {
    const setting = await refusing({ limit: {} });
    const { client, clock, server, state } = setting;
    await rejectionOf(client.get('/'));
    const begun = clock.now();
    state.isWell = true;
    const patient = client.get('/', { holdfast: { retry: { retryAfter: { maxMs: 4_000_000 } } } });
    expect(await rejectionOf(client.get('/'))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    await runQuietly(setting, patient);
    expect(clock.now() - begun).toBe(HOUR_S * 1_000);
    expect(server.seen).toHaveLength(2);
  });

  it('ends a call that has been answered with that answer', async () => {
    let n = 0;
    const setting = await byHand(
      (request, response) => {
        n += 1;
        if (request.url === '/own') json(response, 503);
        else json(response, 429, {}, { 'retry-after': String(HOUR_S) });
      },
      { limit: {}, retry: { backoff: () => 1_000 } },
    );
    const { client, clock, holdfast } = setting;
    const own = rejectionOf(client.get('/own'));
    await until(() => holdfast.stats().waiting === 1);
    await rejectionOf(client.get('/other'));
    await clock.advance(1_000);
    expect(failureOf(await own)).toMatchObject({
      status: 503,
      kind: 'unavailable',
      endedBecause: 'wait-too-long',
      sends: 1,
      summary: expect.stringMatching(/3599 s, and the call waits 60 s at most: raise `retry\.retryAfter\.maxMs`/),
    });
    expect(n).toBe(2);
  });

  it('is waited for a probe a minute, one at a time, where a policy clamps waits', async () => {
    const policy: Policy = { retry: { maxRetries: 0, retryAfter: { whenLonger: 'clamp' } } };
    const setting = await refusing({ limit: {}, ...policy });
    const { client, clock, server } = setting;
    const begun = clock.now();
    const at: number[] = [];
    const calls = Array.from({ length: 4 }, async () => {
      const error = await rejectionOf(client.get('/'));
      at.push(clock.now() - begun);
      expect(failureOf(error)).toMatchObject({ status: 429, endedBecause: 'retries-exhausted' });
    });
    // Those that were on their way before anybody knew are no probes.
    await Promise.all(calls);
    const late = [client.get('/a'), client.get('/b')].map(async (call) => {
      await rejectionOf(call);
      at.push(clock.now() - begun);
    });
    await runQuietly(setting, Promise.all(late));
    expect(at).toEqual([0, 0, 0, 0, 60_000, 120_000]);
    expect(server.seen).toHaveLength(6);
  });

  it('is told at once to a call that clamps waits only where its deadline is before its turn to probe', async () => {
    const setting = await refusing({ retry: { maxRetries: 0, retryAfter: { maxMs: 5_000, whenLonger: 'clamp' } } });
    const { client, clock, state } = setting;
    await rejectionOf(client.get('/'));
    const early = rejectionOf(client.get('/', { holdfast: { deadlineMs: 4_000 } }));
    expect(await early).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    state.isWell = true;
    const begun = clock.now();
    const { status } = await runQuietly(setting, client.get('/', { holdfast: { deadlineMs: 8_000 } }));
    expect([status, clock.now() - begun]).toEqual([200, 5_000]);
  });

  it.each([0, 4])(
    'ends for a clamped probe also where two refusals named it, the second faster than the first and %i ms later',
    async (laterMs) => {
      const clock = new ManualClock();
      const limiter = localLimiterWith(clock, fillIn({ requests: 100, perMs: 1_000, burst: 3 }));
      onTestFinished(() => limiter.close());
      const refuse = (permit: Permit) => {
        permit.answered?.({ throttled: true, untilAt: clock.now() + HOUR_S * 1_000 });
        permit.release();
      };
      const slow = await limiter.acquire({ key: 'k' });
      await clock.advance(50);
      const fast = await limiter.acquire({ key: 'k' });
      await clock.advance(10);
      refuse(slow);
      await clock.advance(laterMs);
      refuse(fast);
      let probe: Permit | undefined;
      const asked = (async () => {
        probe = await limiter.acquire({ key: 'k', maxPauseMs: 5_000, clampsPause: true });
      })();
      await clock.advance(5_000);
      expect(probe).toBeDefined();
      probe?.release();
      await asked;
    },
  );

  it.each<[string, Policy]>([
    ['no retries', { retry: false }],
    ['no named waits', { retry: { retryAfter: false } }],
  ])('is compared with a minute where the policy has %s', async (_what, policy) => {
    const limit = localLimiter({});
    onTestFinished(() => limit.close());
    const { client } = await byHand((_request, response) => json(response, 200), { ...policy, limit });
    limit.pause(new URL(String(client.defaults.baseURL)).origin, Date.now() + HOUR_S * 1_000);
    expect(await rejectionOf(client.get('/'))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    await settle();
  });
});
