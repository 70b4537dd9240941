import { afterEach, describe, expect, it, vi } from 'vitest';
import { acrossCopies } from '../../lib/call/across-copies.ts';

const HOLDER = Symbol.for('axios-holdfast');
const name = 'a name of this spec';

describe(acrossCopies.name, () => {
  afterEach(() => {
    (globalThis as { [HOLDER]?: Map<string, unknown> })[HOLDER]?.delete(name);
  });

  it('makes a thing once for all copies, under its name, where every copy looks for it', async () => {
    const make = vi.fn(() => ({}));
    const made = acrossCopies(name, make);
    vi.resetModules();
    const copy = await import('../../lib/call/across-copies.ts');
    expect(copy.acrossCopies).not.toBe(acrossCopies);
    expect(copy.acrossCopies(name, make)).toBe(made);
    expect(make).toHaveBeenCalledTimes(1);
    expect((globalThis as { [HOLDER]?: Map<string, unknown> })[HOLDER]?.get(name)).toBe(made);
    expect(acrossCopies(`${name}, of another version`, () => 1)).toBe(1);
  });

  it('keeps what was made before it was first asked', () => {
    const holder = (globalThis as { [HOLDER]?: Map<string, unknown> })[HOLDER];
    acrossCopies(name, () => 1);
    expect((globalThis as { [HOLDER]?: Map<string, unknown> })[HOLDER]).toBe(holder);
  });
});
