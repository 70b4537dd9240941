import axios, { type AxiosInstance, type AxiosResponse } from 'axios';
import { attach, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { rejectionOf, status } from '../support/attached.ts';
import { loopback } from '../support/loopback.ts';

/** As axios-cache-interceptor does it: a request interceptor that gives a call that it knows an adapter which answers at once. */
function setupCache(instance: AxiosInstance): void {
  const cache = new Map<string | undefined, AxiosResponse>();
  instance.interceptors.request.use(async (config) => {
    const cached = cache.get(config.url);
    if (cached !== undefined) config.adapter = async () => ({ ...cached, config });
    return config;
  });
  instance.interceptors.response.use((response) => {
    cache.set(response.config.url, response);
    return response;
  });
}

describe('a cache that is set up before attach', () => {
  async function client(policy: Policy, ...steps: readonly ('cache' | 'attach')[]) {
    let code = 200;
    const server = await loopback((request, response, n) => status(code)(request, response, n));
    onTestFinished(() => server.close());
    const instance = axios.create({ baseURL: server.url });
    for (const step of steps) {
      if (step === 'cache') setupCache(instance);
      else attach(instance, policy);
    }
    const goDown = () => {
      code = 503;
    };
    return { server, instance, goDown };
  }
  const ONE: Policy = { limit: { requests: 1, perMs: 60_000, maxWaitMs: 0 } };

  it('answers without a permit', async () => {
    const { server, instance } = await client(ONE, 'cache', 'attach');
    await instance.get('/x');
    const again = await instance.get('/x');
    expect(again.status).toBe(200);
    expect(reportOf(again)).toBeUndefined();
    expect(server.seen).toHaveLength(1);
  });

  it('answers while a circuit is open', async () => {
    const breaker: Policy = { breaker: { minimumThroughput: 1 }, retry: false };
    const { instance, goDown } = await client(breaker, 'cache', 'attach');
    await instance.get('/x');
    goDown();
    for (let n = 0; n < 3; n++) await rejectionOf(instance.get('/y'));
    expect(await rejectionOf(instance.get('/y'))).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
    expect((await instance.get('/x')).status).toBe(200);
  });

  it('and after it, takes one: the order that the documents warn of', async () => {
    const { instance } = await client(ONE, 'attach', 'cache');
    await instance.get('/x');
    expect(await rejectionOf(instance.get('/x'))).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
  });
});
