import axios from 'axios';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressOf, originOf } from '../../lib/call/address.ts';

type Addressed = Parameters<typeof originOf>[0];

describe(originOf.name, () => {
  it.each<[Addressed, string]>([
    [{ url: 'https://a.example/b' }, 'https://a.example'],
    [{ baseURL: 'https://a.example/base', url: '/b' }, 'https://a.example'],
    [{ baseURL: 'https://a.example', url: 'https://other.example/b' }, 'https://other.example'],
    [{ baseURL: 'https://a.example', url: '//other.example/b' }, ''],
    [{ baseURL: 'https://a.example', url: 'https://other.example/b', allowAbsoluteUrls: false }, 'https://a.example'],
    [{ url: 'https://a.example/b', allowAbsoluteUrls: false }, 'https://a.example'],
    [{ url: 'HTTPS://A.Example:443/b' }, 'https://a.example'],
    [{ url: 'http://a.example:8080/b' }, 'http://a.example:8080'],
    [{ url: 'https://user:pass@a.example/b' }, 'https://a.example'],
    [{ url: 'https://us%2Fer:p@ss@a.example/b' }, 'https://a.example'],
    [{ url: 'https://a.example?x=1' }, 'https://a.example'],
    [{ url: 'https://a.example#x' }, 'https://a.example'],
    [{ url: 'https://bücher.example/' }, 'https://xn--bcher-kva.example'],
    [{ url: 'https://[::1]:8080/b' }, 'https://[::1]:8080'],
    [{ baseURL: 'https://a.example', url: 'h2c://other.example/b' }, ''],
    [{ baseURL: 'https://a.example', url: 'a_b://other.example/b' }, 'https://a.example'],
    [{ baseURL: 'https:/a.example/base', url: 'b' }, 'https://a.example'],
    [{ url: '/b' }, ''],
    [{ url: 'b' }, ''],
    [{}, ''],
    [{ baseURL: '/api', url: '/b' }, ''],
    [{ url: 'file:///etc/passwd' }, ''],
    [{ url: 'https://a.example:99999/' }, ''],
    [{ url: 'https://' }, ''],
    [{ url: 7 as unknown as string, baseURL: null as unknown as string }, ''],
    [{ url: new URL('https://user:pass@a.example/b?c') as unknown as string }, 'https://a.example'],
  ])('of %o is %j', (config, origin) => {
    expect(originOf(config)).toBe(origin);
    expect(originOf(config), 'remembered').toBe(origin);
  });

  it('remembers no more than a few hundred, and gives the right one all the same', () => {
    for (let n = 0; n < 1_000; n++) expect(originOf({ url: `https://h${n}.example/x` })).toBe(`https://h${n}.example`);
    for (let n = 0; n < 1_000; n++) expect(originOf({ url: `https://h${n}.example/x` })).toBe(`https://h${n}.example`);
  });

  it('is what URL says of any web address', () => {
    fc.assert(
      fc.property(
        fc.webUrl({ withFragments: true, withQueryParameters: true, validSchemes: ['http', 'https'] }),
        (url) => {
          expect(originOf({ url })).toBe(new URL(url).origin);
          expect(originOf({ baseURL: url, url: '/x' })).toBe(new URL(url).origin);
        },
      ),
    );
  });
});

