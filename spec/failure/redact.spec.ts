import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneLine, redact } from '../../lib/failure/redact.ts';

const jwt = 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJib2IifQ.c2lnbmF0dXJl-_';

describe(redact.name, () => {
  describe('given secrets', () => {
    it('hides every occurrence', () => {
      expect(redact('hunter2, hunter2hunter2 and (hunter2)', ['hunter2'])).toBe(
        '[redacted], [redacted] and ([redacted])',
      );
    });

    it('leaves secrets of less than 4 characters alone', () => {
      expect(redact('abc abcd', ['', 'a', 'abc'])).toBe('abc abcd');
      expect(redact('abc abcd', ['abcd'])).toBe('abc [redacted]');
    });

    it('hides secrets that overlap or hold one another completely', () => {
      expect(redact('-abcdefgh-', ['abcde', 'defgh'])).toBe('-[redacted]-');
      expect(redact('-abcdefgh-', ['cdef', 'abcdefgh', 'abcdefgh'])).toBe('-[redacted]-');
    });

    it('takes a secret for text, not for a pattern', () => {
      expect(redact('a.*b$& axxb', ['a.*b', '$&$&', '.*.*'])).toBe('[redacted]$& axxb');
    });

    it('does not look into its own mark', () => {
      expect(redact('secret1 redacted', ['secret1', 'redacted', 'acte'])).toBe('[redacted] [redacted]');
    });
  });

  describe('without being told', () => {
    it.each([
      ['Bearer xyz', 'Bearer [redacted]'],
      ['Token "Bearer abc.d-e_f~+/=" expired', 'Token "Bearer [redacted]" expired'],
      ['authorization: bearer:  abc', 'authorization: bearer:  [redacted]'],
      ['Basic dXNlcjpwYXNz, then', 'Basic [redacted], then'],
      ['OAuth oauth_token="a b", oauth_signature=c and more', 'OAuth [redacted] and more'],
      ['Digest username="bob",response="ab"', 'Digest [redacted]'],
      ['Bearer Bearer xyz', 'Bearer Bearer [redacted]'],
      ['Bearer token-abc is bad', 'Bearer [redacted] is bad'],
      [`got ${jwt}.`, 'got [redacted]'],
      [`"${jwt}"`, '"[redacted]"'],
      ['eyJhbGciOiJub25lIn0.e30. unsigned', '[redacted] unsigned'],
      ['GET https://a.example/b?sig=x&y=z failed', 'GET https://a.example/b?[redacted] failed'],
      ["GET /b?$filter=name%20eq%20'bob' failed", 'GET /b?[redacted] failed'],
      ['https://a.example/b?xyz failed', 'https://a.example/b?[redacted] failed'],
      ['?code=x', '?[redacted]'],
      ['https://a.example/#access_token=x', 'https://a.example/#[redacted]'],
      ['https://bob:p@ss@a.example/b', 'https://[redacted]@a.example/b'],
      ['redis://:pass@host, https://bob@host', 'redis://[redacted]@host, https://[redacted]@host'],
      ['client_secret=abc;x', 'client_secret=[redacted];x'],
      ['{"access_token": "abc", "id": 1}', '{"access_token": "[redacted]", "id": 1}'],
      ['{"access_token":"abc","id":1}', '{"access_token":"[redacted]","id":1}'],
      ['passwd=abc&password=def', 'passwd=[redacted]&password=[redacted]'],
      ['OAuth  oauth_token=abc, oauth_nonce=def and more', 'OAuth  [redacted] and more'],
    ])('%s', (text, redacted) => {
      expect(redact(text, [])).toBe(redacted);
    });

    it.each([
      '',
      'Rate limit is exceeded. Try again in 57 seconds.',
      'The Bearer token expired. Get a new bearer token.',
      'Basic authentication is off; use OAuth 2.0.',
      'OAuth 1.0a, OAuth 1.0 or Bearer tokens; no Basic auth.',
      'Bearer access, Bearer authorization, Bearer scheme.',
      'A Bearer challenge, two Bearer challenges; a Basic credential, two Basic credentials',
      'Is it? Really? Yes/no? #1, a/b',
      'application/json; charset=utf-8',
      'https://a.example/b/c?',
      'a@b.example',
      'eyJ is how a token begins',
    ])('leaves %j alone', (text) => {
      expect(redact(text, [])).toBe(text);
    });
  });

  it('hides what it was not told wherever it stands', () => {
    const around = fc.constantFrom(
      'Bearer ',
      'https://',
      'u:p@',
      'a.example/',
      '?',
      'a=b',
      ' ',
      ', ',
      '"',
      'OAuth ',
      '#',
    );
    fc.assert(
      fc.property(fc.array(around), fc.array(around), (before, after) => {
        const text = `${before.join('')} ${jwt} /?q=${after.join('')}wxyz Bearer hunter2`;
        expect(redact(text, [])).not.toMatch(/eyJ|c2ln|hunter2/);
      }),
    );
  });

  it('lets no secret through, wherever it stands', () => {
    const secret = fc.string({ minLength: 4, maxLength: 8, unit: fc.constantFrom(...'abc') });
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'abc -') }),
        fc.array(secret, { minLength: 1 }),
        (text, secrets) => {
          const redacted = redact(secrets.join(text), secrets);
          for (const part of redacted.split('[redacted]')) {
            for (const one of secrets) expect(part).not.toContain(one);
          }
        },
      ),
    );
  });

  it.each([
    'a',
    ' ',
    'eyJ',
    'eyJ-',
    'eyJa.',
    '://',
    '://a',
    '?',
    '/?',
    'Bearer ',
    'Bearer:',
    'OAuth a=',
    'OAuth a="',
    'key=',
  ])('reads a megabyte of %j', (piece) => {
    expect(redact(piece.repeat(1_000_000 / piece.length), ['no such secret'])).toBeTypeOf('string');
  });
});

