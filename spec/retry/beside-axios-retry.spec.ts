import { AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import { noticeAxiosRetry } from '../../lib/retry/beside-axios-retry.ts';

const configOf = (state?: object): InternalAxiosRequestConfig =>
  ({ headers: new AxiosHeaders(), ...(state && { 'axios-retry': state }) }) as InternalAxiosRequestConfig;

describe(noticeAxiosRetry.name, () => {
  it('warns once for an attachment whose calls axios-retry retries too', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const [one, other] = [{}, {}];
    const config = configOf({ retryCount: 0, retries: 3 });
    for (const attachment of [one, one, other]) noticeAxiosRetry(attachment, config);
    expect(warned).toHaveBeenCalledTimes(2);
    expect(warned).toHaveBeenCalledWith(
      'axios-retry is registered on an instance that holdfast is attached to: their sends multiply (3 retries each are up to 16 sends). Take one of them off.',
      { type: 'HoldfastWarning', code: 'HOLDFAST_AXIOS_RETRY' },
    );
  });

  it('tells of options for an axios-retry that is not there, once', () => {
    const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    for (const retries of [5, 0]) noticeAxiosRetry({}, configOf({ retries }));
    expect(warned.mock.calls.map(([message]) => message)).toEqual([
      "a call has options for axios-retry (config['axios-retry']), which is not on this instance: they do nothing. Write config.holdfast = { retry: { maxRetries: 5 } }.",
    ]);
  });

  it.each([undefined, {}, { retryCount: 0 }, { retryCount: 0, retries: 0 }, { retryCount: '0', retries: 3 }])(
    'does not for what merely stands in a config: %j',
    (state) => {
      const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
      noticeAxiosRetry({}, configOf(state));
      expect(warned).not.toHaveBeenCalled();
    },
  );
});
