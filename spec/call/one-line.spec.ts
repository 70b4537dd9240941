import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { oneLine } from '../../lib/call/one-line.ts';

describe(oneLine.name, () => {
  it.each([
    ['  a \t\r\n b\u2028c\u2029d\u00a0e\0f\u0085g  ', 'a b c d e f g'],
    ['\u001b[1;31mred\u001b[0m \u009b2Kline', 'red line'],
    ['\u001b]8;;https://evil.example\u0007link\u001b]8;;\u001b\\', 'link'],
    ['a\u001b]never closed', 'a ]never closed'],
    ['\u202eabc\u202c \u2066d\u2069 \u200be\ufeff', 'abc d e'],
    ['नमस्\u200dते می\u200cخواهم 👩\u200d💻', 'नमस्\u200dते می\u200cخواهم 👩\u200d💻'],
    ['a\ud800b', 'ab'],
    ['cut short\u001b[', 'cut short'],
  ])('makes one line of %j', (text, line) => {
    expect(oneLine(text, 100)).toBe(line);
  });

  it('cuts what is too long and says so', () => {
    expect(oneLine('abcdef', 6)).toBe('abcdef');
    expect(oneLine('abcdef', 5)).toBe('abcd…');
    expect(oneLine('abc def', 5)).toBe('abc…');
    expect(oneLine('abcdef', 1)).toBe('…');
    expect(oneLine('abcdef', Number.POSITIVE_INFINITY)).toBe('abcdef');
  });

  it('has no room for anything below 1', () => {
    for (const maxLength of [0, -1, 0.5, Number.NaN]) expect(oneLine('abcdef', maxLength)).toBe('');
  });

  it('never cuts a surrogate pair in half', () => {
    expect(oneLine('a😀bcd', 3)).toBe('a…');
    expect(oneLine('a😀bcd', 4)).toBe('a😀…');
  });

  it('holds its promises, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, maxLength) => {
        const line = oneLine(text, maxLength);
        expect(line.length).toBeLessThanOrEqual(maxLength);
        expect(line).not.toMatch(/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]| {2}|^ | $/u);
        expect(oneLine(line, maxLength)).toBe(line);
      }),
      { numRuns: 500 },
    );
  });

  it.each([' ', 'a ', '\u001b', '\u001b[', '\u001b[0', '\u001b]', '\u202e'])('reads a megabyte of %j', (piece) => {
    expect(oneLine(piece.repeat(1_000_000 / piece.length), 10).length).toBeLessThanOrEqual(10);
  });
});
