import { describe, expect, it } from 'vitest';
import { isWithin, within } from '../../lib/call/reentrancy.ts';
import { settle } from '../support/manual-clock.ts';

const owner = {};
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe(within.name, () => {
  it('holds throughout what is done, however often it waits, and no longer', async () => {
    const held: boolean[] = [];
    const note = () => held.push(isWithin(owner));
    note();
    await within(owner, async () => {
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
    expect(within(owner, () => isWithin(owner))).toBe(true);
    expect(isWithin(owner)).toBe(false);
    const thrown = new Error('refused');
    const failing = () => {
      later.push(isWithin(owner));
      throw thrown;
    };
    expect(() => within(owner, failing)).toThrow(thrown);
    expect([...later, isWithin(owner)]).toEqual([true, false]);
  });

  it('gives what is given, and throws what is thrown', async () => {
    expect(await within(owner, async () => 'token')).toBe('token');
    const thrown = new Error('refused');
    await expect(
      within(owner, async () => {
        throw thrown;
      }),
    ).rejects.toBe(thrown);
    expect(isWithin(owner)).toBe(false);
  });

  it('is about one owner and one of its keys', async () => {
    await within(
      owner,
      async () => {
        expect(isWithin(owner, 'tenant')).toBe(true);
        expect(isWithin(owner, 'another')).toBe(false);
        expect(isWithin(owner)).toBe(false);
        expect(isWithin({}, 'tenant')).toBe(false);
      },
      'tenant',
    );
  });

  it('knows what lies further out, and forgets the inner when it is over', async () => {
    const inner = {};
    await within(owner, async () => {
      await within(inner, async () => {
        expect([isWithin(owner), isWithin(inner)]).toEqual([true, true]);
      });
      expect([isWithin(owner), isWithin(inner)]).toEqual([true, false]);
    });
  });

  it('does not hold for others at the same time', async () => {
    let finish = () => {};
    const long = within(owner, () => new Promise<void>((resolve) => (finish = resolve)));
    expect(isWithin(owner)).toBe(false);
    await within({}, async () => {
      expect(isWithin(owner)).toBe(false);
    });
    finish();
    await long;
  });

  it('does not hold any more for what was left running behind', async () => {
    const held: boolean[] = [];
    let left: Promise<unknown> = Promise.resolve();
    // Somebody else is at it all the time, so that the answer does not come from there being nobody.
    let finish = () => {};
    const other = within({}, () => new Promise<void>((resolve) => (finish = resolve)));
    await within(owner, async () => {
      left = turn().then(() => held.push(isWithin(owner)));
    });
    await left;
    expect(held).toEqual([false]);
    finish();
    await other;
  });

  it('does not hold any more for what was left behind by something that failed', async () => {
    const held: boolean[] = [];
    let left: Promise<unknown> = Promise.resolve();
    const outer = within({}, async () => {
      await within(owner, async () => {
        left = settle().then(() => held.push(isWithin(owner)));
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
    await within(
      owner,
      async () => {
        held.push(isWithin(owner));
        end();
        held.push(isWithin(owner));
      },
      undefined,
      (given) => {
        end = given;
      },
    );
    expect(held).toEqual([true, false]);
  });
});
