import { webTokenStore } from 'axios-holdfast/web';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { settle } from '../../support/manual-clock.ts';

describe(webTokenStore, () => {
  it.each([undefined, '', 1, null])('refuses the key %j', (key) => {
    expect(() => webTokenStore({ key: key as string })).toThrow(new TypeError('key must be a non-empty string'));
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
