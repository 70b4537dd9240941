import { afterEach, describe, expect, it, vi } from 'vitest';
import { isDebugging } from '../../lib/observe/debugging.ts';

afterEach(() => vi.unstubAllEnvs());

describe(isDebugging.name, () => {
  it.each<[string | undefined, boolean]>([
    [undefined, false],
    ['', false],
    ['holdfast', true],
    ['HoldFast', true],
    ['http,holdfast,net', true],
    ['hold*', true],
    ['*', true],
    ['http*', false],
    ['holdfaster', false],
    ['hold.ast', false],
    ['holdf.ast', false],
    ['(', false],
    [' holdfast', false],
  ])('reads NODE_DEBUG=%s as Node does', (value, debugs) => {
    vi.stubEnv('NODE_DEBUG', value);
    expect(isDebugging()).toBe(debugs);
  });

  it.each([undefined, {}, { env: { NODE_DEBUG: 7 } }])('is not where there is no such environment: %o', (process) => {
    vi.stubGlobal('process', process);
    try {
      expect(isDebugging()).toBe(false);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  it('is not where the environment may not be read', () => {
    vi.stubGlobal('process', {
      get env(): never {
        throw new Error('no permission');
      },
    });
    try {
      expect(isDebugging()).toBe(false);
    } finally {
      vi.unstubAllGlobals();
    }
  });
});
