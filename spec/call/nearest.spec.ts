import { describe, expect, it } from 'vitest';
import { nearest } from '../../lib/call/nearest.ts';

const KNOWN = ['maxRetries', 'retryAfter', 'retry', 'log', 'on', 'finished'];

describe(nearest.name, () => {
  it.each([
    ['maxRetrys', 'maxRetries'],
    ['MAXRETRIES', 'maxRetries'],
    ['logs', 'log'],
    ['lgo', 'log'],
    ['o', 'on'],
    ['an', 'on'],
    ['retry_', 'retry'],
    ['retrya', 'retryAfter'],
    ['finishd', 'finished'],
  ])('%s may be meant for %s', (written, known) => {
    expect(nearest(written, KNOWN)).toBe(known);
  });

  it('takes the only name that begins so, from four letters on', () => {
    expect(nearest('fini', KNOWN)).toBe('finished');
    expect(nearest('fin', KNOWN)).not.toBe('finished');
    // Two begin so: then the nearer one.
    expect(nearest('retr', KNOWN)).toBe('retry');
  });

  it.each(['timeout', 'xyz', 'colour', ''])('%j may be meant for nothing there is', (written) => {
    expect(nearest(written, ['maxRetries', 'finished'])).toBeUndefined();
  });

  it('allows for a third of the letters and one more', () => {
    expect(nearest('abcxyz', ['abcdef'])).toBe('abcdef');
    expect(nearest('abwxyz', ['abcdef'])).toBeUndefined();
    expect(nearest('anything', [])).toBeUndefined();
  });
});
