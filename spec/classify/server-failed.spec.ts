import { AxiosError, type AxiosResponse } from 'axios';
import { describe, expect, it } from 'vitest';
import { serverFailed } from '../../lib/classify/server-failed.ts';

const answer = (status: unknown, data: object = { data: '' }) => ({ status, headers: {}, ...data }) as AxiosResponse;
const rejected = (status: number, data?: object) => {
  const error = new AxiosError('refused', 'ERR_BAD_RESPONSE');
  error.response = answer(status, data);
  return { error };
};

describe(serverFailed.name, () => {
  it.each([200, 202, 304, 400, 401, 404, 408, 429, 499, 501, 505])('says no of a %i', (status) => {
    expect(serverFailed({ response: answer(status) })).toBe(false);
    expect(serverFailed(rejected(status))).toBe(false);
  });

  it.each([500, 502, 503, 504, 506, 507, 520, 529, 599])('says yes of a %i', (status) => {
    expect(serverFailed({ response: answer(status) })).toBe(true);
    expect(serverFailed(rejected(status))).toBe(true);
    expect(serverFailed(rejected(status, {}))).toBe(true);
  });

  it.each(['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'ECONNABORTED', 'ENOTFOUND'])(
    'says yes of no answer: %s',
    (code) => {
      expect(serverFailed({ error: new AxiosError(code, code) })).toBe(true);
    },
  );

  it.each([
    ['a cancelled call', new AxiosError('canceled', 'ERR_CANCELED')],
    ['a wrong URL', new AxiosError('bad', 'ERR_INVALID_URL')],
    ['a bug of the adapter', new TypeError('x is not a function')],
  ])('learns nothing from %s', (_what, error) => {
    expect(serverFailed({ error })).toBeUndefined();
  });

  it('says yes of an answer that began well and broke off', () => {
    const error = new AxiosError('aborted', 'ECONNRESET');
    error.response = answer(200, {});
    expect(serverFailed({ error })).toBe(true);
  });

  it('takes what an adapter resolves for an answer, whatever it looks like', () => {
    expect(serverFailed({ response: answer(undefined) })).toBe(false);
    expect(serverFailed({ response: undefined as unknown as AxiosResponse })).toBe(false);
  });
});
