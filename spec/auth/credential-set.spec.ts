import { describe, expect, it, vi } from 'vitest';
import { CredentialSet, isCredentials } from '../../lib/auth/credential-set.ts';
import type { AuthOptions, ResolvedAuth, Token, TokenStore } from '../../lib/auth/options.ts';
import { rejectionOf } from '../support/attached.ts';
import { NOTHING, usedBy } from '../support/credentials.ts';
import { gate } from '../support/guarded.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { DEFAULTS } from '../support/policies.ts';

const token: AuthOptions['token'] = ({ key }) => `token of ${key}`;
const credentials = (options: Partial<AuthOptions> = {}) =>
  new CredentialSet({ ...DEFAULTS.auth, token, refresh: async () => 'fresh', ...options } as ResolvedAuth, {
    clock: new ManualClock(),
  });

/** Has so many keys used that nobody has used before. */
const crowd = (subject: CredentialSet, size: number) => {
  for (let n = 0; n < size; n++) subject.of(`user ${n}`);
};

describe(CredentialSet.name, () => {
  it('has one credential for each key', async () => {
    const subject = credentials();
    expect(subject.of('a')).toBe(subject.of('a'));
    expect(subject.of('b')).not.toBe(subject.of('a'));
    expect(await usedBy(subject.of('a')).currentToken()).toEqual({ value: 'token of a' });
    expect(await usedBy(subject.of('b')).currentToken()).toEqual({ value: 'token of b' });
  });

  it('refreshes in this process where the policy names no store', async () => {
    const subject = credentials();
    expect(await usedBy(subject.of('a')).replace('token of a', NOTHING)).toMatchObject({ value: 'fresh' });
    expect(await usedBy(subject.of('b')).currentToken()).toEqual({ value: 'token of b' });
  });

  it('refreshes through the store of the policy, under the key', async () => {
    const keys: string[] = [];
    const store: TokenStore = {
      refresh: async (key, generation, refresh) => {
        keys.push(key);
        return { ...(await refresh()), generation: generation + 1 };
      },
    };
    const subject = credentials({ store });
    await usedBy(subject.of('a')).replace('token of a', NOTHING);
    expect(keys).toEqual(['a']);
  });

  it('is known for what it is, also to a second copy of this package', () => {
    expect(isCredentials(credentials())).toBe(true);
    expect(isCredentials({ [Symbol.for('axios-holdfast.credentials')]: true })).toBe(true);
    for (const other of [undefined, null, 'credentials', {}, { token, refresh: async () => 'fresh' }])
      expect(isCredentials(other)).toBe(false);
  });

  it('when closed ends the refreshes of all keys, and those of keys to come', async () => {
    const subject = credentials({ refresh: () => new Promise(() => {}) });
    const waiting = ['a', 'b'].map((key) => rejectionOf(usedBy(subject.of(key)).replace(`token of ${key}`, NOTHING)));
    await settle();
    await subject.close();
    const over = { code: 'ERR_TOKEN_REFRESH', message: 'the credentials are closed' };
    expect(await Promise.all(waiting)).toMatchObject([over, over]);
    expect(await rejectionOf(usedBy(subject.of('c')).replace('token of c', NOTHING))).toMatchObject(over);
    expect(await usedBy(subject.of('c')).currentToken()).toEqual({ value: 'token of c' });
    expect((subject.clock as ManualClock).pending).toBe(0);
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
      await usedBy(held).replace('token of held', NOTHING);
      crowd(subject, MAX + 1);
      expect(subject.of('held')).toBe(held);
    });

    it('takes one back that was forgotten before its call came to be refused', async () => {
      const refresh = vi.fn(async () => 'fresh');
      const subject = credentials({ refresh });
      const slow = subject.of('slow');
      crowd(subject, MAX + 1);
      expect(await usedBy(slow).replace('token of slow', NOTHING)).toMatchObject({ value: 'fresh' });
      expect(subject.of('slow')).toBe(slow);
      expect(await usedBy(subject.of('slow')).currentToken()).toMatchObject({ value: 'fresh' });
      expect(refresh).toHaveBeenCalledTimes(1);
    });

    it('does not forget a refresh under way', async () => {
      const { promise, open } = gate<Token | string>();
      const refresh = vi.fn(() => promise);
      const subject = credentials({ refresh });
      const first = usedBy(subject.of('held')).replace('token of held', NOTHING);
      await settle();
      crowd(subject, MAX + 1);
      const second = usedBy(subject.of('held')).replace('token of held', NOTHING);
      await settle();
      open('fresh');
      expect(await Promise.all([first, second])).toMatchObject([{ value: 'fresh' }, { value: 'fresh' }]);
      expect(refresh).toHaveBeenCalledTimes(1);
    });
  });
});