describe(oneLine.name, () => {
  it.each([
    ['  a \t\r\n b\u2028c\u2029d\u00a0e\0f\u0085g  ', 'a b c d e f g'],
    ['\u001b[1;31mred\u001b[0m \u009b2Kline', 'red line'],
    ['\u001b]8;;https://evil.example\u0007link\u001b]8;;\u001b\\', 'link'],
    ['a\u001b]never closed', 'a ]never closed'],
    ['\u202eabc\u202c \u2066d\u2069 \u200be\ufeff', 'abc d e'],
    ['नमस्\u200dते می\u200cخواهم 👩\u200d💻', 'नमस्\u200dते می\u200cخواهم 👩\u200d💻'],
    ['a\ud800b', 'ab'],
    ['cut short\u001b[', 'cut short'],
  ])('makes one line of %j', (text, line) => {
    expect(oneLine(text, 100)).toBe(line);
  });

  it('cuts what is too long and says so', () => {
    expect(oneLine('abcdef', 6)).toBe('abcdef');
    expect(oneLine('abcdef', 5)).toBe('abcd…');
    expect(oneLine('abc def', 5)).toBe('abc…');
    expect(oneLine('abcdef', 1)).toBe('…');
    expect(oneLine('abcdef', Number.POSITIVE_INFINITY)).toBe('abcdef');
  });

  it('has no room for anything below 1', () => {
    for (const maxLength of [0, -1, 0.5, Number.NaN]) expect(oneLine('abcdef', maxLength)).toBe('');
  });

  it('never cuts a surrogate pair in half', () => {
    expect(oneLine('a😀bcd', 3)).toBe('a…');
    expect(oneLine('a😀bcd', 4)).toBe('a😀…');
  });

  it('holds its promises, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, maxLength) => {
        const line = oneLine(text, maxLength);
        expect(line.length).toBeLessThanOrEqual(maxLength);
        expect(line).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]| {2}|^ | $/u);
        expect(oneLine(line, maxLength)).toBe(line);
      }),
      { numRuns: 500 },
    );
  });

  it.each([' ', 'a ', '\u001b', '\u001b[', '\u001b[0', '\u001b]', '\u202e'])('reads a megabyte of %j', (piece) => {
    expect(oneLine(piece.repeat(1_000_000 / piece.length), 10).length).toBeLessThanOrEqual(10);
  });
});
