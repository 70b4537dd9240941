import { describe, expect, it } from 'vitest';
import type { EndReason } from '../../lib/call/report.ts';
import { decide, type Facts, FINISH } from '../../lib/retry/decide.ts';
import type { ResolvedRetry } from '../../lib/retry/options.ts';
import { constantBackoff } from '../../lib/time/backoff.ts';
import { DEFAULTS } from '../support/policies.ts';

const NOW = 1_000_000;
const retry: ResolvedRetry = { ...DEFAULTS.retry, backoff: constantBackoff(400) };

/** A GET that was answered 503 for the first time. */
const FACTS: Facts = {
  verdict: { kind: 'transient' },
  retry,
  poll: { intervalMs: 1_000, maxMs: 600_000 },
  method: 'GET',
  retries: 0,
  replays: 0,
  refreshable: false,
  refusedAnew: false,
  nowMs: NOW,
  deadlineAt: Number.POSITIVE_INFINITY,
  accepted: false,
  timedOut: false,
  sameKey: false,
  replayable: true,
  previousMs: 0,
  namedMs: 0,
  pollUrl: undefined,
  pollingMs: 0,
  error: undefined,
  random: () => 0,
  affordable: true,
  wantsFreshConnection: false,
};

const decided = (changes: Partial<Facts>) => decide({ ...FACTS, ...changes });

