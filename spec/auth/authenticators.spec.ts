import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { Authenticators } from '../../lib/auth/authenticators.ts';
import { CredentialSet } from '../../lib/auth/credential-set.ts';
import type { AuthOptions, ResolvedAuth } from '../../lib/auth/options.ts';
import { memoryTokenStore } from '../../lib/auth/stores/memory.ts';
import type { Clock } from '../../lib/time/clock.ts';
import { quiet } from '../support/credentials.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { DEFAULTS } from '../support/policies.ts';

const API = 'https://api.example.com';
const config: InternalAxiosRequestConfig = { baseURL: API, url: '/x', headers: new AxiosHeaders() };
const token = () => 't0k3n';
const refresh = async () => 'fresh';
const auth = (options: Partial<AuthOptions> = {}): ResolvedAuth =>
  ({ ...DEFAULTS.auth, token, refresh, ...options }) as ResolvedAuth;

/** What an attachment makes of its policies' `auth`; of several, all by one clock. */
const clock = new ManualClock();
const attachment = (by: Clock = clock) =>
  new Authenticators({ clock: by, queue: new Set(), beginner: quiet, baseUrl: () => API });
/** The session that a call has under that policy. */
const session = (authenticators: Authenticators, options: ResolvedAuth | CredentialSet) =>
  authenticators.of(options).credentialOf(config);

describe('calls of one attachment', () => {
  it('share a session where their policies have the same `token`, else none', () => {
    const one = attachment();
    const first = session(one, auth());
    expect(session(one, auth({ refresh: async () => 'other', origins: [API] }))).toBe(first);
    expect(session(one, auth({ token: () => 'other' }))).not.toBe(first);
  });

  it('share one where none has a `token` and `refresh` is the same', () => {
    const one = attachment();
    const first = session(one, auth({ token: undefined }));
    expect(session(one, auth({ token: undefined, save: () => {} }))).toBe(first);
    expect(session(one, auth({ token: undefined, refresh: async () => 'other' }))).not.toBe(first);
  });

  it('have that of the credentials that they were handed', () => {
    const handed = new CredentialSet(auth(), { clock });
    expect(session(attachment(), handed)).toBe(handed.of(''));
    expect(session(attachment(), handed)).toBe(handed.of(''));
  });

  it('have one authenticator for each policy, which is made once', () => {
    const one = attachment();
    const options = auth();
    expect(one.of(options)).toBe(one.of(options));
    expect(one.of(auth())).not.toBe(one.of(options));
  });
});

describe('attachments', () => {
  /** Two that were given these. */
  function two(written: readonly [object, object], origins = [API, API], clocks: readonly Clock[] = [clock, clock]) {
    return written.map((each, n) => {
      const authenticators = attachment(clocks[n]);
      const options = auth();
      authenticators.join(options, each, origins[n] ?? '');
      return { authenticators, session: session(authenticators, options) };
    }) as [{ authenticators: Authenticators; session: unknown }, { authenticators: Authenticators; session: unknown }];
  }

  it('share a session where they were given the very same object, and have the same origins', () => {
    const object = {};
    const [one, other] = two([object, object]);
    expect(one.session).toBe(other.session);
    for (const each of [one, other]) each.authenticators.close();
    const objects = two([{}, {}]);
    expect(objects[0].session).not.toBe(objects[1].session);
    const origins = two([object, object], [API, 'https://elsewhere.example']);
    expect(origins[0].session).not.toBe(origins[1].session);
  });

  it('do not share one with a test that has a clock of its own', () => {
    const object = {};
    const [one, other] = two([object, object], [API, API], [clock, new ManualClock()]);
    expect(one.session).not.toBe(other.session);
  });

  it('share one until the last of them is closed, once each, and begin anew after it', () => {
    const object = {};
    const [one, other] = two([object, object]);
    const later = () => {
      const authenticators = attachment();
      const options = auth();
      authenticators.join(options, object, API);
      return { authenticators, session: session(authenticators, options) };
    };
    one.authenticators.close();
    one.authenticators.close();
    const third = later();
    expect(third.session).toBe(other.session);
    third.authenticators.close();
    other.authenticators.close();
    expect(later().session).not.toBe(other.session);
  });
});

describe('an attachment whose `auth` changes', () => {
  const before = auth({ retry: { retries: 2 } });
  const changed = (options: Partial<AuthOptions>) => ({ ...before, ...options }) as ResolvedAuth;
  /** Whether the session goes on. */
  function goesOn(from: false | ResolvedAuth | CredentialSet, to: ResolvedAuth) {
    const one = attachment();
    const written = {};
    one.join(before, written, API);
    const first = session(one, before);
    one.update(from, to, {}, API);
    return session(one, to) === first;
  }

  it.each<[string, Partial<AuthOptions>]>([
    ['token', { token: () => 'other' }],
    ['refresh', { refresh: async () => 'other' }],
    ['save', { save: () => {} }],
    ['store', { store: memoryTokenStore() }],
    ['refreshAheadMs', { refreshAheadMs: 1 }],
    ['refreshTimeoutMs', { refreshTimeoutMs: 1 }],
    ['retry', { retry: { retries: 3 } }],
  ])('begins another session with another %s', (_, options) => {
    expect(goesOn(before, changed(options))).toBe(false);
  });

  it.each<[string, Partial<AuthOptions>]>([
    ['the same', {}],
    ['the same retry, written anew', { retry: { retries: 2 } }],
    ['others who may see the token', { origins: 'any' }],
    ['another way to write it', { apply: () => {} }],
    ['another key for its calls', { key: () => '' }],
  ])('goes on with the session that it had with %s', (_, options) => {
    expect(goesOn(before, changed(options))).toBe(true);
  });

  it('begins one where it had none, or credentials that were handed in', () => {
    expect(goesOn(false, changed({}))).toBe(false);
    expect(goesOn(new CredentialSet(before, { clock }), changed({}))).toBe(false);
  });

  it('leaves all that it had when it is closed', () => {
    const [object, later] = [{}, {}];
    const sessionOf = (written: object) => {
      const other = attachment();
      const options = auth();
      other.join(options, written, API);
      const found = session(other, options);
      other.close();
      return found;
    };
    const one = attachment();
    const options = auth();
    one.join(options, object, API);
    const first = session(one, options);
    one.update(false, changed({ token: () => 'other' }), later, API);
    expect(sessionOf(object)).toBe(first);
    const second = sessionOf(later);
    expect(sessionOf(later)).toBe(second);
    one.close();
    expect(sessionOf(object)).not.toBe(first);
    expect(sessionOf(later)).not.toBe(second);
  });
});