describe(addressOf.name, () => {
  it.each<[Addressed, string]>([
    [{ url: 'https://a.example/b?sig=hunter2#top' }, 'https://a.example/b'],
    [{ url: 'https://a.example/b#top' }, 'https://a.example/b'],
    [{ url: 'https://a.example' }, 'https://a.example/'],
    [{ url: 'https://a.example?x=1' }, 'https://a.example/'],
    [{ url: 'https://user:pass@a.example/b' }, 'https://a.example/b'],
    [{ url: '//user:pass@a.example/b' }, '/b'],
    [{ baseURL: 'https://user:pass@a.example/base/', url: '/b/c' }, 'https://a.example/base/b/c'],
    [{ baseURL: 'https://a.example/base', url: '' }, 'https://a.example/base'],
    [{ baseURL: 'https://a.example/base' }, 'https://a.example/base'],
    [{ baseURL: 'https://a.example', url: 'https://other.example/b' }, 'https://other.example/b'],
    [{ baseURL: '/api', url: 'b?x' }, '/api/b'],
    [{ url: '/users/bob@example.com:8080/x@y' }, '/users/bob@example.com:8080/x@y'],
    [{ url: 'v1/users/bob@example.com' }, 'v1/users/bob@example.com'],
    [{ baseURL: '', url: 'b' }, 'b'],
    [{ baseURL: 'https://a.example', url: 'h2c://other.example/b' }, '/b'],
    [{ baseURL: 'https://a.example', url: '//b', allowAbsoluteUrls: false }, 'https://a.example/b'],
    [
      { baseURL: 'https://a.example', url: 'https://other.example/b', allowAbsoluteUrls: false },
      'https://a.example/https://other.example/b',
    ],
    [{ url: 'https://a.exam\nple/b\tc' }, 'https://a.example/bc'],
    [{ url: 'v1//bob@example.com/x' }, 'v1//bob@example.com/x'],
    [{ url: 'bob@example.com/x' }, 'bob@example.com/x'],
    [{ url: '/bob@example.com/x' }, '/bob@example.com/x'],
    [{ url: 'v1/bob@example.com/x' }, 'v1/bob@example.com/x'],
    [{ url: 'https:///a.example/b' }, 'https:///a.example/b'],
    [{ url: '?x=1' }, ''],
    [{}, ''],
    // Absolute to a lenient parser only.
    [{ url: ' https://user:pass@a.example/b' }, 'a.example/b'],
    [{ url: '\u0001https://user:pass@a.example/b' }, 'a.example/b'],
    [{ url: 'https:/user:pass@a.example/b' }, 'a.example/b'],
    [{ url: 'https:///user:pass@a.example/b' }, 'a.example/b'],
    [{ url: '///user:pass@a.example/b' }, 'a.example/b'],
    [{ url: 'https:///user:pass@a.example' }, 'a.example'],
    [{ url: 'https:///@a.example/b' }, 'a.example/b'],
    [{ url: 'https:user:pass@' }, ''],
    [{ url: ':pass@a.example/b' }, 'a.example/b'],
    [{ url: '\\\\user:pass@a.example/b' }, 'a.example/b'],
    [{ baseURL: 'https:///user:pass@a.example', url: 'b' }, 'a.example/b'],
    [{ url: 'https:user:pass@a.example/b' }, 'a.example/b'],
    [{ url: 'https:\\\\user:pass@a.example\\b' }, 'a.example\\b'],
    [{ url: new URL('https://user:pass@a.example/b?c') as unknown as string }, 'https://a.example/b'],
  ])('of %o is %j', (config, address) => {
    expect(addressOf(config)).toBe(address);
  });

  it('joins as axios does', () => {
    const base = fc.constantFrom(
      'https://a.example',
      'https://a.example/',
      'https://a.example/x',
      'https://a.example/x/',
    );
    const url = fc.constantFrom('', 'b', '/b', '//b/c', 'b/', '/b//c', 'https://other.example/d');
    fc.assert(
      fc.property(base, url, (baseURL, url) => {
        const joined = addressOf({ baseURL, url });
        if (url.startsWith('//')) return;
        expect(joined).toBe(new URL(axios.getUri({ baseURL, url })).href);
      }),
    );
  });

  it('holds neither query, nor fragment, nor password, of whatever address', () => {
    const word = fc.string({ unit: fc.constantFrom('a', 'b', '%20', '.', ':', '@'), minLength: 1, maxLength: 8 });
    const blank = fc.constantFrom('', ' ', '\t', '\n', '\u0000');
    const slashes = fc.constantFrom('//', '/', '', '\\\\', '///');
    fc.assert(
      fc.property(blank, slashes, word, (before, between, user) => {
        const url = `${before}https:${between}${user}:hunter2@a.example/b?q=hunter2#hunter2`;
        expect(addressOf({ url })).not.toContain('hunter2');
        expect(addressOf({ baseURL: url, url: '/c' })).not.toContain('hunter2');
      }),
    );
  });
});