describe(decide.name, () => {
  it('finishes on a success', () => {
    expect(decided({ verdict: { kind: 'success' } })).toBe(FINISH);
  });

  it('never sends again what was cancelled', () => {
    expect(decided({ verdict: { kind: 'cancelled', unapplied: true, retryAfterMs: 0 } })).toEqual({
      kind: 'stop',
      why: 'cancelled',
    });
  });

  it('fails fast on what is permanent, unless it is good enough for the caller', () => {
    expect(decided({ verdict: { kind: 'permanent' } })).toEqual({ kind: 'stop', why: 'not-retryable' });
    expect(decided({ verdict: { kind: 'permanent' }, accepted: true })).toBe(FINISH);
  });

  it.each(['throttled', 'transient', 'unauthorized'] as const)('sends nothing again that is %s for good', (kind) => {
    const verdict = { kind, final: true, unapplied: true } as const;
    expect(decided({ verdict, refreshable: true })).toEqual({ kind: 'stop', why: 'not-retryable' });
    expect(decided({ verdict: { ...verdict, final: false }, refreshable: true }).kind).not.toBe('stop');
  });

  describe('on an answer that is pending', () => {
    const pending = (changes: Partial<Facts> = {}) => decided({ verdict: { kind: 'pending' }, ...changes });

    it('asks again, by the Location where there is one, after what was named, else at its own pace', () => {
      expect(pending()).toEqual({ kind: 'poll', delayMs: 1_000, url: undefined });
      const verdict = { kind: 'pending', retryAfterMs: 120_000 } as const;
      const pollUrl = 'https://api.example.com/jobs/7';
      expect(pending({ verdict, pollUrl, method: 'POST' })).toEqual({ kind: 'poll', delayMs: 120_000, url: pollUrl });
    });

    it('takes no notice of retries, budget and keys', () => {
      const off: Partial<Facts> = { retry: false, retries: 99, affordable: false };
      expect(pending(off).kind).toBe('poll');
      for (const method of ['POST', 'PATCH', 'LOCK']) {
        expect(pending({ method, sameKey: true, retry: { ...retry, unsafe: 'always' } })).toBe(FINISH);
      }
      expect(pending({ method: 'LOCK', retry: { ...retry, idempotentMethods: ['lock'] } }).kind).toBe('poll');
      for (const method of ['POST', 'PATCH']) {
        expect(pending({ method, retry: { ...retry, idempotentMethods: [method] } })).toBe(FINISH);
      }
    });

    it('takes it for a success where it may not, or cannot, ask', () => {
      expect(pending({ poll: false })).toBe(FINISH);
      expect(pending({ replayable: false, method: 'PUT' })).toBe(FINISH);
      expect(pending({ verdict: { kind: 'pending', final: true } })).toBe(FINISH);
    });

    it('ends where the next question would be too late', () => {
      expect(pending({ pollingMs: 599_000 }).kind).toBe('poll');
      expect(pending({ pollingMs: 599_001 })).toEqual({ kind: 'stop', why: 'still-pending' });
      expect(pending({ deadlineAt: NOW + 1_000 })).toEqual({ kind: 'stop', why: 'deadline' });
      expect(pending({ deadlineAt: NOW + 1_001 }).kind).toBe('poll');
      const verdict = { kind: 'pending', retryAfterMs: Number.POSITIVE_INFINITY } as const;
      expect(pending({ verdict })).toEqual({ kind: 'stop', why: 'still-pending' });
    });
  });

  it('fails fast on a 401, since there is nothing to refresh', () => {
    expect(decided({ verdict: { kind: 'unauthorized', unapplied: true } })).toEqual({
      kind: 'stop',
      why: 'not-retryable',
    });
  });

  describe('on a 401 to a send that carried a token of ours', () => {
    const REFUSED: Partial<Facts> = { verdict: { kind: 'unauthorized' }, refreshable: true };
    const refused = (changes: Partial<Facts> = {}) => decided({ ...REFUSED, ...changes });

    it('refreshes, for any method: it was not applied', () => {
      expect(refused()).toEqual({ kind: 'refresh' });
      expect(refused({ method: 'POST' })).toEqual({ kind: 'refresh' });
      expect(Object.isFrozen(refused())).toBe(true);
    });

    it('refreshes whatever the policy says of retries: a replay is none', () => {
      expect(refused({ retry: false })).toEqual({ kind: 'refresh' });
      expect(refused({ method: 'POST', retry: { ...retry, unsafe: 'never' } })).toEqual({ kind: 'refresh' });
      expect(refused({ retries: 3, affordable: false, timedOut: true })).toEqual({ kind: 'refresh' });
    });

    it('does so once: a second 401 is final', () => {
      expect(refused({ replays: 1 })).toEqual({ kind: 'stop', why: 'still-unauthorized' });
      expect(refused({ replays: 1, refreshable: false })).toEqual({ kind: 'stop', why: 'still-unauthorized' });
      expect(refused({ refusedAnew: true })).toEqual({ kind: 'stop', why: 'still-unauthorized' });
    });

    it('does not repeat a POST that may have been applied, since a redirect lay between', () => {
      const redirected = { kind: 'unauthorized', unapplied: false } as const;
      expect(refused({ method: 'POST', verdict: redirected })).toEqual({ kind: 'stop', why: 'unsafe-method' });
      expect(refused({ method: 'POST', verdict: redirected, sameKey: true })).toEqual({ kind: 'refresh' });
      expect(refused({ verdict: redirected })).toEqual({ kind: 'refresh' });
      for (const [policy, kind] of [
        [false, 'stop'],
        [{ ...retry, idempotentMethods: ['purge'] }, 'refresh'],
      ] as const) {
        expect(refused({ method: 'PURGE', verdict: redirected, retry: policy }).kind).toBe(kind);
      }
    });

    it('does not refresh for a body that cannot be sent again', () => {
      expect(refused({ replayable: false })).toEqual({ kind: 'stop', why: 'body-not-replayable' });
    });

    it('does not refresh at the deadline or after it', () => {
      expect(refused({ deadlineAt: NOW + 1 })).toEqual({ kind: 'refresh' });
      expect(refused({ deadlineAt: NOW })).toEqual({ kind: 'stop', why: 'deadline' });
    });
  });

  it('retries what may pass, after the backoff', () => {
    expect(decided({})).toEqual({ kind: 'retry', delayMs: 400, backoff: true, namedMs: 0 });
    expect(decided({ verdict: { kind: 'throttled' } })).toEqual({
      kind: 'retry',
      delayMs: 400,
      backoff: true,
      namedMs: 0,
    });
  });

  it('retries at once on a fresh connection, if the old one is to blame and the server has named no wait', () => {
    expect(decided({ wantsFreshConnection: true })).toEqual({
      ...{ kind: 'retry', delayMs: 0, backoff: false, namedMs: 0 },
    });
    expect(decided({ wantsFreshConnection: true, verdict: { kind: 'transient', retryAfterMs: 700 } })).toMatchObject({
      delayMs: 700,
    });
  });

  it('retries after what the server named', () => {
    const verdict = { kind: 'throttled', retryAfterMs: 7_000 } as const;
    expect(decided({ verdict })).toEqual({ kind: 'retry', delayMs: 7_000, backoff: false, namedMs: 7_000 });
  });

  it('retries a 2xx that a judge calls transient, although axios accepted it', () => {
    expect(decided({ accepted: true })).toMatchObject({ kind: 'retry' });
  });

  it.each([
    [0, 0, 'stop'],
    [1, 0, 'retry'],
    [1, 1, 'stop'],
    [3, 2, 'retry'],
    [3, 3, 'stop'],
  ])('with maxRetries %i and %i retries made decides on %s', (maxRetries, retries, kind) => {
    expect(decided({ retry: { ...retry, maxRetries }, retries })).toMatchObject({ kind });
  });

  it('retries a timeout unless the policy says no, and then whatever else it is', () => {
    expect(decided({ timedOut: true })).toMatchObject({ kind: 'retry' });
    const unwilling = { ...retry, timeouts: false };
    expect(decided({ timedOut: true, retry: unwilling })).toEqual({ kind: 'stop', why: 'not-retryable' });
    expect(decided({ timedOut: false, retry: unwilling })).toMatchObject({ kind: 'retry' });
  });

  it.each<[string, Partial<Facts>]>([
    ['for a POST that may have been applied', { method: 'POST' }],
    [
      "for a POST with unsafe: 'never' even though it was throttled",
      { method: 'POST', verdict: { kind: 'throttled' }, retry: { ...retry, unsafe: 'never' } },
    ],
  ])("stops with 'unsafe-method' %s", (_case, changes) => {
    expect(decided(changes)).toEqual({ kind: 'stop', why: 'unsafe-method' });
  });

  it.each<[string, Partial<Facts>]>([
    ['that was throttled', { verdict: { kind: 'throttled' } }],
    ['that was provably not applied', { verdict: { kind: 'transient', unapplied: true } }],
    ['that will carry the same key', { sameKey: true }],
    ["with unsafe: 'always'", { retry: { ...retry, unsafe: 'always' } }],
  ])('retries a POST %s', (_case, changes) => {
    expect(decided({ method: 'POST', ...changes })).toMatchObject({ kind: 'retry' });
  });

  it('never begins a retry that could not be sent before the deadline', () => {
    expect(decided({ deadlineAt: NOW + 401 })).toMatchObject({ kind: 'retry' });
    expect(decided({ deadlineAt: NOW + 400 })).toEqual({ kind: 'stop', why: 'deadline' });
  });

  it('stops at once where the server asks for longer than the policy sits out', () => {
    const verdict = { kind: 'throttled', retryAfterMs: 60_001 } as const;
    expect(decided({ verdict })).toEqual({ kind: 'stop', why: 'wait-too-long' });
  });

  it('names the reason that no other knob would have changed: the earliest of this list', () => {
    const verdict = { kind: 'transient', retryAfterMs: 90_000 } as const;
    const hopeless: Partial<Facts> = {
      verdict,
      method: 'POST',
      timedOut: true,
      replayable: false,
      retries: 3,
      affordable: false,
      retry: { ...retry, timeouts: false },
    };
    const reasons: [Partial<Facts>, EndReason][] = [
      [{ deadlineAt: NOW }, 'deadline'],
      [{ retry: false }, 'disabled'],
      [{}, 'not-retryable'],
      [{ timedOut: false }, 'unsafe-method'],
      [{ timedOut: false, method: 'GET' }, 'body-not-replayable'],
      [{ timedOut: false, method: 'GET', replayable: true }, 'retries-exhausted'],
      [{ timedOut: false, method: 'GET', replayable: true, retries: 0 }, 'wait-too-long'],
      [
        { timedOut: false, method: 'GET', replayable: true, retries: 0, verdict: { kind: 'transient' } },
        'budget-empty',
      ],
    ];
    for (const [changes, why] of reasons) {
      expect(decided({ ...hopeless, ...changes })).toEqual({ kind: 'stop', why });
    }
  });

  it('leaves the facts as they were', () => {
    const frozen = Object.freeze({ ...FACTS, verdict: Object.freeze({ kind: 'throttled', retryAfterMs: 5 } as const) });
    expect(decide(frozen)).toEqual(decide(frozen));
  });
});
