import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '../../lib/failure/redact.ts';

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
