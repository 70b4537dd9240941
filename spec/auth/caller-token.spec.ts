import { describe, expect, it } from 'vitest';
import { CallerToken, SESSION } from '../../lib/auth/caller-token.ts';
import { Life } from '../../lib/auth/life.ts';
import { TokenRefreshError } from '../../lib/failure/errors.ts';
import { rejectionOf } from '../support/attached.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** The caller's `token`, whose answers are in the test's hand: the last for ever. */
function callersToken(...answers: readonly unknown[]) {
  const clock = new ManualClock();
  const life = new Life();
  const keys: string[] = [];
  let loggedOut = 0;
  let n = 0;
  const token = ({ key }: { readonly key: string }) => {
    keys.push(key);
    return answers[Math.min(n++, answers.length - 1)] as never;
  };
  const subject = new CallerToken({ key: 'mine' }, token, { clock, life }, () => {
    loggedOut += 1;
  });
  return { subject, clock, life, keys, loggedOut: () => loggedOut };
}

describe("the caller's token", () => {
  it('is asked anew each time, with the key, and given at once where it is no promise', () => {
    const { subject, keys } = callersToken('a', 'b', { value: 'c', expiresAt: 5 });
    expect([subject.ask(10), subject.ask(10), subject.ask(10)]).toEqual([
      { value: 'a' },
      { value: 'b' },
      { value: 'c', expiresAt: 5 },
    ]);
    expect(keys).toEqual(['mine', 'mine', 'mine']);
    expect(subject.last).toEqual({ value: 'c', expiresAt: 5 });
  });

  it('is the same object while it is the same text, and not where it has been something else meanwhile', () => {
    const { subject } = callersToken('a', 'a', { value: 'b' }, 'a');
    const first = subject.ask(10);
    expect(subject.ask(10)).toBe(first);
    expect(subject.ask(10)).toEqual({ value: 'b' });
    expect(subject.ask(10)).toEqual({ value: 'a' });
  });

  it('is none where nothing is stored, and that is a logout where there was one before', () => {
    const { subject, loggedOut } = callersToken(null, undefined, 'a', null, undefined, 'a', undefined);
    const told: unknown[] = [];
    for (let n = 0; n < 7; n++) told.push([subject.ask(10), loggedOut()]);
    expect(told).toEqual([
      [undefined, 0],
      [undefined, 0],
      [{ value: 'a' }, 0],
      [undefined, 1],
      [undefined, 1],
      [{ value: 'a' }, 1],
      [undefined, 2],
    ]);
  });

  it('is refused where it is none, and none is known then that was not before', () => {
    const { subject } = callersToken('a', 7);
    subject.ask(10);
    expect(() => subject.ask(10)).toThrow(/^auth\.token must give a non-empty string/);
    expect(subject.last).toEqual({ value: 'a' });
  });

  it('is looked at again where its owner has written something else into it', () => {
    const token = { value: 'a' };
    const { subject } = callersToken(token);
    subject.ask(10);
    token.value = 'a\r\nX-Smuggled: 1';
    expect(() => subject.ask(10)).toThrow('a token must be printable ASCII');
  });

  it('is waited for where it is a promise', async () => {
    const { subject, clock } = callersToken(Promise.resolve('a'));
    expect(await clock.run(Promise.resolve(subject.ask(10)))).toEqual({ value: 'a' });
    expect(subject.last).toEqual({ value: 'a' });
    expect(clock.pending).toBe(0);
  });

  it('is not waited for longer than it may take', async () => {
    const { subject, clock } = callersToken(new Promise(() => {}));
    const error = await clock.run(rejectionOf(Promise.resolve(subject.ask(1_500.4))));
    expect(error).toBeInstanceOf(TokenRefreshError);
    expect(error).toMatchObject({ message: expect.stringContaining('auth.token did not answer within 1500 ms') });
    expect(clock.elapsedMs).toBeGreaterThanOrEqual(1_500.4);
  });

  it('is not waited for where the credentials are closed: that is the error', async () => {
    const { subject, life } = callersToken(new Promise(() => {}));
    const asked = rejectionOf(Promise.resolve(subject.ask(10)));
    const over = new TokenRefreshError('closed', undefined);
    life.end(over);
    expect(await asked).toBe(over);
  });

  it.each<[string, () => unknown, unknown]>([
    ['a token', () => 'a', { value: 'a' }],
    ['what is none', () => 7, undefined],
    ['a promise that is rejected', () => Promise.reject(new Error('no')), undefined],
  ])('may be asked so that an error is no token: of %s', async (_, given, token) => {
    expect(await callersToken(given()).subject.askIfPossible(10)).toEqual(token);
  });
});

it('a session in cookies has a token that is never written, and is never asked for', () => {
  const subject = new CallerToken({ key: '' }, undefined, { clock: new ManualClock(), life: new Life() }, () => {});
  expect([subject.last, subject.ask(10)]).toEqual([SESSION, SESSION]);
  expect(SESSION).toEqual({ value: '' });
  expect(Object.isFrozen(SESSION)).toBe(true);
});
