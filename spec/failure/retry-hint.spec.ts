import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readApiError } from '../../lib/failure/api-error.ts';
import { retryHintMs } from '../../lib/failure/retry-hint.ts';

const hintOf = (message: string): number | undefined => {
  const error = readApiError({ statusCode: 429, message });
  return error && retryHintMs(error);
};

describe(retryHintMs.name, () => {
  it("reads the gateway's sentence", () => {
    expect(hintOf('Rate limit is exceeded. Try again in 57 seconds.')).toBe(57_000);
  });

  it.each([
    ['Rate limit is exceeded. Try again in 1 second.', 1_000],
    ['Rate limit is exceeded. Try again in 0 seconds.', 0],
    ['rate limit is exceeded. try again in 57 seconds', 57_000],
    ['Try again in 3600 seconds.\n', 3_600_000],
  ])('reads %j', (message, ms) => {
    expect(hintOf(message)).toBe(ms);
  });

  it.each([
    'Rate limit is exceeded.',
    'Rate limit is exceeded. Try again in -5 seconds.',
    'Rate limit is exceeded. Try again in 5.7 seconds.',
    'Rate limit is exceeded. Try again in 1e3 seconds.',
    'Rate limit is exceeded. Try again in 0x10 seconds.',
    'Rate limit is exceeded. Try again in  seconds.',
    'Rate limit is exceeded. Try again in 57 minutes.',
    'Rate limit is exceeded. Try again in 57 seconds or never.',
    'Do not Try again in 57 seconds.',
    'Out of call volume quota. Quota will be replenished in 01:23:45.',
  ])('finds no hint in %j', (message) => {
    expect(hintOf(message)).toBeUndefined();
  });

  it('believes nobody but the gateway', () => {
    const message = 'Try again in 57 seconds.';
    for (const body of [
      { error: { code: '429', message } },
      { code: '429', description: message, source: 's' },
      { code: '429', description: message, Source: 's' },
      { status: 429, title: message },
    ]) {
      const error = readApiError(body);
      expect(error && retryHintMs(error)).toBeUndefined();
      expect(error?.message).toBe(message);
    }
  });

  it('bounds what it gives', () => {
    expect(hintOf(`Try again in ${'9'.repeat(400)} seconds.`)).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('gives whole milliseconds or nothing, whatever the message', () => {
    const messages = fc
      .tuple(fc.string(), fc.bigInt(), fc.string())
      .map(([a, n, b]) => `${a}Try again in ${n}${b} seconds.`);
    fc.assert(
      fc.property(messages, (message) => {
        const ms = hintOf(message);
        expect(ms === undefined || (Number.isSafeInteger(ms) && ms >= 0)).toBe(true);
      }),
    );
    for (const piece of ['Try again in ', '. ', 'Try again in 5', '5']) {
      expect(hintOf(piece.repeat(200_000))).toBeUndefined();
    }
  });
});
