import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../lib/auth/authenticator.ts';
import { Authenticators } from '../../lib/auth/authenticators.ts';
import { bearer } from '../../lib/auth/bearer.ts';
import { CredentialSet } from '../../lib/auth/credential-set.ts';
import type { AuthOptions, ResolvedAuth } from '../../lib/auth/options.ts';
import { NOTHING, quiet, usedBy } from '../support/credentials.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { DEFAULTS } from '../support/policies.ts';

const API = 'https://api.example.com';
const TOKEN = { value: 't0k3n' };

const authenticators = (baseUrl?: string, clock = new ManualClock()) =>
  new Authenticators({ clock, queue: new Set(), beginner: quiet, baseUrl: () => baseUrl });
const policy = (options: Partial<AuthOptions> = {}): ResolvedAuth =>
  ({ ...DEFAULTS.auth, token: () => TOKEN.value, refresh: async () => 'fresh', ...options }) as ResolvedAuth;
const authenticator = (options: Partial<AuthOptions> = {}) => authenticators().of(policy(options));

const configOf = (more: Partial<InternalAxiosRequestConfig> = {}): InternalAxiosRequestConfig => ({
  baseURL: API,
  url: '/x',
  headers: new AxiosHeaders(),
  ...more,
});
const elsewhere = configOf({ url: 'https://elsewhere.example/x' });
const nowhere: InternalAxiosRequestConfig = { url: '/x', headers: new AxiosHeaders() };

describe(`${Authenticator.name}: who may see the token`, () => {
  const subject = authenticator();
  const own = configOf();

  it('the origin of the baseURL', () => {
    expect(subject.maySee(own, own)).toBe(true);
    expect(subject.maySee(configOf({ url: `${API}/absolute` }), own)).toBe(true);
  });

  it('no other, be it another host, another port or without TLS', () => {
    for (const url of [
      'https://elsewhere.example/x',
      `${API}:8443/x`,
      'http://api.example.com/x',
      `${API}.evil.example`,
    ]) {
      expect(subject.maySee(configOf({ url }), configOf({ url }))).toBe(false);
    }
  });

  it('no baseURL that only the send has: what the call itself named counts', () => {
    const moved = configOf({ baseURL: 'https://elsewhere.example' });
    expect(subject.maySee(moved, own)).toBe(false);
    expect(subject.maySee(moved, moved)).toBe(true);
    expect(subject.maySee(own, nowhere)).toBe(false);
  });

  it("the origin of the instance's own baseURL, where the call's is empty", () => {
    const absolute = configOf({ baseURL: '', url: `${API}/x` });
    const ofInstance = authenticators(`${API}/v1`).of(policy());
    expect(ofInstance.maySee(absolute, absolute)).toBe(true);
    const other = configOf({ baseURL: '', url: 'https://elsewhere.example/x' });
    expect(ofInstance.maySee(other, other)).toBe(false);
    expect(subject.maySee(absolute, absolute)).toBe(false);
  });

  it('nobody where there is no telling where it goes', () => {
    expect(subject.maySee(nowhere, nowhere)).toBe(false);
    expect(subject.maySee(nowhere, own)).toBe(false);
  });

  it('the origins that the policy names instead, and none where it names none', () => {
    const named = authenticator({ origins: ['https://elsewhere.example'] });
    expect(named.maySee(elsewhere, own)).toBe(true);
    expect(named.maySee(own, own)).toBe(false);
    expect(authenticator({ origins: [] }).maySee(own, own)).toBe(false);
  });
});

describe(`${Authenticator.name}: with the origins 'any'`, () => {
  const subject = authenticator({ origins: 'any' });
  const sees = (baseURL: string) => subject.maySee(configOf({ baseURL }), configOf({ baseURL }));

  it.each([
    'https://a.example',
    'http://localhost:3000',
    'http://app.localhost',
    'http://127.0.0.1:8080',
    'http://127.100.200.33',
    'http://[::1]:8080',
  ])('the token goes to %s: nobody on the way can read along', (baseURL) => {
    expect(sees(baseURL)).toBe(true);
  });

  it.each([
    'http://a.example',
    'http://https.example',
    'http://localhost.a.example',
    'http://notlocalhost',
    'http://127.0.0.1.a.example',
    'http://10.0.0.1',
    'http://[::2]',
  ])('the token does not go to %s', (baseURL) => {
    expect(sees(baseURL)).toBe(false);
  });

  it('it does not go where only beforeSend turned the call to', () => {
    expect(subject.withheldFrom(elsewhere, configOf())).toBe('beforeSend turned it to https://elsewhere.example');
    expect(subject.maySee(elsewhere, elsewhere)).toBe(true);
  });
});

