import { describe, expect, it } from 'vitest';
import { isReentrant, trackReentrancy } from '../../lib/call/reentrancy.ts';
import { settle } from '../support/manual-clock.ts';

const owner = {};
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe(trackReentrancy.name, () => {
  it('holds throughout what is done, however often it waits, and no longer', async () => {
    const held: boolean[] = [];
    const note = () => held.push(isReentrant(owner));
    note();
    await trackReentrancy(owner, async () => {
      note();
      await turn();
      note();
      await Promise.resolve().then(note);
    });
    note();
    expect(held).toEqual([false, true, true, true, false]);
  });

  it('holds for what is done at once, and no longer', () => {
    const later: boolean[] = [];
    expect(trackReentrancy(owner, () => isReentrant(owner))).toBe(true);
    expect(isReentrant(owner)).toBe(false);
    const thrown = new Error('refused');
    const failing = () => {
      later.push(isReentrant(owner));
      throw thrown;
    };
    expect(() => trackReentrancy(owner, failing)).toThrow(thrown);
    expect([...later, isReentrant(owner)]).toEqual([true, false]);
  });

  it('gives what is given, and throws what is thrown', async () => {
    expect(await trackReentrancy(owner, async () => 'token')).toBe('token');
    const thrown = new Error('refused');
    await expect(
      trackReentrancy(owner, async () => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect(isReentrant(owner)).toBe(false);
  });

  it('is about one owner and one of its keys', async () => {
    await trackReentrancy(
      owner,
      async () => {
        expect(isReentrant(owner, 'tenant')).toBe(true);
        expect(isReentrant(owner, 'another')).toBe(false);
        expect(isReentrant(owner)).toBe(false);
        expect(isReentrant({}, 'tenant')).toBe(false);
      },
      'tenant',
    );
  });

  it('knows what lies further out, and forgets the inner when it is over', async () => {
    const inner = {};
    await trackReentrancy(owner, async () => {
      await trackReentrancy(inner, async () => {
        expect([isReentrant(owner), isReentrant(inner)]).toEqual([true, true]);
      });
      expect([isReentrant(owner), isReentrant(inner)]).toEqual([true, false]);
    });
  });

  it('does not hold for others at the same time', async () => {
    let finish = () => {};
    const long = trackReentrancy(owner, () => new Promise<void>((resolve) => (finish = resolve)));
    expect(isReentrant(owner)).toBe(false);
    await trackReentrancy({}, async () => {
      expect(isReentrant(owner)).toBe(false);
    });
    finish();
    await long;
  });

  it('does not hold any more for what was left running behind', async () => {
    const held: boolean[] = [];
    let left: Promise<unknown> = Promise.resolve();
    // Somebody else is at it all the time, so that the answer does not come from there being nobody.
    let finish = () => {};
    const other = trackReentrancy({}, () => new Promise<void>((resolve) => (finish = resolve)));
    await trackReentrancy(owner, async () => {
      left = turn().then(() => held.push(isReentrant(owner)));
    });
    await left;
    expect(held).toEqual([false]);
    finish();
    await other;
  });

  it('does not hold any more for what was left behind by something that failed', async () => {
    const held: boolean[] = [];
    let left: Promise<unknown> = Promise.resolve();
    const outer = trackReentrancy({}, async () => {
      await trackReentrancy(owner, async () => {
        left = settle().then(() => held.push(isReentrant(owner)));
        throw new Error('refused');
      }).catch(() => {});
      await left;
    });
    await outer;
    expect(held).toEqual([false]);
  });

  it('can be ended early, by what it hands out before it begins', async () => {
    const held: boolean[] = [];
    let end = () => {};
    await trackReentrancy(
      owner,
      async () => {
        held.push(isReentrant(owner));
        end();
        held.push(isReentrant(owner));
      },
      undefined,
      (given) => {
        end = given;
      },
    );
    expect(held).toEqual([true, false]);
  });
});
