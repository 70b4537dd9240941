import { AxiosError, AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import { CallState } from '../../lib/call/call.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import type { Judgement, Verdict } from '../../lib/call/verdict.ts';
import { announcesJson, classify } from '../../lib/classify/classify.ts';
import { evidenceOf } from '../../lib/classify/evidence.ts';
import type { Classifier } from '../../lib/classify/options.ts';
import type { ResolvedPolicy } from '../../lib/policy/options.ts';

const NOW = Date.UTC(2026, 0, 1);
const AT = { wall: () => NOW };
const config: InternalAxiosRequestConfig = { method: 'post', url: 'http://a.example/', headers: new AxiosHeaders() };
const sources = {
  call: new CallState(config, NOW, 1_000).snapshot(),
  api: () => undefined,
  data: () => undefined,
};

function answer(status: number, headers: object = {}, data: unknown = ''): AxiosResponse {
  return { status, statusText: '', headers: new AxiosHeaders({ ...headers }), data, config };
}

const resolved = (response: AxiosResponse): Outcome => ({ response });
const rejected = (response: AxiosResponse): Outcome => ({
  error: new AxiosError('Request failed', AxiosError.ERR_BAD_REQUEST, config, undefined, response),
});

function judged(outcome: Outcome, policy: Partial<Pick<ResolvedPolicy, 'statuses' | 'classify'>> = {}): Judgement {
  const evidence = () => evidenceOf(outcome, sources, AT);
  const verdict = classify(outcome, { statuses: {}, classify: [], ...policy }, evidence, AT);
  if (verdict instanceof Promise) throw new Error('no judge here gives a promise');
  return verdict;
}

describe(classify.name, () => {
  it.each([
    [200, 'success'],
    [304, 'permanent'],
    [404, 'permanent'],
    [401, 'unauthorized'],
    [429, 'throttled'],
    [503, 'transient'],
  ])('reads a %i as %s, whether axios resolved it or rejected with it', (status, kind) => {
    expect(judged(resolved(answer(status))).kind).toBe(kind);
    expect(judged(rejected(answer(status))).kind).toBe(kind);
  });

  it('treats a 429 without Retry-After as throttled, for no particular time', () => {
    expect(judged(rejected(answer(429)))).toEqual({ kind: 'throttled', unapplied: true });
  });

  it('adds how long the server asked to wait', () => {
    expect(judged(rejected(answer(429, { 'retry-after': '7' }))).retryAfterMs).toBe(7_000);
    expect(judged(rejected(answer(502, { 'retry-after': '7' }))).retryAfterMs).toBe(7_000);
    expect(judged(rejected(answer(429, { 'retry-after-ms': '70' }))).retryAfterMs).toBe(70);
  });

  it('goes by Retry-After before the reset of the rate limit', () => {
    const both = { 'retry-after': '7', 'ratelimit-remaining': '0', 'ratelimit-reset': '3' };
    expect(judged(rejected(answer(429, both))).retryAfterMs).toBe(7_000);
    const { 'retry-after': _, ...reset } = both;
    expect(judged(rejected(answer(429, reset))).retryAfterMs).toBe(3_000);
  });

  it.each([200, 304, 404, 401, 500])('does not wait after a %i, whatever it says', (status) => {
    expect(judged(rejected(answer(status, { 'retry-after': '7' })))).not.toHaveProperty('retryAfterMs');
  });

  it('takes only a 503 with a readable Retry-After for refused, not applied', () => {
    expect(judged(rejected(answer(503, { 'retry-after': '7' })))).toMatchObject({ unapplied: true });
    expect(judged(rejected(answer(503, { 'retry-after': 'soon' })))).not.toHaveProperty('unapplied');
    expect(judged(rejected(answer(503, { 'ratelimit-remaining': '0', 'ratelimit-reset': '3' })))).toEqual({
      kind: 'transient',
      retryAfterMs: 3_000,
    });
    for (const status of [502, 504]) {
      expect(judged(rejected(answer(status, { 'retry-after': '7' })))).not.toHaveProperty('unapplied');
    }
  });

  it('reads a status by the rule of the policy', () => {
    const statuses = { 500: 'retry', 503: 'fail' } as const;
    expect(judged(rejected(answer(500)), { statuses }).kind).toBe('transient');
    expect(judged(rejected(answer(503)), { statuses }).kind).toBe('permanent');
    expect(judged(rejected(answer(502)), { statuses }).kind).toBe('transient');
  });

  it('reads a status by the narrowest rule that holds for it', () => {
    const statuses = { '5xx': 'retry', '52x': 'fail', 521: 'refresh', '9xx': 'refresh' } as const;
    const kinds = [500, 519, 520, 521, 522, 529, 530, 599, 999, 404].map(
      (code) => judged(resolved(answer(code)), { statuses }).kind,
    );
    expect(kinds.join(' ')).toBe(
      'transient transient permanent unauthorized permanent permanent transient transient unauthorized permanent',
    );
  });

  it('waits for a reset that stands alone only where the answer refused for rate', () => {
    const lone = { 'x-ratelimit-reset': '3' };
    expect(judged(rejected(answer(429, lone))).retryAfterMs).toBe(3_000);
    expect(judged(rejected(answer(503, lone)))).not.toHaveProperty('retryAfterMs');
    expect(judged(rejected(answer(502, { 'ratelimit-reset': '3' })))).not.toHaveProperty('retryAfterMs');
  });

  it('takes a rejected 200 without data for broken off, but never for applied', () => {
    const { data: _, ...torn } = answer(200);
    expect(judged(rejected(torn as AxiosResponse))).toEqual({ kind: 'transient', reason: 'truncated' });
  });

  it.each([
    [199, 'permanent'],
    [200, 'transient'],
    [299, 'transient'],
    [300, 'permanent'],
    [404, 'permanent'],
  ])('reads a rejected %i without data as %s: only a 2xx began well', (status, kind) => {
    const { data: _, ...torn } = answer(status);
    expect(judged(rejected(torn as AxiosResponse)).kind).toBe(kind);
  });

  it('leaves it to axios what a resolved 200 without data is', () => {
    const { data: _, ...bare } = answer(200);
    expect(judged(resolved(bare as AxiosResponse))).toEqual({ kind: 'success' });
  });

  it('shares one frozen verdict among the broken off', () => {
    const { data: _, ...torn } = answer(200);
    expect(Object.isFrozen(judged(rejected(torn as AxiosResponse)))).toBe(true);
  });

  it('takes a rejected 200 with data for what it is: validateStatus refused it', () => {
    expect(judged(rejected(answer(200, {}, ''))).kind).toBe('success');
  });

  it('takes a 200 that the caller broke off for cancelled', () => {
    const { data: _, ...torn } = answer(200);
    const error = Object.assign(new AxiosError('canceled', 'ERR_CANCELED'), { response: torn });
    expect(judged({ error }).kind).toBe('cancelled');
  });

  it('reads an answer without a status by the error, or as a success if there is none', () => {
    const odd = { headers: {}, data: 'x' } as unknown as AxiosResponse;
    expect(judged(resolved(odd)).kind).toBe('success');
    expect(judged({ error: { code: 'ECONNRESET', response: odd } }).kind).toBe('transient');
  });

  it.each([undefined, null, 'headers', 7, { 'retry-after': {} }])('survives headers that are none: %j', (headers) => {
    const response = { ...answer(429), headers } as unknown as AxiosResponse;
    expect(judged(rejected(response))).toEqual({ kind: 'throttled', unapplied: true });
  });

  describe('with judges', () => {
    const says =
      (verdict: Verdict): Classifier =>
      () =>
        verdict;
    const silent: Classifier = () => undefined;

    it('takes the first opinion', () => {
      const third: Classifier = () => {
        throw new Error('asked although there was an opinion');
      };
      const judges = [silent, says({ kind: 'permanent', reason: 'second' }), third];
      expect(judged(rejected(answer(503)), { classify: judges })).toEqual({ kind: 'permanent', reason: 'second' });
    });

    it('falls back on the built-in rules where nobody has an opinion', () => {
      expect(judged(rejected(answer(503)), { classify: [silent, silent] }).kind).toBe('transient');
    });

    it('asks them before the rules for statuses', () => {
      const policy = { classify: [says({ kind: 'permanent' })], statuses: { 500: 'retry' as const } };
      expect(judged(rejected(answer(500)), policy).kind).toBe('permanent');
    });

    it('adds the wait that the server named to their opinion, unless they name one', () => {
      const throttling = answer(200, { 'retry-after': '7' });
      expect(judged(resolved(throttling), { classify: [says({ kind: 'throttled' })] })).toEqual({
        kind: 'throttled',
        retryAfterMs: 7_000,
      });
      expect(judged(resolved(throttling), { classify: [says({ kind: 'throttled', retryAfterMs: 1 })] })).toEqual({
        kind: 'throttled',
        retryAfterMs: 1,
      });
    });

    it('leaves it to them whether a 503 with Retry-After was applied', () => {
      const refused = rejected(answer(503, { 'retry-after': '7' }));
      const verdict = judged(refused, { classify: [says({ kind: 'transient', unapplied: false })] });
      expect(verdict).toMatchObject({ unapplied: false });
    });

    it('shows them one frozen argument', () => {
      let shown: unknown;
      const outcome = rejected(answer(404));
      judged(outcome, {
        classify: [
          (argument) => {
            shown = argument;
            return undefined;
          },
        ],
      });
      expect(Object.isFrozen(shown)).toBe(true);
      expect(shown).toMatchObject({ outcome, call: { method: 'POST', url: 'http://a.example/' }, api: undefined });
    });

    it.each(['success', 'throttled', 'transient', 'permanent', 'cancelled'] as const)(
      'takes %s for a verdict',
      (kind) => {
        expect(judged(rejected(answer(404)), { classify: [says({ kind })] })).toEqual({ kind });
      },
    );

    it('notes that the policy calls it unauthorized, not the table', () => {
      const explicit = { kind: 'unauthorized', explicit: true };
      expect(judged(rejected(answer(401)), { classify: [says({ kind: 'unauthorized' })] })).toEqual(explicit);
      expect(judged(rejected(answer(403)), { statuses: { 403: 'refresh' } })).toEqual({ ...explicit, unapplied: true });
      expect(judged(rejected(answer(401)), { statuses: { 403: 'refresh' } })).not.toHaveProperty('explicit');
    });

    const shownFor = (outcome: Outcome): unknown => {
      const judge = vi.fn<Classifier>();
      judged(outcome, { classify: [judge] });
      return judge.mock.calls[0]?.[0].retryAfterMs;
    };

    it('shows them what the server asks to wait, in ms from now', () => {
      expect(shownFor(rejected(answer(429, { 'retry-after': '7' })))).toBe(7_000);
      expect(shownFor(resolved(answer(400, { 'retry-after': '7' })))).toBe(7_000);
      expect(shownFor(rejected(answer(429, { 'ratelimit-remaining': '0', 'ratelimit-reset': '3' })))).toBe(3_000);
      expect(shownFor(rejected(answer(429)))).toBeUndefined();
    });

    it('shows them what a success asks for outright, but nothing by the state of its quota', () => {
      const usedUp = { 'ratelimit-remaining': '0', 'ratelimit-reset': '3' };
      for (const status of [200, 202, 399]) {
        expect(shownFor(resolved(answer(status, { 'retry-after': '7' })))).toBe(7_000);
        expect(shownFor(resolved(answer(status, usedUp)))).toBeUndefined();
      }
      expect(shownFor(resolved(answer(400, usedUp)))).toBe(3_000);
    });

    it('shows them no wait where nothing was answered', () => {
      expect(shownFor({ error: { code: 'ECONNRESET' } })).toBeUndefined();
    });

    it('asks them about errors of the network too', () => {
      const judge: Classifier = ({ error }) => (error?.code === 'ECONNRESET' ? { kind: 'permanent' } : undefined);
      expect(judged({ error: { code: 'ECONNRESET' } }, { classify: [judge] }).kind).toBe('permanent');
    });

    it('lets through what they throw', () => {
      const thrown = new Error('judge');
      const throwing: Classifier = () => {
        throw thrown;
      };
      expect(() => judged(rejected(answer(404)), { classify: [throwing] })).toThrow(thrown);
    });

    it('goes by the first opinion also where it comes late, and asks nobody after it', async () => {
      const judges = [
        () => Promise.resolve(undefined),
        silent,
        async () => ({ kind: 'permanent' }) as const,
        says({ kind: 'success' }),
      ];
      const outcome = rejected(answer(503));
      const policy = { statuses: {}, classify: judges };
      const verdict = classify(outcome, policy, () => evidenceOf(outcome, sources, AT), AT);
      expect(verdict).toBeInstanceOf(Promise);
      expect(await verdict).toEqual({ kind: 'permanent' });
    });
  });
});

describe('an answer that holds for now only', () => {
  const now = { 'retry-after': '7' };

  it('a 413 is one where it says for how long: it was not applied', () => {
    expect(judged(rejected(answer(413)))).toEqual({ kind: 'permanent' });
    expect(judged(rejected(answer(413, now)))).toMatchObject({
      kind: 'transient',
      unapplied: true,
      retryAfterMs: 7_000,
    });
    expect(judged(rejected(answer(413, now)), { statuses: { 413: 'retry' } })).toMatchObject({ unapplied: true });
    expect(judged(rejected(answer(413, now)), { statuses: { 413: 'fail' } })).toEqual({ kind: 'permanent' });
    // What is left of a quota says nothing of the size of a body.
    expect(judged(rejected(answer(413, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '7' })))).toEqual({
      kind: 'permanent',
    });
    expect(judged(rejected(answer(400, now))).kind).toBe('permanent');
  });

  it('a pending one names when to ask again by Retry-After, which a judge may know better', () => {
    const pending = { statuses: { 202: 'pending' } } as const;
    expect(judged(resolved(answer(202, now)), pending)).toEqual({ kind: 'pending', retryAfterMs: 7_000 });
    expect(judged(resolved(answer(202)), pending)).toEqual({ kind: 'pending' });
    expect(judged(resolved(answer(202, { 'retry-after': '0' })), pending)).toEqual({ kind: 'pending' });
    expect(judged(resolved(answer(202, now)), { classify: [() => ({ kind: 'pending', retryAfterMs: 5 })] })).toEqual({
      kind: 'pending',
      retryAfterMs: 5,
    });
    const lost = judged({ error: new AxiosError('lost', 'ECONNRESET') }, { classify: [() => ({ kind: 'pending' })] });
    expect(lost).toEqual({ kind: 'pending' });
  });

  it('a failure that the policy has tried again keeps what the table knows of it', () => {
    expect(judged(rejected(answer(429)), { statuses: { 429: 'retry' } })).toMatchObject({ kind: 'throttled' });
    expect(judged(rejected(answer(425)), { statuses: { 425: 'retry' } })).toEqual({
      kind: 'transient',
      unapplied: true,
    });
    expect(judged(rejected(answer(404)), { statuses: { 404: 'retry' } })).toEqual({ kind: 'transient' });
  });
});

