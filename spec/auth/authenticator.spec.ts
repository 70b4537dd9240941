import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { Authenticator } from '../../lib/auth/authenticator.ts';
import { Authenticators } from '../../lib/auth/authenticators.ts';
import { bearer } from '../../lib/auth/bearer.ts';
import type { AuthOptions, ResolvedAuth } from '../../lib/auth/options.ts';
import { mayPass } from '../../lib/classify/may-pass.ts';
import { DEFAULTS } from '../../lib/policy/defaults.ts';
import { NOTHING } from '../support/credentials.ts';
import { ManualClock } from '../support/manual-clock.ts';

const API = 'https://api.example.com';
const TOKEN = { value: 't0k3n' };

const authenticators = () =>
  new Authenticators({
    clock: new ManualClock(),
    http: undefined as never,
    mayPass,
    refreshing: () => {},
    refreshed: () => {},
    refreshFailed: () => {},
  });
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

describe(`${Authenticator.name}: whose token a call carries`, () => {
  it('that of its key, which is the empty string where the policy has no keys', async () => {
    const token = ({ key }: { key: string }) => `token of "${key}"`;
    const plain = authenticator({ token });
    expect(await plain.credentialOf(configOf())?.checkOut()).toEqual({ value: 'token of ""' });
    const keyed = authenticator({ token, key: ({ url = '' }) => url });
    expect(await keyed.credentialOf(configOf())?.checkOut()).toEqual({ value: 'token of "/x"' });
    expect(keyed.credentialOf(configOf())).toBe(keyed.credentialOf(configOf()));
    expect(keyed.credentialOf(configOf())).not.toBe(keyed.credentialOf(configOf({ url: '/y' })));
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
    await subject.credentialOf(configOf())?.replace(TOKEN.value, NOTHING);
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

  it('names headers of its own as sensitive, besides those that are; every client knows Authorization', () => {
    expect(write(ticket).config.sensitiveHeaders).toEqual(['X-Ticket', 'X-Ticket-Kind']);
    const mine = { sensitiveHeaders: ['X-Mine'] };
    expect(write(ticket, { 'X-Other': 'x' }, mine).config.sensitiveHeaders).toEqual([
      'X-Mine',
      'X-Ticket',
      'X-Ticket-Kind',
    ]);
    expect(mine.sensitiveHeaders).toEqual(['X-Mine']);
    expect(write(bearer).config).not.toHaveProperty('sensitiveHeaders');
    expect([authenticator().isStandard, authenticator({ apply: ticket }).isStandard]).toEqual([true, false]);
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
    expect(await credential?.replace('old', NOTHING)).toMatchObject({ value: 'fresh' });
    expect(second.credentialOf(elsewhere)).toBe(credential);
    expect(first.credentialOf(elsewhere)).toBeUndefined();
  });

  it('keep those with another token function apart', () => {
    const subject = authenticators();
    const [first, second] = ['a', 'b'].map((value) => subject.of(policy({ token: () => value })));
    expect(first?.credentialOf(configOf())).not.toBe(second?.credentialOf(configOf()));
  });
});
