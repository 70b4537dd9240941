import { isMainThread } from 'node:worker_threads';
import { AxiosHeaders } from 'axios';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { headerNames, headerOf } from '../../lib/call/header.ts';
import { parseRetryAfter } from '../../lib/time/retry-after.ts';
import wild from '../vectors/ratelimit-wild.json' with { type: 'json' };
import vectors from '../vectors/retry-after.json' with { type: 'json' };

interface ValueCase {
  readonly id: string;
  readonly value: string;
  readonly now: string;
  readonly expectMs: number | null;
  readonly class: string;
  readonly alsoAcceptable?: readonly unknown[];
}

interface MessageCase {
  readonly id: string;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly now: string;
  readonly expectMs?: number | null;
}

const NOW = Date.UTC(2015, 9, 21, 7, 20);
const LONGEST_MS = 1e15;

/**
 * Where this parser does not take the first reading of a contested case. RFC 9110 has only GMT, spelled so, and two
 * digits of a day; a value outside the grammar is no opinion here, which each case accepts as well.
 */
const STRICTER = ['imf-utc', 'imf-case-weekday', 'imf-case-zone'];

/** Beyond what a clock can hold, a wait is capped; the case accepts that. */
const CAPPED = ['large-20-digits'];

const zone = process.env.TZ;
afterEach(() => {
  if (zone === undefined) delete process.env.TZ;
  else process.env.TZ = zone;
});

