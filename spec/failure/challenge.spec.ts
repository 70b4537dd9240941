import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Challenge, parseChallenges } from '../../lib/failure/challenge.ts';
import vectors from '../vectors/www-authenticate.json' with { type: 'json' };

/** What is expected, with `null` (no usable challenge) written as the empty list that it is here. */
const readings = (vector: (typeof vectors.cases)[number]): unknown[] => [
  vector.expect ?? [],
  ...(vector.class === 'contested' ? (vector.alsoAcceptable ?? []) : []),
];

const plain = (challenges: Challenge[]): unknown => JSON.parse(JSON.stringify(challenges));

describe(parseChallenges.name, () => {
  it.each(vectors.cases)('$class read $id', (vector) => {
    expect(readings(vector)).toContainEqual(plain(parseChallenges(vector.value)));
  });

  describe('what is not valid and must be read', () => {
    it.each([
      ['OAuth realm=urn:cpsvc:cpid:{some cid}', 'urn:cpsvc:cpid:{some cid}'],
      [
        'OAuth realm=urn:cpsvc:cpid:{b1c3d4e5-0000-4a0b-8c0d-ffffffffffff}',
        'urn:cpsvc:cpid:{b1c3d4e5-0000-4a0b-8c0d-ffffffffffff}',
      ],
      ['OAuth realm=urn:cpsvc:cpid:4711', 'urn:cpsvc:cpid:4711'],
      ['OAuth realm=https://example.com/?a=b', 'https://example.com/?a=b'],
      ['OAuth realm={a}{b c}d e', '{a}{b c}d'],
    ])('%s', (header, realm) => {
      expect(parseChallenges(header)).toEqual([{ scheme: 'oauth', params: { realm } }]);
    });

    it('goes on behind an unquoted realm', () => {
      expect(parseChallenges('OAuth realm=urn:cpsvc:cpid:{some cid}, error=x, Bearer realm="y"')).toEqual([
        { scheme: 'oauth', params: { realm: 'urn:cpsvc:cpid:{some cid}', error: 'x' } },
        { scheme: 'bearer', params: { realm: 'y' } },
      ]);
    });

    it('ends a brace that is never closed at the comma', () => {
      expect(parseChallenges('OAuth realm={some cid, error=x')).toEqual([
        { scheme: 'oauth', params: { realm: '{some cid', error: 'x' } },
      ]);
    });

    it('ends a quote that is never closed with the line', () => {
      expect(parseChallenges(['Bearer error="invalid_token', 'Basic realm="a\\'])).toEqual([
        { scheme: 'bearer', params: { error: 'invalid_token' } },
        { scheme: 'basic', params: { realm: 'a' } },
      ]);
    });

    it('needs no comma between parameters', () => {
      expect(parseChallenges('Bearer realm="a"error="invalid_token" scope=b')).toEqual([
        { scheme: 'bearer', params: { realm: 'a', error: 'invalid_token', scope: 'b' } },
      ]);
    });

    it('leaves out what belongs to no challenge', () => {
      expect(parseChallenges('realm="a", error=b')).toEqual([]);
      expect(parseChallenges('"a, Bearer realm=b", =c, Basic')).toEqual([{ scheme: 'basic', params: {} }]);
      expect(parseChallenges('Bearer realm=a, b@d error=c')).toEqual([{ scheme: 'bearer', params: { realm: 'a' } }]);
    });
  });

  it('keeps a token68 with its padding, and only up to the comma', () => {
    expect(parseChallenges('Negotiate a-._~+/9==  , NTLM b')).toEqual([
      { scheme: 'negotiate', token68: 'a-._~+/9==', params: {} },
      { scheme: 'ntlm', token68: 'b', params: {} },
    ]);
    expect(Object.keys(parseChallenges('Basic realm=a')[0] ?? {})).toEqual(['scheme', 'params']);
    expect(parseChallenges('Bearer a = b')).toEqual([{ scheme: 'bearer', params: { a: 'b' } }]);
  });

  it('believes the first of two parameters with one name', () => {
    expect(parseChallenges('Bearer ERROR=a, error=b')).toEqual([{ scheme: 'bearer', params: { error: 'a' } }]);
  });

  it('reads folded lines', () => {
    expect(parseChallenges('Bearer realm="a",\r\n\t error="b",\r\n Basic')).toEqual([
      { scheme: 'bearer', params: { realm: 'a', error: 'b' } },
      { scheme: 'basic', params: {} },
    ]);
  });

  it('keeps parameters away from prototypes', () => {
    const [challenge] = parseChallenges('Bearer __proto__=a, constructor=b, toString=c');
    expect(Object.entries(challenge?.params ?? {})).toEqual([
      ['__proto__', 'a'],
      ['constructor', 'b'],
      ['tostring', 'c'],
    ]);
    expect(Object.getPrototypeOf(parseChallenges('Bearer')[0]?.params)).toBeNull();
    expect(({} as { a?: string }).a).toBeUndefined();
  });

  it('finds no challenge in anything but text', () => {
    for (const header of [
      undefined,
      null,
      401,
      true,
      {},
      () => '',
      Symbol.iterator,
      [undefined, 401, null, {}, ['Basic']],
    ]) {
      expect(parseChallenges(header as string)).toEqual([]);
    }
    expect(parseChallenges([undefined, 'Basic'] as string[])).toEqual([{ scheme: 'basic', params: {} }]);
  });

  it.each([
    ...['a', ' ', ',', '"', '\\', '=', '{', '{ ', 'a={ ', 'a="', '"\\', 'a ', 'a,', 'a=b,', 'a =', 'Bearer a=', '\\"'],
  ])('reads a megabyte of %j', (piece) => {
    const line = piece.repeat(1_000_000 / piece.length);
    for (const header of [line, `Bearer ${line}`, `Bearer realm="${line}`, `Bearer realm=${line}`]) {
      expect(parseChallenges(header)).toBeInstanceOf(Array);
    }
  });

  it('never throws, whatever the text', () => {
    const before = Reflect.ownKeys(Object.prototype);
    const pieces = fc.constantFrom(...'",=\\ {}\t\n@', 'Bearer ', 'error=', 'realm="', '__proto__', 'a', '==');
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(pieces).map((all) => all.join('')),
    );
    fc.assert(
      fc.property(fc.array(texts), (lines) => {
        const challenges = parseChallenges(lines);
        expect(challenges).toEqual(lines.flatMap((line) => parseChallenges(line)));
        for (const { scheme } of challenges) expect(scheme).toMatch(/^[!#$%&'*+\-.^_`|~\da-z]+$/);
      }),
      { numRuns: 500 },
    );
    expect(Reflect.ownKeys(Object.prototype)).toEqual(before);
  });

  it('reads back what the grammar allows to be written', () => {
    const token = fc.stringMatching(/^[a-z\d!#$%&'*+.^_`|~-]+$/);
    const value = fc.string({ unit: 'binary-ascii' });
    const challenge = fc.record({
      scheme: token,
      params: fc.dictionary(token, value, { minKeys: 1, noNullPrototype: false }),
    });
    const quoted = (text: string) => `"${text.replace(/["\\]/g, '\\$&')}"`;
    fc.assert(
      fc.property(fc.array(challenge), (challenges) => {
        const header = challenges.map(({ scheme, params }) => {
          const pairs = Object.entries(params).map(([name, text]) => `${name}=${quoted(text)}`);
          return `${scheme} ${pairs.join(', ')}`;
        });
        const expected = challenges.map(({ scheme, params }) => ({ scheme, params: { ...params } }));
        expect(plain(parseChallenges(header.join(', ')))).toEqual(plain(expected));
      }),
    );
  });
});
