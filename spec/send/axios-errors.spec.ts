import { createRequire } from 'node:module';
import axios, { AxiosError, AxiosHeaders, type AxiosInstance, CanceledError } from 'axios';
import old from 'axios-1.7';
import { describe, expect, it } from 'vitest';
import { AxiosErrors } from '../../lib/send/axios-errors.ts';

/** Another copy's typings do not fit this one's. */
const sameTypings = (copy: unknown): typeof axios => copy as typeof axios;

const COPIES = [
  ['our own copy', axios],
  ['axios 1.7', sameTypings(old)],
  ['the CommonJS build of this axios', sameTypings(createRequire(import.meta.url)('axios'))],
] as const;

const configOf = (copy: typeof axios) => ({ url: '/a', headers: new copy.AxiosHeaders() });

describe.each(COPIES)('of %s', (_, copy) => {
  it('an AxiosError has its message, code, config, request and response', async () => {
    const errors = new AxiosErrors(() => copy.create());
    const config = configOf(copy);
    await errors.ready(config);
    const request = {};
    const response = { status: 200, statusText: '', headers: {}, data: 'x', config };
    const error = errors.axiosError('no', 'ERR_BAD_RESPONSE', config, request, response);
    expect(error).toBeInstanceOf(copy.AxiosError);
    expect(Object.getPrototypeOf(error)).toBe(copy.AxiosError.prototype);
    expect(error).toMatchObject({ name: 'AxiosError', message: 'no', code: 'ERR_BAD_RESPONSE', isAxiosError: true });
    expect([error.config, error.request, error.response]).toEqual([config, request, response]);
    expect(errors.axiosError('no', 'ETIMEDOUT', config)).not.toHaveProperty('response', expect.anything());
  });

  it("a CanceledError is axios' own, with the config", async () => {
    const errors = new AxiosErrors(() => copy.create());
    const config = configOf(copy);
    await errors.ready(config);
    const error = errors.canceledError(config);
    expect(error).toBeInstanceOf(copy.CanceledError);
    expect(copy.isCancel(error)).toBe(true);
    expect(error).toMatchObject({ code: 'ERR_CANCELED', message: 'canceled', name: 'CanceledError', config });
  });

  it("is the token's very reason where there is one, so that its message is kept", () => {
    const { token, cancel } = copy.CancelToken.source();
    cancel('enough');
    const error = new AxiosErrors(() => copy.create()).canceledError({ ...configOf(copy), cancelToken: token });
    expect(error).toBe(token.reason);
    expect(error).toMatchObject({ message: 'enough', code: 'ERR_CANCELED' });
  });
});

describe('getting to know another copy', () => {
  const foreign = configOf(sameTypings(old));

  it('is waited for once, by all calls that begin meanwhile', async () => {
    let made = 0;
    const errors = new AxiosErrors(() => {
      made += 1;
      return sameTypings(old).create();
    });
    const first = errors.ready(foreign);
    expect(errors.ready(foreign)).toBe(first);
    await first;
    expect(errors.ready(foreign)).toBeUndefined();
    expect(made).toBe(1);
  });

  it('is none of the business of our own', () => {
    const errors = new AxiosErrors(() => {
      throw new Error('asked');
    });
    expect(errors.ready({ headers: new AxiosHeaders() })).toBeUndefined();
  });

  it.each<[string, () => AxiosInstance]>([
    [
      'cannot make another',
      () => {
        throw new TypeError('create is not a function');
      },
    ],
    ['rejects with something else', () => ({ request: () => Promise.reject(new Error('odd')) }) as never],
    ['answers', () => ({ request: () => Promise.resolve({ status: 200 }) }) as never],
  ])('keeps to our own classes where the instance %s', async (_, bareInstance) => {
    const errors = new AxiosErrors(bareInstance);
    await errors.ready(foreign);
    expect(errors.ready(foreign)).toBeUndefined();
    expect(errors.axiosError('no', 'ETIMEDOUT', foreign)).toBeInstanceOf(AxiosError);
    expect(errors.canceledError(foreign)).toBeInstanceOf(CanceledError);
  });
});
