import { afterEach, describe, expect, it, vi } from 'vitest';
import { print } from '../../lib/observe/print.ts';
import { warn } from '../../lib/observe/warn.ts';

afterEach(() => vi.unstubAllGlobals());

const LEVELS = ['debug', 'info', 'warn', 'error'] as const;

/** What is printed on each level of the console, by what runs with this `process`. */
function printedWith(process: unknown, run: () => void): string[] {
  const printed: string[] = [];
  vi.stubGlobal('process', process);
  vi.stubGlobal(
    'console',
    Object.fromEntries(LEVELS.map((level) => [level, (line: string) => void printed.push(`${level} ${line}`)])),
  );
  run();
  return printed;
}

const BROWSERS = [undefined, {}, { env: {} }];

describe(print.name, () => {
  it('goes to stderr under Node, whatever the level: stdout may be the output of the program', () => {
    for (const level of ['debug', 'info', 'warn'] as const) {
      expect(printedWith({ emitWarning: () => {} }, () => print(level, 'a line'))).toEqual(['error a line']);
    }
  });

  it.each(BROWSERS)('keeps its level in a browser, also where a bundler puts %o there for `process`', (process) => {
    for (const level of ['debug', 'info', 'warn'] as const) {
      expect(printedWith(process, () => print(level, 'a line'))).toEqual([`${level} a line`]);
    }
  });
});

describe(warn.name, () => {
  it("is Node's event `warning`, which can be listened to", () => {
    const emitWarning = vi.fn();
    expect(printedWith({ emitWarning }, () => warn('HOLDFAST_X', 'what is wrong'))).toEqual([]);
    expect(emitWarning.mock.calls).toEqual([['what is wrong', { type: 'HoldfastWarning', code: 'HOLDFAST_X' }]]);
  });

  it.each(BROWSERS)('is printed with its code in a browser: %o', (process) => {
    expect(printedWith(process, () => warn('HOLDFAST_X', 'what is wrong'))).toEqual(['warn HOLDFAST_X: what is wrong']);
  });
});