describe(`${Authenticator.name}: why a send carried no token`, () => {
  it.each<[string, Partial<AuthOptions>, InternalAxiosRequestConfig, string | undefined]>([
    ['none, where it may be seen', {}, configOf(), undefined],
    [
      'another origin than the baseURL',
      {},
      elsewhere,
      `https://elsewhere.example is not among auth.origins, which are that of the baseURL, ${API}`,
    ],
    [
      'an origin that is not named',
      { origins: [API] },
      elsewhere,
      'https://elsewhere.example is not among auth.origins',
    ],
    [
      'plain HTTP',
      { origins: 'any' },
      configOf({ baseURL: 'http://a.example' }),
      "http://a.example is plain HTTP, which auth.origins 'any' leaves out",
    ],
    ['no origin', { origins: 'any' }, nowhere, 'its URL has no origin'],
  ])('%s', (_name, options, config, why) => {
    expect(authenticator(options).withheldFrom(config, config)).toBe(why);
  });
});

describe(`${Authenticator.name}: whose token a call carries`, () => {
  it('that of its key, which is the empty string where the policy has no keys', async () => {
    const token = ({ key }: { key: string }) => `token of "${key}"`;
    const plain = authenticator({ token });
    expect(await plain.credentialOf(configOf())?.currentToken(quiet)).toEqual({ value: 'token of ""' });
    const keyed = authenticator({ token, key: ({ url = '' }) => url });
    expect(await keyed.credentialOf(configOf())?.currentToken(quiet)).toEqual({ value: 'token of "/x"' });
    expect(keyed.credentialOf(configOf())).toBe(keyed.credentialOf(configOf()));
    expect(keyed.credentialOf(configOf())).not.toBe(keyed.credentialOf(configOf({ url: '/y' })));
  });

  it('that of the empty string where the key gives nothing, and no other than a text', async () => {
    const ofKey = (key: unknown) => authenticator({ token: ({ key }) => `of "${key}"`, key: () => key as string });
    expect(await ofKey(undefined).credentialOf(configOf())?.currentToken(quiet)).toEqual({ value: 'of ""' });
    expect(() => ofKey(7).credentialOf(configOf())).toThrow('auth.key must return a string, got 7');
  });

  it("nobody's where the token must not be seen", () => {
    expect(authenticator().credentialOf(elsewhere)).toBeUndefined();
  });

  it("nobody's from within the refresh of that very token, which it would wait for; another key's is another matter", async () => {
    const seen: unknown[] = [];
    const key = ({ url = '' }) => url;
    const subject = authenticator({
      key,
      refresh: async () => {
        seen.push(subject.credentialOf(configOf()), subject.credentialOf(configOf({ url: '/y' })));
        return 'fresh';
      },
    });
    await subject.credentialOf(configOf())?.replace(TOKEN.value, NOTHING, quiet);
    expect(seen[0]).toBeUndefined();
    expect(seen[1]).toBe(subject.credentialOf(configOf({ url: '/y' })));
  });
});

