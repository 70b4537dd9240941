import { AxiosHeaders } from 'axios';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { secretsOf } from '../../lib/failure/secrets.ts';

describe(secretsOf.name, () => {
  describe('headers', () => {
    it('gives the whole Authorization and what follows the scheme', () => {
      expect(secretsOf({ headers: { Authorization: ' Bearer  abc.def ' } })).toEqual(['Bearer  abc.def', 'abc.def']);
      expect(secretsOf({ headers: { 'proxy-authorization': 'just-a-key' } })).toEqual(['just-a-key']);
      expect(secretsOf({ headers: { 'Proxy-Authorization': 'Bearer abcd' } })).toEqual(['Bearer abcd', 'abcd']);
    });

    it('gives the user name and the password of Basic', () => {
      const value = `Basic ${btoa('bob:pass:word')}`;
      expect(secretsOf({ headers: { AUTHORIZATION: value } })).toEqual([
        value,
        btoa('bob:pass:word'),
        'bob',
        'pass:word',
      ]);
      const utf8 = Buffer.from('zoë:ключ').toString('base64');
      expect(secretsOf({ headers: { Authorization: `Basic ${utf8}` } })).toEqual(
        expect.arrayContaining(['zoë', 'ключ']),
      );
      expect(secretsOf({ headers: { Authorization: 'Basic %%%' } })).toEqual(['Basic %%%', '%%%']);
    });

    it('gives the parameters of credentials', () => {
      const value = 'Digest username="bob", response="a\\"b"';
      expect(secretsOf({ headers: { Authorization: value } })).toEqual(expect.arrayContaining(['bob', 'a"b']));
    });

    it("gives each cookie's value", () => {
      const Cookie = 'sid=abc==; theme = "dark" ; lone; empty=';
      expect(secretsOf({ headers: { Cookie } })).toEqual(['abc==', 'dark', 'lone']);
      expect(secretsOf({ headers: { Cookie: 'a="begun; b=ended"; c="; d=""' } })).toEqual(['"begun', 'ended"', '"']);
    });

    it.each(['X-Access-Token', 'client_SECRET', 'x-api-key', 'X-Password', 'X-Amz-Credential', 'x-session-id'])(
      'gives the value of %s',
      (name) => {
        expect(secretsOf({ headers: { [name]: ' abcd ' } })).toEqual(['abcd']);
      },
    );

    it('leaves the other headers alone', () => {
      const headers = { Accept: 'application/json', 'Content-Type': 'text/plain', 'MS-RequestId': '4711' };
      expect(secretsOf({ headers })).toEqual([]);
    });

    it('reads AxiosHeaders, Headers and lists of values', () => {
      const expected = ['Bearer abcd', 'abcd'];
      const authorization = 'Bearer abcd';
      expect(secretsOf({ headers: new AxiosHeaders({ authorization }) })).toEqual(expected);
      expect(secretsOf({ headers: new Headers({ authorization }) })).toEqual(expected);
      expect(secretsOf({ headers: { 'x-token': ['one', 'two', null, 3], 'x-key': 4711 } })).toEqual([
        'one',
        'two',
        '3',
        '4711',
      ]);
    });
  });

  it('gives the user names and passwords of auth and proxy, and what Basic makes of them', () => {
    const auth = { username: 'bob', password: 'hunter2' };
    const proxy = { host: 'proxy.example', auth: { username: 'eve', password: 'swordfish' } };
    expect(secretsOf({ auth, proxy })).toEqual([
      'bob',
      'hunter2',
      btoa('bob:hunter2'),
      'eve',
      'swordfish',
      btoa('eve:swordfish'),
    ]);
    expect(secretsOf({ auth: { username: 'zoë', password: 'ключ' } })).toContain(
      Buffer.from('zoë:ключ').toString('base64'),
    );
  });

  it('gives either half of auth where the other is missing', () => {
    expect(secretsOf({ auth: { password: 'hunter2' } })).toEqual(['hunter2', btoa(':hunter2')]);
    expect(secretsOf({ auth: { username: 'bob', password: 7 } })).toEqual(['bob', btoa('bob:')]);
    expect(secretsOf({ auth: { username: 7, password: undefined } })).toEqual([]);
  });

  describe('bodies', () => {
    it('gives what stands under a telling name in JSON, down to the fourth level', () => {
      const data = JSON.stringify({
        client_secret: 'abcd',
        grant_type: 'password',
        user: {
          password: 4711,
          name: 'bob',
          tokens: ['efgh'],
          sessions: [{ api_key: 'ijkl', deep: { key: 'too deep' } }],
        },
      });
      expect(secretsOf({ data })).toEqual(['abcd', '4711', 'efgh', 'ijkl']);
      expect(secretsOf({ data: 'null' })).toEqual([]);
      expect(secretsOf({ data: '"token"' })).toEqual([]);
    });

    it('gives it in a form, written or not', () => {
      const data = 'grant_type=refresh_token&refresh_token=a%20b&client_secret=c%2Bd';
      expect(secretsOf({ data })).toEqual(['a b', 'c+d']);
      expect(secretsOf({ data: new URLSearchParams(data) })).toEqual(['a b', 'c+d']);
    });

    it('gives every value of a field that occurs more than once', () => {
      const data = 'tokens%5B%5D=abcd&tokens%5B%5D=efgh&token=ijkl&token=mnop';
      const secrets = ['abcd', 'efgh', 'ijkl', 'mnop'];
      expect(secretsOf({ data })).toEqual(secrets);
      expect(secretsOf({ data: new URLSearchParams(data) })).toEqual(secrets);
    });

    it('leaves the numbers of a list alone, and what names fields', () => {
      const lists = { tokens: [2024, 15339], keys: ['customers', 'sk-live-1'], Key: ['a'], api_keys: ['abcd'] };
      expect(secretsOf({ data: JSON.stringify(lists) })).toEqual(['sk-live-1', 'abcd']);
    });

    it('gives a list at the fourth level, and what is in lists of lists', () => {
      const data = JSON.stringify({ a: { b: { c: { tokens: ['abcd', ['too deep']] } } }, secrets: [['efgh']] });
      expect(secretsOf({ data })).toEqual(['abcd', 'efgh']);
    });

    it('reads no form of more than a thousand fields', () => {
      const form = (fields: number) => new URLSearchParams(Array.from({ length: fields }, () => ['token', 'abcd']));
      expect(secretsOf({ data: form(1_000) })).toEqual(['abcd']);
      expect(secretsOf({ data: form(1_001) })).toEqual([]);
    });

    it('reads 16 KiB of it and no more', () => {
      const body = (length: number) => `token=abcd&a=${'x'.repeat(length - 13)}`;
      expect(secretsOf({ data: body(16_384) })).toEqual(['abcd']);
      expect(secretsOf({ data: body(16_385) })).toEqual([]);
    });

    it.each([undefined, null, 7, Buffer.from('token=abcd'), { token: 'abcd' }, new FormData()])(
      'reads nothing in %o',
      (data) => {
        expect(secretsOf({ data })).toEqual([]);
      },
    );
  });

  describe('addresses', () => {
    it.each([
      ['https://bob:p%40ss@a.example/b?x=1', ['bob', 'p%40ss', 'p@ss', '1', btoa('bob:p@ss')]],
      ['https://bob@a.example', ['bob', btoa('bob:')]],
      ['https://bob:p@ss@a.example', ['bob', 'p@ss', btoa('bob:p@ss')]],
      ['//:pa:ss@a.example', ['pa:ss', btoa(':pa:ss')]],
      ['https:///bob:p4ss@a.example', ['bob', 'p4ss', btoa('bob:p4ss')]],
      [' https:\\\\bob:p4ss@a.example', ['bob', 'p4ss', btoa('bob:p4ss')]],
      ['https://a.example/b//c:d@e', []],
      ['users/bob@a.example', []],
      ['/b?sig=a%2Fb+c==&d=%zz&lone&e=', ['a%2Fb+c==', 'a/b c==', '%zz', 'lone']],
      ['ht\ntps://bo\tb:p4ss@a.example', ['bob', 'p4ss', btoa('bob:p4ss')]],
      ['/b#?x=1', []],
      ['/b?x=1#y=2', ['1']],
      ['', []],
    ])('%s', (url, secrets) => {
      expect(secretsOf({ url })).toEqual(secrets);
      expect(secretsOf({ baseURL: url })).toEqual(secrets);
    });

    it('reads a URL object, which the http adapter takes as well', () => {
      expect(secretsOf({ url: new URL('https://a.example/b?sig=abcd') })).toEqual(['abcd']);
    });
  });

  describe('params', () => {
    it('gives strings and numbers, nested twice at most', () => {
      const params = { a: 'one', b: 2, c: true, d: ['three', { e: 'four', f: ['five'] }], g: { h: 'six' }, i: null };
      expect(secretsOf({ params }).sort()).toEqual(['2', 'four', 'one', 'six', 'three']);
    });

    it('reads URLSearchParams', () => {
      expect(secretsOf({ params: new URLSearchParams('a=x%20y&a=z') })).toEqual(['x y', 'x+y', 'z']);
    });

    it('gives them as axios encodes them, too', () => {
      const params = { sig: 'a/b+c==', at: '12:30,5 $' };
      expect(secretsOf({ params })).toEqual(['a/b+c==', 'a%2Fb%2Bc%3D%3D', '12:30,5 $', '12:30,5+$']);
      expect(secretsOf({ params: { lone: '\ud800' } })).toEqual(['\ud800']);
    });

    it('visits each object once', () => {
      const params: Record<string, unknown> = { leaf: 'abcd' };
      for (let name = 0; name < 1_000; name += 1) params[name] = params;
      expect(secretsOf({ params })).toEqual(['abcd']);
    });
  });

  it('names each secret once', () => {
    expect(secretsOf({ headers: { 'x-key': 'abcd' }, params: { a: 'abcd' }, url: '/?b=abcd' })).toEqual(['abcd']);
  });

  it('reads on behind what throws', () => {
    const fail = () => {
      throw new Error('mine');
    };
    const thrower = new Proxy({}, { get: fail, ownKeys: fail, getPrototypeOf: fail, has: fail });
    const headers = Object.defineProperty({ 'x-key': 'abcd' }, 'x-token', { get: fail, enumerable: true });
    const revoked = Proxy.revocable([], {});
    revoked.revoke();

    expect(secretsOf({ headers, auth: thrower, params: { a: thrower, b: 'efgh' } })).toEqual(['abcd', 'efgh']);
    expect(secretsOf({ headers: { 'x-key': revoked.proxy }, params: revoked.proxy })).toEqual([]);
    expect(secretsOf(thrower)).toEqual([]);
  });

  it('survives more values than a function can have arguments', () => {
    const values = Array.from({ length: 300_000 }, (_, index) => String(index));
    expect(secretsOf({ params: values })).toHaveLength(300_000);
    expect(secretsOf({ url: `/?${values.join('&')}` })).toHaveLength(300_000);
  });

  it('gives distinct strings and never throws, whatever the config', () => {
    const keys = fc.constantFrom('headers', 'auth', 'proxy', 'url', 'baseURL', 'params');
    const header = fc.dictionary(fc.constantFrom('Authorization', 'Cookie', 'x-key'), fc.anything());
    const config = fc.oneof(fc.anything(), fc.dictionary(keys, fc.oneof(fc.anything(), header, fc.string())));
    fc.assert(
      fc.property(config, (value) => {
        const secrets = secretsOf(value);
        expect(secrets.every((secret) => typeof secret === 'string' && secret !== '')).toBe(true);
        expect(new Set(secrets).size).toBe(secrets.length);
      }),
      { numRuns: 500 },
    );
  });
});
