import { describe, expect, it } from 'vitest';
import { codeOf, fieldsOf, isTimeout } from '../../lib/failure/code.ts';

const nested = (depth: number, code: string): object => (depth === 0 ? { code } : { cause: nested(depth - 1, code) });

describe(codeOf.name, () => {
  it('is the error’s own, unless axios hides the network’s behind ERR_NETWORK', () => {
    expect(codeOf({ code: 'ECONNRESET', cause: { code: 'EPIPE' } })).toBe('ECONNRESET');
    expect(codeOf({ code: 'ERR_NETWORK', cause: { code: 'EPIPE' } })).toBe('EPIPE');
    expect(codeOf({ code: 'ERR_NETWORK', cause: {} })).toBe('ERR_NETWORK');
    expect(codeOf({ code: 'ERR_NETWORK' })).toBe('ERR_NETWORK');
  });

  it.each([1, 2, 3])('is looked for %i causes deep', (depth) => {
    expect(codeOf(nested(depth, 'EPIPE'))).toBe('EPIPE');
  });

  it('is not looked for deeper, nor for ever', () => {
    expect(codeOf(nested(4, 'EPIPE'))).toBeUndefined();
    const ring: { cause?: unknown } = {};
    ring.cause = ring;
    expect(codeOf(ring)).toBeUndefined();
  });

  it.each([undefined, null, 'EPIPE', 7, {}, { code: 7 }, { cause: null }, { cause: 'EPIPE' }])(
    'is none in %j',
    (error) => {
      expect(codeOf(error)).toBeUndefined();
    },
  );
});

describe(isTimeout.name, () => {
  it('holds for what ran out of time, under whatever adapter', () => {
    expect(isTimeout({ code: 'ETIMEDOUT' })).toBe(true);
    expect(isTimeout({ code: 'ECONNABORTED', message: 'timeout of 30ms exceeded' })).toBe(true);
    expect(isTimeout({ code: 'ERR_NETWORK', cause: { code: 'ETIMEDOUT' } })).toBe(true);
  });

  it('does not hold for a request that the browser broke off, nor for anything else', () => {
    expect(isTimeout({ code: 'ECONNABORTED', message: 'Request aborted' })).toBe(false);
    for (const error of [{ code: 'ECONNRESET' }, {}, null, undefined]) expect(isTimeout(error)).toBe(false);
  });
});

describe(fieldsOf.name, () => {
  it('gives an object as it is, and nothing of what is none', () => {
    const error = new Error('x');
    expect(fieldsOf(error)).toBe(error);
    for (const thrown of [undefined, null, 'x', 7, () => {}]) expect(fieldsOf(thrown)).toEqual({});
  });
});
