import { PassThrough } from 'node:stream';
import { AxiosError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { isOwnBodyError, noteOwnBodyError } from '../../lib/failure/own-body.ts';

const failed = (cause: Error, data?: unknown) =>
  AxiosError.from(cause, undefined, { data } as InternalAxiosRequestConfig);

/** A stream that broke off with an error. */
function broken(error?: Error) {
  const stream = new PassThrough().on('error', () => {});
  stream.destroy(error);
  return stream;
}

describe(isOwnBodyError.name, () => {
  it('holds for the very error of the body, wrapped or not', () => {
    const error = new Error('no more rows');
    expect(isOwnBodyError(failed(error, broken(error)))).toBe(true);
    expect(isOwnBodyError(Object.assign(error, { config: { data: broken(error) } }))).toBe(true);
  });

  it('does not hold for an error like it', () => {
    expect(isOwnBodyError(failed(new Error('reset'), broken(new Error('reset'))))).toBe(false);
  });

  it('holds for a body that ended before its end, not for an answer that did', () => {
    const premature = Object.assign(new Error('Premature close'), { code: 'ERR_STREAM_PREMATURE_CLOSE' });
    expect(isOwnBodyError(failed(premature, broken()))).toBe(true);
    expect(isOwnBodyError(failed(premature, new PassThrough()))).toBe(false);
    expect(isOwnBodyError(failed(new Error('reset'), broken()))).toBe(false);
  });

  it('remembers a body that is not on the config any more', () => {
    const [cause, other] = [new Error('no more rows'), new Error('reset')];
    const [own, lost] = [failed(cause), failed(other)];
    noteOwnBodyError(own, broken(cause));
    noteOwnBodyError(lost, broken(cause));
    expect([own, lost].map(isOwnBodyError)).toEqual([true, false]);
  });

  it.each([undefined, null, 'x', 7, {}, { config: null }, { config: { data: 'x' } }])(
    'does not hold for %j',
    (thrown) => {
      noteOwnBodyError(thrown, broken(new Error('x')));
      expect(isOwnBodyError(thrown)).toBe(false);
    },
  );
});