describe(parseRetryAfter.name, () => {
  describe.each([
    ['UTC', 0],
    ['America/New_York', 240],
    ['Asia/Jerusalem', -180],
  ])('in %s', (timeZone, offset) => {
    beforeEach(() => {
      process.env.TZ = timeZone;
    });

    // A worker thread, as mutation testing uses, has the zone of its process.
    it.runIf(isMainThread)('is tested under that zone indeed', () => {
      expect(new Date(Date.UTC(2019, 5, 3)).getTimezoneOffset()).toBe(offset);
    });

    it.each(vectors.cases as readonly ValueCase[])(
      'reads $value ($class: $id)',
      ({ id, value, now, expectMs, ...test }) => {
        const ms = parseRetryAfter({ 'retry-after': value }, Date.parse(now)) ?? null;
        if (STRICTER.includes(id)) {
          expect(test.alsoAcceptable).toContain(null);
          expect(ms).toBeNull();
        } else if (CAPPED.includes(id)) {
          expect(test.alsoAcceptable).toContain('capped');
          expect(ms).toBe(LONGEST_MS);
        } else {
          expect(ms).toBe(expectMs);
        }
      },
    );

    // `expectRetry` cases are about the status, which is the classifier's matter.
    const messages = (vectors.messages as readonly MessageCase[]).filter(({ expectMs }) => expectMs !== undefined);
    it.each(messages)('reads the message $id', ({ headers, now, expectMs }) => {
      expect(parseRetryAfter(headers, Date.parse(now)) ?? null).toBe(expectMs);
    });
  });

  it.each(wild.cases.filter(({ class: kind }) => kind === 'ms' || kind === 'core'))(
    'reads $id of $vendor',
    ({ headers, now, expectWaitMs }) => {
      expect(parseRetryAfter(headers, Date.parse(now)) ?? null).toBe(expectWaitMs);
    },
  );

  it('rounds up, so that nothing is sent before the time', () => {
    expect(parseRetryAfter({ 'retry-after': '0.0001' }, NOW)).toBe(1);
    expect(parseRetryAfter({ 'retry-after-ms': '53.2' }, NOW)).toBe(54);
  });

  it('does not take the error of a binary fraction for a part of the wait', () => {
    expect(parseRetryAfter({ 'retry-after': '2.007' }, NOW)).toBe(2_007);
    expect(parseRetryAfter({ 'retry-after': '64.57' }, NOW)).toBe(64_570);
  });

  it('reads a date against the client clock when Date is not a date', () => {
    const headers = { date: 'yesterday', 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' };
    expect(parseRetryAfter(headers, NOW)).toBe(480_000);
  });

  it('has no opinion on a date where nobody knows the time', () => {
    expect(parseRetryAfter({ 'retry-after': 'Wed, 21 Oct 2015 07:28:00 GMT' }, Number.NaN)).toBeUndefined();
  });

  it('reads a two-digit year in the century of the server, not of a client clock that was never set', () => {
    const headers = { date: 'Tue, 18 Aug 2026 02:01:17 GMT', 'retry-after': 'Tuesday, 18-Aug-26 02:01:18 GMT' };
    expect(parseRetryAfter(headers, 0)).toBe(1_000);
  });

  it.each(['-1', '+1', '1.', '1.5.2', '1,5', '2, 3', '0b11', '1_000', 'NaN', ''])('has no opinion on %j', (value) => {
    expect(parseRetryAfter({ 'retry-after': value }, NOW)).toBeUndefined();
    expect(parseRetryAfter({ 'retry-after-ms': value }, NOW)).toBeUndefined();
  });

  it('reads headers of every make', () => {
    const bare = Object.assign(Object.create(null), { 'RETRY-AFTER': '2' });
    const makes = [
      new AxiosHeaders({ 'Retry-After': '2' }),
      new Headers({ 'Retry-After': '2' }),
      { 'rEtRy-aFtEr': ['2'] },
      bare,
    ];
    expect(makes.map((headers) => parseRetryAfter(headers, NOW))).toEqual([2_000, 2_000, 2_000, 2_000]);
  });

  it('looks for the next field when one cannot be read', () => {
    const headers = {
      get 'retry-after-ms'(): string {
        throw new Error('no');
      },
      'retry-after': '2',
    };
    expect(parseRetryAfter(headers, NOW)).toBe(2_000);
  });

  it('reads a value of a megabyte', () => {
    expect(parseRetryAfter({ 'retry-after': '9'.repeat(2 ** 20) }, NOW)).toBe(LONGEST_MS);
    for (const value of [`${'1'.repeat(2 ** 20)}x`, `1${' '.repeat(2 ** 20)}x`, `1.${'1'.repeat(2 ** 20)}.`]) {
      expect(parseRetryAfter({ 'retry-after': value }, NOW)).toBeUndefined();
    }
  });

  it('never throws, and gives undefined or a finite number of at least 0, whatever it is handed', () => {
    const value = fc.oneof(
      fc.string(),
      fc.double().map(String),
      fc.constantFrom(...vectors.cases.map((c) => c.value)),
      fc.anything(),
    );
    const name = fc.constantFrom('retry-after', 'Retry-After', 'retry-after-ms', 'x-ms-retry-after-ms', 'date', 'get');
    const headers = fc.oneof(fc.anything(), fc.dictionary(name, value));
    fc.assert(
      fc.property(headers, fc.double(), (anything, now) => {
        const ms = parseRetryAfter(anything, now);
        return ms === undefined || (Number.isInteger(ms) && ms >= 0);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe(headerOf.name, () => {
  it('joins several values with a comma', () => {
    expect(headerOf({ via: ['a', 1, null] }, 'via')).toBe('a, 1');
  });

  it('is without the blanks around it, whatever holds it', () => {
    expect(headerOf({ via: ' a ' }, 'via')).toBe('a');
    expect(headerOf({ via: [' a', 'b '] }, 'via')).toBe('a, b');
  });

  it('prefers the name in lower case', () => {
    expect(headerOf({ Via: 'upper', via: 'lower' }, 'via')).toBe('lower');
  });

  it('passes over a header that AxiosHeaders has switched off', () => {
    expect(headerOf(new AxiosHeaders().set('via', false), 'via')).toBeUndefined();
  });

  it('does not find what only the prototype has', () => {
    expect(headerOf({}, 'constructor')).toBeUndefined();
  });

  it.each([[undefined], [null], ['via: 1'], [1], [[]], [{ via: {} }], [{ via: [] }], [{ get: () => ({}) }]])(
    'finds nothing in %o',
    (headers) => {
      expect(headerOf(headers, 'via')).toBeUndefined();
    },
  );
});

describe(headerNames.name, () => {
  it('gives the names as they are spelled, for headers of every make', () => {
    expect(headerNames({ Via: '1' })).toEqual(['Via']);
    expect(headerNames({ Via: '1', keys: () => ['other'] })).toEqual(['Via', 'keys']);
    expect(headerNames(new AxiosHeaders({ Via: '1' }))).toEqual(['Via']);
    expect(headerNames(new Headers({ Via: '1' }))).toEqual(['via']);
  });

  it('never throws', () => {
    const hostile = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error('no');
        },
      },
    );
    for (const headers of [undefined, null, 'via', hostile]) expect(headerNames(headers)).toEqual([]);
  });
});