describe(`${Authenticator.name}: writing the token`, () => {
  const ticket: AuthOptions['apply'] = (headers, { value }) => {
    headers.set('X-Ticket', `T ${value}`);
    headers.set('X-Ticket-Kind', 'session');
  };
  const write = (apply: AuthOptions['apply'], headers: { [name: string]: string } = {}, more = {}) => {
    const config = configOf({ headers: new AxiosHeaders(headers), ...more });
    const takeOff = authenticator({ apply }).write(config, TOKEN);
    return { config, takeOff };
  };

  it.each(['Authorization', 'authorization'])(`${bearer.name} takes the place of what stands in %s`, (name) => {
    expect(write(bearer, { [name]: 'mine' }).config.headers.toJSON()).toEqual({ [name]: 'Bearer t0k3n' });
    expect(write(bearer).config.headers.toJSON()).toEqual({ Authorization: 'Bearer t0k3n' });
  });

  it('takes all that was written off a redirect to another origin, puts nothing back, then asks the caller', () => {
    const asked: unknown[][] = [];
    const mine = (...details: unknown[]) => void asked.push(details);
    const redirect = (href: unknown, apply: AuthOptions['apply']) => {
      const { config } = write(apply, { 'X-Ticket': 'mine', 'X-Mine': 'kept' }, { beforeRedirect: mine });
      const options = { href, headers: config.headers.toJSON() };
      config.beforeRedirect?.(options, { headers: {}, statusCode: 302 }, { headers: {}, url: '', method: 'GET' });
      expect(asked.pop()).toEqual([options, { headers: {}, statusCode: 302 }, { headers: {}, url: '', method: 'GET' }]);
      return Object.keys(options.headers);
    };
    const { origin, protocol, host } = new URL(API);
    expect(redirect(`${origin}/elsewhere`, ticket)).toEqual(['X-Ticket', 'X-Mine', 'X-Ticket-Kind']);
    for (const href of [
      `${protocol}//sub.${host}/`,
      `${protocol}//${host}:8443/`,
      `http://${host}/`,
      'no URL',
      undefined,
    ]) {
      expect(redirect(href, ticket)).toEqual(['X-Mine']);
      expect(redirect(href, bearer)).toEqual(['X-Ticket', 'X-Mine']);
    }
    expect([authenticator().isStandard, authenticator({ apply: ticket }).isStandard]).toEqual([true, false]);
  });

  it('asks nobody on a redirect where the caller has no say in it', () => {
    const { config } = write(bearer);
    const options = { href: 'https://elsewhere.example/', headers: config.headers.toJSON() };
    config.beforeRedirect?.(options, { headers: {}, statusCode: 302 }, { headers: {}, url: '', method: 'GET' });
    expect(options.headers).toEqual({});
  });

  it('refuses an apply that gives a promise: what it writes later would never be sent', () => {
    const late = (async () => Promise.reject(new Error('mine'))) as unknown as AuthOptions['apply'];
    expect(() => write(late)).toThrow(new TypeError('auth.apply must write the headers at once; it gave a promise'));
    expect(write((headers) => headers.set('X-Ticket', 'T')).config.headers.toJSON()).toEqual({ 'X-Ticket': 'T' });
  });

  it('takes off all that was written, and nothing else', () => {
    const { config, takeOff } = write(ticket, { 'X-Mine': 'kept' });
    takeOff(config.headers);
    expect({ ...config.headers }).toStrictEqual({ 'X-Mine': 'kept' });
  });

  it('puts back what stood there', () => {
    const { config, takeOff } = write(bearer, { authorization: 'mine' });
    takeOff(config.headers);
    expect({ ...config.headers }).toStrictEqual({ authorization: 'mine' });
  });

  it('takes it off whatever headers the send has by then, under whatever case', () => {
    const { takeOff } = write(bearer);
    const headers = { authorization: 'Bearer t0k3n', 'X-Mine': 'kept' };
    takeOff(headers as never);
    expect(headers).toStrictEqual({ 'X-Mine': 'kept' });
  });

  it('takes it off also where something was added to it', () => {
    const { takeOff } = write(bearer);
    const headers = { Authorization: 'Bearer t0k3n, Signature abc', AUTHORIZATION: ['Bearer t0k3n'] };
    takeOff(headers as never);
    expect(headers).toStrictEqual({});
  });

  it('leaves alone what took its place, and headers that hold the same by chance', () => {
    const { takeOff } = write((headers) => headers.set('X-Tenant', '7'));
    const headers = { 'X-Tenant': 'another', 'X-Count': '17' };
    takeOff(headers as never);
    expect(headers).toStrictEqual({ 'X-Tenant': 'another', 'X-Count': '17' });
  });
});

