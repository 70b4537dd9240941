import { AxiosError, AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import { restoreConfig } from '../../lib/send/restore-config.ts';

const own: InternalAxiosRequestConfig = { url: '/own', headers: new AxiosHeaders() };
const sent: InternalAxiosRequestConfig = { url: '/sent', headers: new AxiosHeaders() };
const answer = (): AxiosResponse => ({ status: 503, statusText: '', headers: {}, data: '', config: sent });

describe(restoreConfig.name, () => {
  it("gives a response the caller's own config", () => {
    const response = answer();
    restoreConfig({ response }, own);
    expect(response.config).toBe(own);
  });

  it('gives it to an error and to its response', () => {
    const error = new AxiosError('no', 'ERR_BAD_RESPONSE', sent, {}, answer());
    restoreConfig({ error }, own);
    expect(error.config).toBe(own);
    expect(error.response?.config).toBe(own);
  });

  it('gives none to what came without one', () => {
    const response = answer();
    const error = Object.assign(new Error('mine'), { response });
    restoreConfig({ error }, own);
    expect(error).not.toHaveProperty('config');
    expect(response.config).toBe(sent);
  });

  it.each(['no', 7, null, undefined, true, Object.freeze(new AxiosError('no', 'E', sent))])('bears %s', (error) => {
    expect(() => restoreConfig({ error }, own)).not.toThrow();
  });

  it('leaves what is frozen as it is', () => {
    const response = Object.freeze(answer());
    restoreConfig({ response }, own);
    expect(response.config).toBe(sent);
  });
});
