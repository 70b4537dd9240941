import { AxiosHeaders } from 'axios';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quotaWaitMs, readQuota } from '../../../lib/limit/quota/headers.ts';
import { parseRetryAfter } from '../../../lib/time/retry-after.ts';
import structured from '../../vectors/ratelimit-structured.json' with { type: 'json' };
import wild from '../../vectors/ratelimit-wild.json' with { type: 'json' };

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

interface StructuredCase {
  readonly id?: string;
  readonly draft?: string;
  readonly line?: number;
  readonly headers: Headers;
  readonly valid?: boolean;
  readonly waitIfThrottledMs: number | null;
}

interface WildCase {
  readonly id: string;
  readonly vendor: string;
  readonly now: string;
  readonly status: number;
  readonly headers: Headers;
  readonly expectWaitMs: number | null;
  readonly toleranceMs?: number;
  readonly alsoAcceptable?: readonly (number | null)[];
}

const NOW = Date.parse('2024-01-15T10:00:00.000Z');
const AT = { wall: () => NOW };
const LONGEST_MS = 1e15;
const MEGABYTE = 2 ** 20;

/** What a throttled client waits: `Retry-After` takes precedence over the quota. */
function waitOf(headers: unknown, nowMs: number): number | null {
  const quota = readQuota(headers, { wall: () => nowMs });
  return parseRetryAfter(headers, nowMs) ?? (quota && quotaWaitMs(quota)) ?? null;
}

const policy = (quota: number, windowMs?: number, name?: string) => ({ name, quota, windowMs });