describe('a judge that gives a promise', () => {
  const late = async (...judges: readonly Classifier[]) => {
    const outcome = rejected(answer(503));
    return classify(outcome, { statuses: {}, classify: judges }, () => evidenceOf(outcome, sources, AT), AT);
  };

  it('has the next asked where it has no opinion', async () => {
    expect(
      await late(
        async () => undefined,
        () => ({ kind: 'permanent' }),
      ),
    ).toEqual({ kind: 'permanent' });
    expect(await late(async () => undefined)).toEqual({ kind: 'transient' });
  });

  it('is told what it gave a promise of', async () => {
    await expect(late((async () => false) as never)).rejects.toThrow('classify gave a promise of false; it must give');
  });
});

describe(announcesJson.name, () => {
  it.each(['application/json', 'application/problem+json; charset=utf-8', 'Application/JSON', 'text/json;x=1'])(
    'holds for %s',
    (type) => {
      expect(announcesJson({ 'content-type': type })).toBe(true);
    },
  );

  it.each(['text/html', 'application/jsonlines', 'application/json5', 'json', 'text/notjson', '', undefined])(
    'does not hold for %s',
    (type) => {
      expect(announcesJson({ 'content-type': type })).toBe(false);
      expect(announcesJson({})).toBe(false);
      expect(announcesJson(undefined)).toBe(false);
    },
  );

  it('reads no more of the header than its beginning', () => {
    expect(announcesJson({ 'content-type': `text/html;x=${'x'.repeat(256)}/json` })).toBe(false);
  });
});
