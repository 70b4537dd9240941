import { describe, expect, it, vi } from 'vitest';
import { Credentials, type CredentialsPorts } from '../../lib/auth/credentials.ts';
import { memoryTokenStore } from '../../lib/auth/memory-token-store.ts';
import type { AuthOptions, ResolvedAuth, Token } from '../../lib/auth/options.ts';
import { mayPass } from '../../lib/classify/may-pass.ts';
import { DEFAULTS } from '../../lib/policy/defaults.ts';
import { NOTHING } from '../support/credentials.ts';
import { gate } from '../support/guarded.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

const ports: CredentialsPorts = {
  clock: new ManualClock(),
  http: undefined as never,
  mayPass,
  refreshing: () => {},
  refreshed: () => {},
  refreshFailed: () => {},
};
const token: AuthOptions['token'] = ({ key }) => `token of ${key}`;
const credentials = (options: Partial<AuthOptions> = {}) =>
  new Credentials({ ...DEFAULTS.auth, token, refresh: async () => 'fresh', ...options } as ResolvedAuth, ports);

/** Has so many keys used that nobody has used before. */
const crowd = (subject: Credentials, size: number) => {
  for (let n = 0; n < size; n++) subject.of(`user ${n}`);
};

describe(Credentials.name, () => {
  it('has one credential for each key', async () => {
    const subject = credentials();
    expect(subject.of('a')).toBe(subject.of('a'));
    expect(subject.of('b')).not.toBe(subject.of('a'));
    expect(await subject.of('a').checkOut()).toEqual({ value: 'token of a' });
    expect(await subject.of('b').checkOut()).toEqual({ value: 'token of b' });
  });

  it('refreshes in this process where the policy names no store', async () => {
    const subject = credentials();
    expect(await subject.of('a').replace('token of a', NOTHING)).toMatchObject({ value: 'fresh' });
    expect(await subject.of('b').checkOut()).toEqual({ value: 'token of b' });
  });

  it('refreshes through the store of the policy, under the key', async () => {
    const store = memoryTokenStore();
    const subject = credentials({ store });
    await subject.of('a').replace('token of a', NOTHING);
    expect(await store.read('a')).toEqual({ value: 'fresh', generation: 1 });
    expect(await store.read('b')).toBeUndefined();
  });

  describe('with more keys than it remembers', () => {
    const MAX = 10_000;

    it('forgets the one that has not been used for the longest time, and no sooner than it must', () => {
      const subject = credentials();
      const [first, second] = [subject.of('first'), subject.of('second')];
      crowd(subject, MAX - 2);
      expect(subject.of('first')).toBe(first);
      subject.of('one more');
      expect(subject.of('first')).toBe(first);
      expect(subject.of('second')).not.toBe(second);
    });

    it('does not forget a refreshed token: what it was refreshed with is used up', async () => {
      const subject = credentials();
      const held = subject.of('held');
      await held.replace('token of held', NOTHING);
      crowd(subject, MAX + 1);
      expect(subject.of('held')).toBe(held);
    });

    it('takes one back that was forgotten before its call came to be refused', async () => {
      const refresh = vi.fn(async () => 'fresh');
      const subject = credentials({ refresh });
      const slow = subject.of('slow');
      crowd(subject, MAX + 1);
      expect(await slow.replace('token of slow', NOTHING)).toMatchObject({ value: 'fresh' });
      expect(subject.of('slow')).toBe(slow);
      expect(await subject.of('slow').checkOut()).toMatchObject({ value: 'fresh' });
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    it('does not forget a refresh under way', async () => {
      const { promise, open } = gate<Token | string>();
      const refresh = vi.fn(() => promise);
      const subject = credentials({ refresh });
      const first = subject.of('held').replace('token of held', NOTHING);
      await settle();
      crowd(subject, MAX + 1);
      const second = subject.of('held').replace('token of held', NOTHING);
      await settle();
      open('fresh');
      expect(await Promise.all([first, second])).toMatchObject([{ value: 'fresh' }, { value: 'fresh' }]);
      expect(refresh).toHaveBeenCalledTimes(1);
    });
  });
});
