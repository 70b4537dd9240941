import axios, { type AxiosInstance } from 'axios';
import { attach, type Policy } from 'axios-holdfast';
import axiosRetry from 'axios-retry';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, onTestFinished, vi } from 'vitest';
import { rejectionOf, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';

const FAST: Policy = { retry: { maxRetries: 1, backoff: () => 0, budget: false } };

describe('axios-retry on the same instance', () => {
  let warnings: MockInstance<typeof process.emitWarning>;
  beforeEach(() => {
    warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  });
  afterEach(() => warnings.mockRestore());

  async function client(answer: Answer) {
    const server = await loopback(answer);
    onTestFinished(() => server.close());
    return { server, client: axios.create({ baseURL: server.url }) };
  }
  const retrying = (instance: AxiosInstance) => axiosRetry(instance, { retries: 1, retryDelay: () => 0 });

  it.each<[string, (instance: AxiosInstance) => void]>([
    [
      'before',
      (instance) => {
        retrying(instance);
        attach(instance, FAST);
      },
    ],
    [
      'after',
      (instance) => {
        attach(instance, FAST);
        retrying(instance);
      },
    ],
  ])('registered %s us is warned about, once, by the first answer that is no success', async (_, both) => {
    const { server, client: instance } = await client(status(503));
    both(instance);
    await rejectionOf(instance.get('/'));
    await rejectionOf(instance.get('/'));
    expect(server.seen).toHaveLength(8);
    expect(warnings.mock.calls).toEqual([
      [
        expect.stringMatching(/^axios-retry is registered on an instance that holdfast is attached to: .*multiply/),
        { type: 'HoldfastWarning', code: 'HOLDFAST_AXIOS_RETRY' },
      ],
    ]);
  });

  it('each attachment warns for itself', async () => {
    for (let n = 0; n < 2; n++) {
      const { client: instance } = await client(status(503));
      retrying(instance);
      attach(instance, FAST);
      await rejectionOf(instance.get('/'));
    }
    expect(warnings).toHaveBeenCalledTimes(2);
  });

  it('warns nobody of a success, nor where one of the two is turned off', async () => {
    const well = await client(status(200));
    retrying(well.client);
    attach(well.client, FAST);
    await well.client.get('/');

    const { client: instance } = await client(status(503));
    retrying(instance);
    attach(instance, FAST);
    await rejectionOf(instance.get('/', { 'axios-retry': { retries: 0 } }));
    await rejectionOf(instance.get('/', { holdfast: false }));
    await rejectionOf(instance.get('/', { holdfast: { retry: false } }));
    expect(warnings).not.toHaveBeenCalled();
  });

  it('says of an option that is left over from it, once, that it does nothing, and not that sends multiply', async () => {
    const { client: instance } = await client(status(503));
    attach(instance, FAST);
    for (const retries of [3, 5]) await rejectionOf(instance.get('/', { 'axios-retry': { retries } }));
    expect(warnings).toHaveBeenCalledTimes(1);
    expect(warnings).toHaveBeenCalledWith(expect.stringContaining('they do nothing'), expect.anything());
  });

  it('warns on the console where there is no process', async () => {
    const spoken = vi.spyOn(console, 'warn').mockImplementation(() => {});
    onTestFinished(() => spoken.mockRestore());
    const { emitWarning } = process;
    onTestFinished(() => void Object.assign(process, { emitWarning }));
    Object.assign(process, { emitWarning: undefined });
    const { client: instance } = await client(status(503));
    retrying(instance);
    attach(instance, FAST);
    await rejectionOf(instance.get('/'));
    expect(spoken.mock.calls).toEqual([[expect.stringMatching(/^HOLDFAST_AXIOS_RETRY: axios-retry is registered/)]]);
  });
});