describe(Authenticators.name, () => {
  it('have one for each policy', () => {
    const subject = authenticators();
    const options = policy();
    expect(subject.of(options)).toBe(subject.of(options));
    expect(subject.of(options).options).toBe(options);
    expect(subject.of(policy())).not.toBe(subject.of(options));
  });

  it('share the credentials of policies with the same token function, of which the first brings the refresh', async () => {
    const subject = authenticators();
    const token = () => 'old';
    const first = subject.of(policy({ token }));
    const second = subject.of(
      policy({ token, refresh: async () => 'unused', origins: [API, 'https://elsewhere.example'] }),
    );
    const credential = second.credentialOf(configOf());
    expect(credential).toBe(first.credentialOf(configOf()));
    expect(await (credential && usedBy(credential).replace('old', NOTHING))).toMatchObject({ value: 'fresh' });
    expect(second.credentialOf(elsewhere)).toBe(credential);
    expect(first.credentialOf(elsewhere)).toBeUndefined();
  });

  it('keep those with another token function apart', () => {
    const subject = authenticators();
    const [first, second] = ['a', 'b'].map((value) => subject.of(policy({ token: () => value })));
    expect(first?.credentialOf(configOf())).not.toBe(second?.credentialOf(configOf()));
  });

  it('take credentials that were made outside for what they are', () => {
    const made = new CredentialSet(policy(), { clock: new ManualClock() });
    const subject = authenticators(API).of(made);
    expect(subject.options).toBe(made.options);
    expect(subject.credentialOf(configOf())).toBe(made.of(''));
  });

  it('refuse whoever waits for a token when they are closed, and leave alone what was made outside', async () => {
    const subject = authenticators();
    const waits = policy({ token: () => new Promise<string>(() => {}) });
    const made = new CredentialSet(policy(), { clock: new ManualClock() });
    subject.of(made);
    const waiting = subject.of(waits).credentialOf(configOf())?.currentToken(quiet);
    subject.close();
    await expect(waiting).rejects.toMatchObject({ code: 'ERR_TOKEN_REFRESH', message: 'the attachment was closed' });
    expect(made.isClosed).toBe(false);
  });

  describe('of two attachments', () => {
    const two = (written: [object, object], origins: [string, string], clock = new ManualClock()) => {
      const options = [policy(), policy()];
      return options.map((each, n) => {
        const subject = authenticators(undefined, clock);
        subject.join(each, written[n] as object, String(origins[n]));
        return { subject, credential: subject.of(each).credentialOf(configOf()) };
      });
    };
    const auth = {};

    it('share where they were given the very same object and have the same origins', () => {
      const [one, other] = two([auth, auth], [API, API]);
      expect(one?.credential).toBe(other?.credential);
    });

    it.each<[string, [object, object], [string, string]]>([
      ['another object', [{}, {}], [API, API]],
      ['other origins', [auth, auth], [API, 'https://elsewhere.example']],
    ])('share nothing where they have %s', (_name, written, origins) => {
      const [one, other] = two(written, origins);
      expect(one?.credential).not.toBe(other?.credential);
    });

    it('are closed with the last of them', async () => {
      const options = policy({ token: () => new Promise<string>(() => {}) });
      const written = {};
      const clock = new ManualClock();
      const [one, other] = [authenticators(undefined, clock), authenticators(undefined, clock)];
      for (const each of [one, other]) each.join(options, written, API);
      let refused: unknown;
      const waiting = Promise.resolve(other.of(options).credentialOf(configOf())?.currentToken(quiet));
      const settled = waiting.catch((error: unknown) => {
        refused = error;
      });
      one.close();
      await settle();
      expect(refused).toBeUndefined();
      other.close();
      await settled;
      expect(refused).toMatchObject({ message: 'the credentials are closed' });
    });

    it('share nothing where they go by another clock, or all of the others are closed', () => {
      const clock = new ManualClock();
      const [one] = two([auth, auth], [API, API], clock);
      expect(two([auth, auth], [API, API])[0]?.credential).not.toBe(one?.credential);
      const written = {};
      const [first, second] = two([written, written], [API, API], clock);
      first?.subject.close();
      first?.subject.close();
      expect(two([written, written], [API, API], clock)[0]?.credential).toBe(second?.credential);
    });
  });
});
