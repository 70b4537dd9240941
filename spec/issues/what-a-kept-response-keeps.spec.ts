import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import axios, { AxiosHeaders } from 'axios';
import { describe, expect, it } from 'vitest';
import { attach, failureOf, reportOf } from '../../lib/index.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const BASE = 'https://api.example.com';

/** A client whose adapter answers from memory. */
function answering(data: unknown, status = 200) {
  const client = axios.create({
    baseURL: BASE,
    adapter: async (config) => ({ status, statusText: '', headers: new AxiosHeaders(), config, data, request: {} }),
  });
  attach(client);
  return client;
}

describe('a response that an application keeps, without its config', () => {
  it('keeps nothing of the body that was sent', async () => {
    const client = answering('{}');
    let isFreed = false;
    const registry = new FinalizationRegistry(() => {
      isFreed = true;
    });
    const kept = await (async () => {
      const body = { order: 'x'.repeat(10_000) };
      registry.register(body, undefined);
      const response = await client.post('/orders?secret=1', body, { transformRequest: (data) => data });
      Reflect.deleteProperty(response, 'config');
      return response;
    })();
    for (let n = 0; n < 100 && !isFreed; n++) {
      collect();
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(isFreed).toBe(true);
    expect(reportOf(kept)).toMatchObject({ method: 'POST', url: `${BASE}/orders`, endedBecause: 'success' });
  });

  it('still explains what axios then fails to make of its body', async () => {
    const client = answering('{');
    const error = await client
      .get('/orders', {
        responseType: 'json',
        transitional: { silentJSONParsing: false },
        headers: { Authorization: 'Bearer s3cr3t-s3cr3t' },
      })
      .catch((error: unknown) => error);
    const failure = failureOf(error);
    expect(failure?.sends).toBe(1);
    expect(failure?.summary).toContain('GET /orders');
    expect(failure?.summary).not.toContain('s3cr3t');
  });
});
