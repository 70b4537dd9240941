import { AxiosError, type AxiosResponse, CanceledError } from 'axios';
import { describe, expect, it } from 'vitest';
import { isRetryable } from '../../lib/classify/is-retryable.ts';

const answered = (status: unknown) => ({ response: { status } as AxiosResponse });

describe(isRetryable.name, () => {
  it.each([408, 421, 425, 429, 502, 503, 504])('holds for a %i, wherever the client keeps the status', (status) => {
    expect(isRetryable(Object.assign(new AxiosError('no'), answered(status)))).toBe(true);
    expect(isRetryable({ status })).toBe(true);
    expect(isRetryable({ httpCode: status })).toBe(true);
  });

  it.each([200, 400, 401, 403, 404, 500])('does not hold for a %i, wherever the client keeps the status', (status) => {
    expect(isRetryable(Object.assign(new AxiosError('no'), answered(status)))).toBe(false);
    expect(isRetryable({ status })).toBe(false);
    expect(isRetryable({ httpCode: status })).toBe(false);
  });

  it('goes by the status before the code, and by the answer before what the error says itself', () => {
    expect(isRetryable({ code: 'ECONNRESET', ...answered(400) })).toBe(false);
    expect(isRetryable({ status: 503, ...answered(400) })).toBe(false);
    expect(isRetryable({ httpCode: 400, status: 503 })).toBe(true);
  });

  it.each([undefined, null, '503', {}])('goes by the code where the status is none: %j', (status) => {
    expect(isRetryable({ code: 'ECONNRESET', ...answered(status) })).toBe(true);
    expect(isRetryable({ code: 'ERR_BAD_REQUEST', ...answered(status) })).toBe(false);
  });

  it('holds for errors of the network that may pass', () => {
    expect(isRetryable({ code: 'ECONNREFUSED' })).toBe(true);
    expect(isRetryable(new TypeError('fetch failed', { cause: { code: 'UND_ERR_SOCKET' } }))).toBe(true);
    expect(isRetryable(new TypeError('fetch failed'))).toBe(true);
    expect(isRetryable({ code: 'EPROTO' })).toBe(false);
  });

  it('does not hold for a file that is missing, or a bug', () => {
    expect(isRetryable({ code: 'ENOENT', syscall: 'open' })).toBe(false);
    expect(isRetryable(new TypeError('token is undefined'))).toBe(false);
  });

  it('does not hold for what was cancelled, or is no error of a client', () => {
    expect(isRetryable(new CanceledError('enough'))).toBe(false);
    for (const thrown of [undefined, null, 'invalid_grant', 503, new Error('x'), { response: null }]) {
      expect(isRetryable(thrown)).toBe(false);
    }
  });
});
