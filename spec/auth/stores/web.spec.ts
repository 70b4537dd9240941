import { webTokenStore } from 'axios-holdfast/web';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { settle } from '../../support/manual-clock.ts';

describe(webTokenStore, () => {
  it.each([undefined, '', 1, null])('refuses the key %j', (key) => {
    expect(() => webTokenStore({ key: key as string })).toThrow(new TypeError('key must be a non-empty string'));
  });

  it('shares a refresh with the other pages of the origin, by a lock and by messages', async () => {
    const held = new Map<string, Promise<unknown>>();
    const request = async (name: string, options: LockOptions, run: (lock: unknown) => unknown) => {
      if (options.ifAvailable && held.has(name)) return run(null);
      const turn = Promise.resolve(held.get(name)).then(() => run({ name }));
      held.set(name, turn);
      return turn.finally(() => held.get(name) === turn && held.delete(name));
    };
    const heard: string[] = [];
    vi.stubGlobal('navigator', { locks: { request } });
    vi.stubGlobal('addEventListener', (name: string) => heard.push(name));
    vi.stubGlobal('document', { addEventListener: (name: string) => heard.push(name) });
    onTestFinished(() => void vi.unstubAllGlobals());
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const [one, two] = [webTokenStore({ key: 'shared' }), webTokenStore({ key: 'shared' })];
    const token = { value: 'old' };
    const refreshed = await Promise.all([
      one.refresh('', 0, async () => ({ value: 'one' }), { token }),
      two.refresh('', 0, async () => ({ value: 'two' }), { token }),
    ]);
    expect(refreshed).toEqual([
      { value: 'one', generation: 1 },
      { value: 'one', generation: 1 },
    ]);
    expect(new Set(heard)).toEqual(new Set(['pageshow', 'resume']));
    expect(warned).not.toHaveBeenCalled();
  });

  it('is a store of one tab where there are no Web Locks, and warns of it once', async () => {
    vi.stubGlobal('navigator', {});
    onTestFinished(() => void vi.unstubAllGlobals());
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const [one, two] = [webTokenStore({ key: 'app' }), webTokenStore({ key: 'app' })];
    expect(await one.refresh('', 0, async () => ({ value: 'one' }))).toEqual({ value: 'one', generation: 1 });
    expect(await two.refresh('', 0, async () => ({ value: 'two' }))).toEqual({ value: 'two', generation: 1 });
    await settle();
    expect(warned).toHaveBeenCalledExactlyOnceWith(expect.stringMatching(/secure context/), {
      type: 'HoldfastWarning',
      code: 'HOLDFAST_TABS',
    });
  });
});