describe(readQuota.name, () => {
  it('reads the policies and the state of draft 10', () => {
    const headers = {
      'RateLimit-Policy': '"burst";q=100;w=60,"daily";q=1000;w=86400',
      RateLimit: '"burst";r=50;t=30',
    };
    expect(readQuota(headers, AT)).toEqual({
      policies: [policy(100, 60_000, 'burst'), policy(1_000, 86_400_000, 'daily')],
      limit: 100,
      remaining: 50,
      resetMs: 30_000,
    });
  });

  it('reads the three fields and the policies of draft 06', () => {
    const headers = {
      'ratelimit-limit': '10',
      'ratelimit-policy': '10;w=1, 50;w=60;comment="sliding window"',
      'ratelimit-remaining': '9',
      'ratelimit-reset': '1',
    };
    expect(readQuota(headers, AT)).toEqual({
      policies: [policy(10, 1_000), policy(50, 60_000)],
      limit: 10,
      remaining: 9,
      resetMs: 1_000,
    });
  });

  it('reads the policies that draft 03 puts behind the limit', () => {
    expect(readQuota({ 'RateLimit-Limit': ['10, 10;w=1', '1000;w=3600'] }, AT)).toEqual({
      policies: [policy(10, 1_000), policy(1_000, 3_600_000)],
      limit: 10,
    });
  });

  it('reads the one field of draft 07', () => {
    expect(readQuota({ ratelimit: 'limit=100, remaining=50, reset=5' }, AT)).toEqual({
      policies: [],
      limit: 100,
      remaining: 50,
      resetMs: 5_000,
    });
  });

  it('lists a policy that names no window, and one whose window has no length, without one', () => {
    expect(readQuota({ 'ratelimit-policy': '"a";q=10, "b";q=5;w=0' }, AT)?.policies).toEqual([
      policy(10, undefined, 'a'),
      policy(5, undefined, 'b'),
    ]);
  });

  it('lists only what is counted in requests', () => {
    const headers = { 'ratelimit-policy': '"a";q=10;w=1, "b";q=65535;w=10;qu="content-bytes", "c";q=3;qu="requests"' };
    expect(readQuota(headers, AT)?.policies.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(readQuota({ 'ratelimit-policy': '"b";q=65535;w=10;qu="content-bytes"' }, AT)).toBeUndefined();
  });

  it('takes the request quota with the fewest left for the one that binds', () => {
    const headers = { ratelimit: '"day";r=900;t=60, "burst";r=2;t=1, "hour";r=70;t=9' };
    expect(readQuota(headers, AT)).toMatchObject({ remaining: 2, resetMs: 1_000 });
  });

  it('takes the fuller one where two tell of the same: a vendor may tell it twice, and only once with its reset', () => {
    const twice = { 'x-rate-limit-remaining': '699', 'ratelimit-limit': '700', 'ratelimit-remaining': '699' };
    const full = { ...twice, 'ratelimit-reset': '41' };
    const turned = Object.fromEntries(Object.entries(full).reverse());
    for (const headers of [full, turned]) {
      expect(readQuota(headers, { wall: () => 0 })).toMatchObject({ limit: 700, remaining: 699, resetMs: 41_000 });
    }
  });

  it('takes the first where as much is left of two, and the fewer left where only the other says until when', () => {
    const first = (ratelimit: string) => {
      const policies = '"a";q=10;w=60, "b";q=20;w=60';
      const { limit, resetMs } = readQuota({ 'ratelimit-policy': policies, ratelimit }, AT) ?? {};
      return [limit, resetMs];
    };
    expect(first('"a";r=5, "b";r=5')).toEqual([10, undefined]);
    expect(first('"a";r=5;t=3, "b";r=5;t=9')).toEqual([10, 3_000]);
    expect(first('"a";r=5;t=3, "b";r=5')).toEqual([10, 3_000]);
    expect(first('"a";r=2, "b";r=7;t=9')).toEqual([10, undefined]);
  });

  it.each([
    ['"a";r=0;t=9, "b";r=0;t=60, "c";r=0;t=30', 60_000],
    ['"a";r=0, "b";r=0;t=9', 9_000],
    ['"a";r=0;t=9, "b";r=0', 9_000],
    ['"a";r=0;t=0, "b";r=0', 0],
    ['"a";r=0, "b";r=0', undefined],
  ])('waits until the last of those is refilled that are used up, as far as they say: %s', (ratelimit, resetMs) => {
    expect(readQuota({ ratelimit }, AT)).toMatchObject({ remaining: 0, resetMs });
  });

  it('minds a quota of another unit only when it is used up, and then gives no limit in requests', () => {
    const tokens = (remaining: number) => ({
      'x-ratelimit-limit-requests': '60',
      'x-ratelimit-remaining-requests': '59',
      'x-ratelimit-reset-requests': '1s',
      'x-ratelimit-limit-tokens': '150000',
      'x-ratelimit-remaining-tokens': String(remaining),
      'x-ratelimit-reset-tokens': '6m0s',
    });
    expect(readQuota(tokens(7), AT)).toEqual({ policies: [], limit: 60, remaining: 59, resetMs: 1_000 });
    expect(readQuota(tokens(0), AT)).toEqual({ policies: [], remaining: 0, resetMs: 360_000 });
  });

  it('reads the unit of a RateLimit item from the policy of its name', () => {
    const headers = {
      'ratelimit-policy': '"bytes";q=65535;w=10;qu="content-bytes", "calls";q=9;w=10',
      ratelimit: '"bytes";r=1;t=10, "calls";r=5;t=10',
    };
    expect(readQuota(headers, AT)).toMatchObject({ limit: 9, remaining: 5 });
  });

  it.each([
    ['with what is counted beside a word for a time', 'minute-tokens'],
    ['with what is counted before one', 'tokens-minute'],
    ['with a word that only begins like one', 'minutest'],
  ])('does not take a quota %s for one of requests', (_what, unit) => {
    const [remaining, reset] = [`x-ratelimit-remaining-${unit}`, `x-ratelimit-reset-${unit}`];
    expect(readQuota({ [remaining]: '5', [reset]: '45' }, AT)).toBeUndefined();
  });

  it('goes by the one that is told in full where others are told by their window, without a reset, as Kong does', () => {
    const headers = {
      'x-ratelimit-limit-minute': '20',
      'x-ratelimit-remaining-minute': '5',
      'x-ratelimit-limit-hour': '500',
      'x-ratelimit-remaining-hour': '4',
      'ratelimit-limit': '20',
      'ratelimit-remaining': '5',
      'ratelimit-reset': '30',
    };
    expect(readQuota(headers, AT)).toEqual({ policies: [], limit: 20, remaining: 5, resetMs: 30_000 });
  });

  it('reads no name of more than a hundred characters', () => {
    const named = (length: number) => `${'x'.repeat(length - '-ratelimit-remaining'.length)}-ratelimit-remaining`;
    expect(readQuota({ [named(100)]: '5' }, AT)?.remaining).toBe(5);
    expect(readQuota({ [named(101)]: '5' }, AT)).toBeUndefined();
  });

  describe('takes a small number, which GitHub means as an instant and others as a delay,', () => {
    const reset = { 'x-ratelimit-reset': '30' };

    it('for neither where it may be either', () => {
      expect(readQuota(reset, AT)).toBeUndefined();
      expect(readQuota({ ...reset, 'x-ratelimit-remaining': '5' }, AT)?.resetMs).toBeUndefined();
      expect(readQuota({ ...reset, 'x-ratelimit-remaining': '5' }, AT, true)?.resetMs).toBeUndefined();
      // A header without a value says no more than none.
      expect(readQuota({ ...reset, 'x-ratelimit-limit': '' }, AT)).toBeUndefined();
    });

    it.each([
      ['beside a limit', { ...reset, 'x-ratelimit-limit': '100' }, false],
      ['beside what was used', { ...reset, 'x-ratelimit-used': '7' }, false],
      ['of one unit', { 'x-ratelimit-reset-requests': '30', 'x-ratelimit-remaining-requests': '5' }, false],
      ['of another vendor', { 'x-acme-ratelimit-reset': '30' }, false],
      ['of none', { 'ratelimit-reset': '30' }, false],
      ['where a refusal says nothing else', reset, true],
    ])('for a delay %s', (_where, headers, throttled) => {
      expect(readQuota(headers, AT, throttled)?.resetMs).toBe(30_000);
    });
  });

  it('takes of several resets the first that it can read', () => {
    const headers = { 'x-ratelimit-limit': '9', 'x-ratelimit-reset-after': 'soon', 'x-ratelimit-reset': '30' };
    expect(readQuota(headers, AT)?.resetMs).toBe(30_000);
    expect(readQuota({ ...headers, 'x-ratelimit-reset-after': '7' }, AT)?.resetMs).toBe(7_000);
  });

  it('reads an instant against the Date of the response', () => {
    const headers = {
      date: 'Mon, 15 Jan 2024 10:00:00 GMT',
      'x-ratelimit-limit': '60',
      'x-ratelimit-remaining': '0',
      'x-ratelimit-reset': String(NOW / 1_000 + 90),
    };
    for (const skewed of [NOW - 3_600_000, NOW + 3_600_000])
      expect(readQuota(headers, { wall: () => skewed })?.resetMs).toBe(90_000);
  });

  it.each([
    ['2024-01-15T10:00:07Z', 7_000],
    ['2024-01-15T11:00:07+01:00', 7_000],
    ['2024-01-15 03:00:07 -0700', 7_000],
    // Jira leaves the seconds out.
    ['2024-01-15T10:01Z', 60_000],
    ['2024-01-15T11:01+01:00', 60_000],
    ['2024-01-15 10:00:07 UTC', 7_000],
    ['2024-01-15T10:00:07.1234567Z', 7_124],
    ['2024-01-15T15:30:07+05:30', 7_000],
    ['2024-01-15T06:30:07-03:30', 7_000],
    ['2024-01-15T10Z', undefined],
    ['at 2024-01-15T10:00:07Z', undefined],
    ['2024-01-15T10:00:07Z or so', undefined],
    ['2024-02-30T10:00:07Z', undefined],
    ['2024-01-15T10:00:07', undefined],
  ])('reads the RFC 3339 time %s', (value, expected) => {
    expect(readQuota({ 'x-ratelimit-limit': '1', 'x-ratelimit-reset': value }, AT)?.resetMs).toBe(expected);
  });

  it.each(wild.goDurations)('reads the duration $value', ({ value, ms }) => {
    // A duration without a unit is seconds, as the bare numbers of Azure OpenAI are; 300us is rounded up to a whole ms.
    const expected = typeof ms === 'object' ? ms?.bareSeconds : Math.ceil(ms);
    const headers = {
      'x-ratelimit-limit-tokens': '1',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': value,
    };
    expect(readQuota(headers, AT)?.resetMs).toBe(expected);
  });

  it.each([
    ['999999999', 999_999_999_000],
    ['1000000000', 1e12],
    ['99999999999', 99_999_999_999_000],
    ['100000000000', 1e11],
    ['100000000000000', 1e11],
    ['100000000000000000', 1e11],
  ])('takes %s for a delay in s, or an epoch in s, ms, µs or ns, by its size', (reset, ms) => {
    expect(readQuota({ 'ratelimit-reset': reset }, { wall: () => 0 })?.resetMs).toBe(ms);
  });

  it.each([
    ['s', NOW / 1e3 + 60],
    ['ms', NOW + 60_000],
    ['µs', (NOW + 60_000) * 1e3],
    ['ns', `${NOW + 60_000}000000`],
  ])('reads an epoch in %s', (_unit, reset) => {
    const headers = { 'x-ratelimit-limit': '60', 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(reset) };
    expect(readQuota(headers, AT)?.resetMs).toBe(60_000);
  });

  describe('reads a reset that is absurd in seconds as ms', () => {
    const reset = { 'x-rate-limit-remaining': '5', 'x-rate-limit-reset': '600000' };

    it.each([
      ['100;w=60', { 'x-rate-limit-limit': '100;w=60' }],
      ['100, 100;w=60', { 'x-rate-limit-limit': '100, 100;w=60' }],
      ['1m, as AspNetCoreRateLimit has it', { 'x-rate-limit-limit': '1m' }],
      ['100/minute', { 'x-rate-limit-limit': '100/minute' }],
      ['100 per 60 seconds', { 'x-rate-limit-limit': '100 per 60 seconds' }],
      ['a policy', { 'x-rate-limit-limit': '100', 'ratelimit-policy': '"default";q=100;w=60' }],
      ['a header of its own', { 'x-rate-limit-limit': '100', 'x-rate-limit-window': '60' }],
    ])('beside a limit per minute: %s', (_, headers) => {
      expect(readQuota({ ...reset, ...headers }, AT)?.resetMs).toBe(600_000);
    });

    it('beside a limit per minute by its name', () => {
      const headers = {
        'x-ratelimit-limit-minute': '100',
        'x-ratelimit-remaining-minute': '5',
        'x-ratelimit-reset-minute': '45000',
      };
      expect(readQuota(headers, AT)).toMatchObject({ limit: 100, remaining: 5, resetMs: 45_000 });
    });

    describe('of more than an hour and ten windows, for which the limit is', () => {
      const MINUTE = 60;
      const [HOUR, DAY, MONTH] = [60 * MINUTE, 1_440 * MINUTE, 43_200 * MINUTE];
      const expectLongest = (seconds: number, headersOf: (reset: string) => Headers) => {
        const longest = Math.max(HOUR, 10 * seconds);
        expect(readQuota(headersOf(String(longest)), AT)?.resetMs).toBe(longest * 1_000);
        expect(readQuota(headersOf(String(longest + 1)), AT)?.resetMs).toBe(longest + 1);
      };

      it.each([
        ['second', 1],
        ['minute', MINUTE],
        ['hour', HOUR],
        ['hourly', HOUR],
        ['day', DAY],
        ['daily', DAY],
        ['month', MONTH],
        ['monthly', MONTH],
      ])('by the name -%s', (word, seconds) => {
        expectLongest(seconds, (reset) => ({
          [`x-ratelimit-remaining-${word}`]: '5',
          [`x-ratelimit-limit-${word}`]: '100',
          [`x-ratelimit-reset-${word}`]: reset,
        }));
      });

      it.each([
        ['100/h', HOUR],
        ['100/Hour', HOUR],
        ['100/hours', HOUR],
        ['100 per hour', HOUR],
        ['100 per 2 hours', 2 * HOUR],
        ['100 per 90 min', 90 * MINUTE],
        ['100/d', DAY],
        ['100/day', DAY],
        ['100/12h', 12 * HOUR],
        ['100/month', MONTH],
        ['1h', HOUR],
        ['12h', 12 * HOUR],
        ['7d', 7 * DAY],
        ['90m', 90 * MINUTE],
        ['7200s', 2 * HOUR],
      ])('by the limit %s', (limit, seconds) => {
        expectLongest(seconds, (reset) => ({
          'x-rate-limit-remaining': '5',
          'x-rate-limit-limit': limit,
          'x-rate-limit-reset': reset,
        }));
      });

      it('by a policy, of several the longest', () => {
        expectLongest(DAY, (reset) => ({
          'ratelimit-policy': '"a";q=1;w=3600, "b";q=9;w=86400, "c";q=5',
          'x-rate-limit-limit': '100',
          'x-rate-limit-remaining': '5',
          'x-rate-limit-reset': reset,
        }));
      });
    });

    it.each(['100/moment', 'a 100/hour', '100/hour!', '1hour', 'x1h', '100hour', '-'])(
      'but not beside %s, which is no such limit',
      (limit) => {
        expect(readQuota({ ...reset, 'x-rate-limit-limit': limit }, AT)?.resetMs).toBe(600_000_000);
      },
    );

    it.each([
      ['nothing says for how long the limit is', { 'x-rate-limit-limit': '100' }, 600_000_000],
      ['the limit is for a month', { 'x-rate-limit-limit': '100;w=2592000' }, 600_000_000],
    ])('but not where %s', (_, headers, expected) => {
      expect(readQuota({ ...reset, ...headers }, AT)?.resetMs).toBe(expected);
    });

    it('but not where it may be a penalty', () => {
      const headers = { ...reset, 'x-rate-limit-limit': '100;w=60', 'x-rate-limit-reset': '1800' };
      expect(readQuota(headers, AT)?.resetMs).toBe(1_800_000);
    });
  });

  describe('learns nothing from numbers that are none', () => {
    it.each([
      ['-1 of -1, now', { limit: '-1', remaining: '-1', reset: '0' }],
      ['-1 of -1', { limit: '-1', remaining: '-1' }],
      ['-1 left, now', { remaining: '-1', reset: '0' }],
      ['0 of 0, now', { limit: '0', remaining: '0', reset: '0' }],
      ['000 of 000, now', { limit: '000', remaining: '000', reset: '0' }],
    ])('%s', (_, numbers) => {
      for (const prefix of ['x-ratelimit-', 'ratelimit-']) {
        const headers = Object.fromEntries(Object.entries(numbers).map(([name, value]) => [prefix + name, value]));
        const quota = readQuota(headers, AT);
        expect(quota?.remaining).toBeUndefined();
        expect(quota && quotaWaitMs(quota)).toBeUndefined();
      }
    });

    it('but from the reset of a refusal: until then it is', () => {
      const headers = { 'x-ratelimit-limit': '-1', 'x-ratelimit-remaining': '-1', 'x-ratelimit-reset': '60' };
      expect(readQuota(headers, AT, true)).toEqual({ policies: [], resetMs: 60_000 });
    });

    it('and takes a dash within a comment for none', () => {
      const headers = { 'ratelimit-limit': '100;comment="v-2"', 'ratelimit-remaining': '7' };
      expect(readQuota(headers, AT)).toMatchObject({ limit: 100, remaining: 7 });
    });

    it('of one unit, and hears those of another', () => {
      const headers = {
        'x-ratelimit-limit-tokens': '-1',
        'x-ratelimit-remaining-tokens': '-1',
        'x-ratelimit-reset-tokens': '0',
        'x-ratelimit-limit-requests': '60',
        'x-ratelimit-remaining-requests': '59',
        'x-ratelimit-reset-requests': '1s',
      };
      expect(readQuota(headers, AT)).toMatchObject({ limit: 60, remaining: 59, resetMs: 1_000 });
    });
  });

  it('tells of every request quota where it is told what is left of several', () => {
    const headers = {
      'ratelimit-policy': '"minute";q=60;w=60, "day";q=1000;w=86400, "bytes";q=9;w=9;qu="content-bytes"',
      ratelimit: '"minute";r=50;t=30, "day";r=40;t=9000, "bytes";r=0;t=9',
    };
    expect(readQuota(headers, AT)).toMatchObject({
      remaining: 40,
      resetMs: 9_000_000,
      counters: [
        { name: 'minute', limit: 60, remaining: 50, resetMs: 30_000 },
        { name: 'day', limit: 1_000, remaining: 40, resetMs: 9_000_000 },
      ],
    });
  });

  it('names those of several that are told without a name by their headers', () => {
    const headers = {
      ratelimit: 'limit=100, remaining=50, reset=5',
      'x-rate-limit-limit': '8',
      'x-rate-limit-remaining': '7',
      'x-rate-limit-reset': '9',
      'x-ratelimit-limit-hour': '900',
      'x-ratelimit-remaining-hour': '800',
      'x-ratelimit-reset-hour': '60',
    };
    expect(readQuota(headers, AT)?.counters).toEqual([
      { name: '', limit: 100, remaining: 50, resetMs: 5_000 },
      { name: 'x-', limit: 8, remaining: 7, resetMs: 9_000 },
      { name: 'x-hour', limit: 900, remaining: 800, resetMs: 60_000 },
    ]);
  });

  it.each([
    ['one of two says until when', { ratelimit: '"a";r=5;t=3, "b";r=6' }],
    ['one of two says what is left', { ratelimit: '"a";r=5;t=3', 'ratelimit-limit': '10', 'ratelimit-reset': '3' }],
    [
      'something else is used up',
      { ratelimit: '"a";r=5;t=3, "b";r=6;t=9, "c";r=0;t=1', 'ratelimit-policy': '"c";q=9;qu="tokens"' },
    ],
  ])('tells of no several where only %s', (_, headers) => {
    expect(readQuota(headers, AT)).toMatchObject({ resetMs: expect.any(Number), counters: undefined });
  });

  describe('of a divided quota', () => {
    const policies = '"user";q=100;w=60;pk=:YQ==:, "user";q=9;w=60;pk=:Yg==:, "all";q=5000;w=60';

    it('leaves out the parts that the request was not counted in', () => {
      const quota = readQuota({ 'ratelimit-policy': policies, ratelimit: '"user";r=7;t=30;pk=:YQ==:' }, AT);
      expect(quota?.policies.map(({ quota: q }) => q)).toEqual([100, 5_000]);
      expect(quota).toMatchObject({ limit: 100, remaining: 7 });
    });

    it('leaves out none where it is not told in which part the request was counted, nor of what else is divided', () => {
      const quotas = (ratelimit: string, more = '') =>
        readQuota({ 'ratelimit-policy': policies + more, ratelimit }, AT)?.policies.map(({ quota }) => quota);
      expect(quotas('"user";r=7;t=30')).toEqual([100, 9, 5_000]);
      const ours = '"user";r=7;t=30;pk=:YQ==:';
      expect(quotas(ours, ', "user";q=800;w=3600, "org";q=70;w=60;pk=:Yg==:')).toEqual([100, 5_000, 800, 70]);
    });

    it('has the limit of its policy where that is announced for all parts', () => {
      const headers = { 'ratelimit-policy': '"user";q=100;w=60', ratelimit: '"user";r=7;t=30;pk=:YQ==:' };
      expect(readQuota(headers, AT)).toMatchObject({ limit: 100, remaining: 7 });
    });

    it('has a key of any type, of which 256 characters count', () => {
      const keyOf = (pk: string) => readQuota({ ratelimit: `"user";r=7;t=30;pk=${pk}` }, AT)?.partition?.key;
      expect([keyOf('"a"'), keyOf('a'), keyOf('7'), keyOf('?1')]).toEqual(['a', 'a', '7', 'true']);
      expect(keyOf(`"${'a'.repeat(257)}"`)).toBe('a'.repeat(256));
      // 01 12 and 11 02.
      expect(keyOf(':ARI=:')).not.toBe(keyOf(':EQI=:'));
    });

    it('tells which part it is', () => {
      const partOf = (pk: string) => readQuota({ ratelimit: `"user";r=7;t=30;pk=:${pk}:` }, AT)?.partition;
      expect(partOf('YQ==')).toEqual(partOf('YQ=='));
      expect(partOf('YQ==')).not.toEqual(partOf('Yg=='));
      expect(partOf('YQ==')).toMatchObject({ policy: 'user' });
      expect(readQuota({ ratelimit: '"user";r=7;t=30' }, AT)?.partition).toBeUndefined();
    });
  });

  it('reads a bound of requests under way as such, and not as a stock that is used up', () => {
    const headers = { 'ratelimit-policy': '"slots";q=5;qu="concurrent-requests"', ratelimit: '"slots";r=0;t=1' };
    expect(readQuota(headers, AT)).toEqual({ policies: [], concurrency: 5 });
  });

  it('reads what the structured field allows beside the number, and counts in whole requests', () => {
    expect(readQuota({ 'ratelimit-limit': '100;w=21600', 'ratelimit-remaining': '76;w=21600' }, AT)).toEqual({
      policies: [policy(100, 21_600_000)],
      limit: 100,
      remaining: 76,
    });
    expect(readQuota({ 'x-ratelimit-remaining': '598.7' }, AT)?.remaining).toBe(598);
  });

  it('reads headers of every make', () => {
    const plain = { 'X-RateLimit-Remaining': '3' };
    const makes = [plain, new AxiosHeaders(plain), new Headers(plain), Object.assign(Object.create(null), plain)];
    for (const headers of makes) expect(readQuota(headers, AT)?.remaining).toBe(3);
  });

  it.each([
    [undefined],
    [null],
    ['ratelimit'],
    [{}],
    [{ 'content-type': 'text/plain' }],
    [{ 'x-ratelimit-bucket': 'abc' }],
  ])('has nothing to say of %o', (headers) => {
    expect(readQuota(headers, AT)).toBeUndefined();
  });

  it('ignores a whole field when one of its items is malformed', () => {
    expect(readQuota({ ratelimit: '"burst";r=0;t=5, daily;r=0;t=9' }, AT)).toBeUndefined();
    expect(readQuota({ ratelimit: 'limit=1, remaining=-1, reset=5' }, AT)).toBeUndefined();
    expect(readQuota({ 'ratelimit-policy': '"a";q=10;w=1, "b";w=1' }, AT)).toBeUndefined();
    expect(readQuota({ 'ratelimit-policy': '("a" "b");q=10' }, AT)).toBeUndefined();
    expect(readQuota({ 'ratelimit-policy': '"a";q=10;w=1;qu=5, "b";q=9;w=1' }, AT)).toBeUndefined();
  });

  it('reads values of a megabyte', () => {
    const items = MEGABYTE / 16;
    const long = Array.from({ length: items }, (_, i) => `"n${i}";r=${i};t=1`).join();
    const announced = Array.from({ length: items }, (_, i) => `"n${i}";q=${i};w=1`).join();
    const quota = readQuota({ ratelimit: long, 'ratelimit-policy': announced }, AT);
    expect(quota?.policies).toHaveLength(items);
    expect(quota?.remaining).toBe(0);

    for (const hostile of ['1m', '"', '(', '1', ' ', ':', '1;', '1.', '\\"', 'a=', '-']) {
      const value = `${hostile.repeat(MEGABYTE / hostile.length)}!`;
      const headers = {
        ratelimit: value,
        'ratelimit-policy': value,
        'x-ratelimit-limit': value,
        'x-ratelimit-reset': value,
      };
      expect(readQuota(headers, AT)?.resetMs).toBeUndefined();
    }
  });

  it('never throws, and gives only finite numbers of at least 0, whatever it is handed', () => {
    const value = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.constantFrom(
        ...wild.goDurations.map((d) => d.value),
        '"a";r=0;t=5',
        '"a";q=5;w=1',
        'limit=1, remaining=0, reset=9',
      ),
      fc.anything(),
    );
    const name = fc.constantFrom(
      'ratelimit',
      'RateLimit-Policy',
      'ratelimit-limit',
      'ratelimit-remaining',
      'ratelimit-reset',
      'date',
      'x-ratelimit-limit',
      'x-ratelimit-remaining',
      'X-RateLimit-Reset',
      'x-ratelimit-reset-tokens',
      'x-rate-limit-next',
    );
    const headers = fc.oneof(fc.anything(), fc.dictionary(name, value));
    fc.assert(
      fc.property(headers, fc.double(), (anything, now) => {
        const quota = readQuota(anything, { wall: () => now });
        if (quota === undefined) return;
        const numbers = [quota.limit, quota.remaining, quota.resetMs, quotaWaitMs(quota)];
        for (const item of quota.policies) numbers.push(item.quota, item.windowMs);
        for (const number of numbers)
          expect(number === undefined || (Number.isInteger(number) && number >= 0)).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe(quotaWaitMs.name, () => {
  it('waits for the reset only when nothing is left', () => {
    expect(quotaWaitMs({ policies: [], remaining: 0, resetMs: 5 })).toBe(5);
    expect(quotaWaitMs({ policies: [], remaining: 1, resetMs: 5 })).toBeUndefined();
    expect(quotaWaitMs({ policies: [], resetMs: 5 })).toBeUndefined();
    expect(quotaWaitMs({ policies: [], remaining: 0 })).toBeUndefined();
  });

  it('takes a reset that stands alone for the wait of an answer that refused for rate, unless it is now', () => {
    expect(quotaWaitMs({ policies: [], resetMs: 5 }, true)).toBe(5);
    expect(quotaWaitMs({ policies: [], resetMs: 0 }, true)).toBeUndefined();
    expect(quotaWaitMs({ policies: [], remaining: 1, resetMs: 5 }, true)).toBeUndefined();
    expect(quotaWaitMs({ policies: [], remaining: 0, resetMs: 0 }, true)).toBe(0);
    expect(quotaWaitMs({ policies: [] }, true)).toBeUndefined();
  });

  const drafts = [
    ...structured.cases10,
    ...structured.derived,
    ...structured.legacy,
  ] as unknown as readonly StructuredCase[];
  it.each(drafts.map((test) => ({ ...test, id: test.id ?? `draft ${test.draft}, line ${test.line}` })))(
    'infers from $id what the draft means',
    ({ headers, valid, waitIfThrottledMs }) => {
      // The examples carry Date where an instant is named, so any clock will do.
      const expected = waitIfThrottledMs === null ? null : Math.min(waitIfThrottledMs, LONGEST_MS);
      expect(waitOf(headers, NOW)).toBe(expected);
      // Nothing of a malformed field may be learnt either.
      if (valid === false) expect(readQuota(headers, AT)).toBeUndefined();
    },
  );

  // A 2xx is never retried, whatever it carries: that is a matter of the status and not of these headers.
  const throttled = (wild.cases as unknown as readonly WildCase[]).filter(({ status }) => status !== 200);
  it.each(throttled)('infers from $id of $vendor the wait that it means', (test) => {
    const wait = waitOf(test.headers, Date.parse(test.now));
    if (test.id === 'github-reset-past') {
      // The first reading is 0, an epoch long past. A number so small is a delay at other vendors; alone, with neither a
      // limit nor a usage beside it, it is no opinion here, which the case accepts: 0 would send too early for those.
      expect(test.alsoAcceptable).toContain(null);
      expect(wait).toBeNull();
    } else if (test.expectWaitMs === null) {
      expect(wait).toBeNull();
    } else {
      expect(wait).toBeGreaterThanOrEqual(test.expectWaitMs);
      expect(wait).toBeLessThanOrEqual(test.expectWaitMs + (test.toleranceMs ?? 0));
    }
  });

  it('tells of a success that used the last of its quota, so that the next call can wait', () => {
    const last = (wild.cases as unknown as readonly WildCase[]).find(({ id }) => id === 'wild-200-remaining-0');
    expect(waitOf(last?.headers, Date.parse(last?.now ?? ''))).toBe(3_600_000);
  });
});
