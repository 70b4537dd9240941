import axios, { type AxiosError, type AxiosInstance, type CreateAxiosDefaults, isAxiosError } from 'axios';
import ours, * as ourNames from 'axios-holdfast/axios-retry';
import real, * as realNames from 'axios-retry';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, json, type Loopback, loopback } from '../support/loopback.ts';

const reset: Answer = (_request, response) => void response.destroy();
const namespace = 'axios-retry';

/** What holds of axios-retry and of the drop-in alike: every test runs over both. */
describe.each([
  ['axios-retry', real, realNames],
  ['axios-holdfast/axios-retry', ours, ourNames],
])('%s', (_name, axiosRetry, names) => {
  async function retrying(
    answer: Answer,
    options?: Parameters<typeof axiosRetry>[1],
    defaults: CreateAxiosDefaults = {},
  ): Promise<{ server: Loopback; client: AxiosInstance; ids: ReturnType<typeof axiosRetry> }> {
    const server = await loopback(answer);
    onTestFinished(() => server.close());
    const client = axios.create({ baseURL: server.url, ...defaults });
    return { server, client, ids: axiosRetry(client, options) };
  }
  const yes = () => true;

  describe('its names', () => {
    it('are these', () => {
      expect(Object.keys(names).sort()).toEqual(Object.keys(realNames).sort());
      expect(Object.keys(axiosRetry).sort()).toEqual(Object.keys(real).sort());
    });

    it('are the same functions on the default export and beside it', () => {
      for (const name of Object.keys(real) as (keyof typeof real)[]) expect(axiosRetry[name]).toBe(names[name]);
    });
  });

  describe('retries', () => {
    it('are three by default, and at once, of a GET that is answered 5xx or 429', async () => {
      for (const code of [500, 503, 429]) {
        const { client, server } = await retrying(status(code));
        const error = await axiosErrorOf(client.get('/'));
        expect([error.response?.status, server.seen.length]).toEqual([code, 4]);
      }
    });

    it.each([
      ['a 404', 'get', status(404)],
      ['a POST that is answered 503', 'post', status(503)],
      ['a PATCH that is answered 429', 'patch', status(429)],
    ] as const)('are none of %s, by default', async (_, method, answer) => {
      const { client, server } = await retrying(answer);
      await axiosErrorOf(client.request({ method, url: '/' }));
      expect(server.seen).toHaveLength(1);
    });

    it.each(['get', 'head', 'options', 'put', 'delete'])(
      'are made of a %s whose connection is lost',
      async (method) => {
        const { client, server } = await retrying(inTurn(reset, status(200)));
        expect((await client.request({ method, url: '/' })).status).toBe(200);
        expect(server.seen).toHaveLength(2);
      },
    );

    it('are not made after a timeout, by default', async () => {
      const { client, server } = await retrying(() => {}, {});
      expect((await axiosErrorOf(client.get('/', { timeout: 500 }))).code).toBe('ECONNABORTED');
      expect(server.seen).toHaveLength(1);
    });

    it.each([0, -1])('are none with %i', async (retries) => {
      const retryCondition = vi.fn(yes);
      const { client, server } = await retrying(status(503), { retries, retryCondition });
      await axiosErrorOf(client.get('/'));
      expect([server.seen.length, retryCondition.mock.calls.length]).toEqual([1, 0]);
    });

    it('send the same body, which `transformRequest` has made once', async () => {
      const transformRequest = vi.fn((data: unknown) => JSON.stringify(data));
      const { client, server } = await retrying(inTurn(status(503), status(200)), { retryCondition: yes });
      await client.post('/', { a: 'b' }, { transformRequest: [transformRequest] });
      expect(server.seen.map(({ body }) => String(body))).toEqual(['{"a":"b"}', '{"a":"b"}']);
      expect(transformRequest).toHaveBeenCalledTimes(1);
    });

    it('send the headers and the query of the first again, what an interceptor wrote too (axios-retry#218)', async () => {
      const { client, server } = await retrying(inTurn(status(503), reset, status(200)));
      client.interceptors.request.use((config) => {
        config.headers.set('X-Tenant', 'acme');
        return config;
      });
      await client.get('/x', { params: { page: 2 }, headers: { Authorization: 'Basic example' } });
      const sent = server.seen.map(({ url, headers }) => [url, headers.authorization, headers['x-tenant']]);
      expect(sent).toEqual(Array(3).fill(['/x?page=2', 'Basic example', 'acme']));
    });

    it('give the answer of the send that did well, with its body (axios-retry#311)', async () => {
      const { client } = await retrying(inTurn(status(500), status(200, {}, { data: 'success' })), { retries: 1 });
      const { status: code, data } = await client.get('/');
      expect([code, data]).toEqual([200, { data: 'success' }]);
    });

    it('end with the last error', async () => {
      const { client } = await retrying(inTurn(reset, status(503)), { retries: 1 });
      expect((await axiosErrorOf(client.get('/'))).response?.status).toBe(503);
    });
  });

  describe('a condition', () => {
    it('is given the AxiosError, with the body as an interceptor sees it', async () => {
      const retryCondition = vi.fn((_error: AxiosError) => false);
      const { client } = await retrying(status(503, {}, { code: 'BUSY' }), { retryCondition });
      const error = await axiosErrorOf(client.get('/'));
      expect(retryCondition.mock.calls).toEqual([[error]]);
      expect(retryCondition.mock.calls[0]?.[0].response?.data).toEqual({ code: 'BUSY' });
      expect(error.response?.data).toEqual({ code: 'BUSY' });
    });

    it.each<[string, () => unknown, number]>([
      ['true', () => true, 2],
      ['a text', () => 'yes', 2],
      ['nothing', () => undefined, 1],
      ['a promise of true', async () => true, 2],
      ['a promise of nothing', async () => undefined, 2],
      ['a promise of false', async () => false, 1],
      ['a promise that is rejected', () => Promise.reject(new Error('no')), 1],
    ])('that gives %s', async (_, retryCondition, sends) => {
      const { client, server } = await retrying(status(400), {
        retries: 1,
        retryCondition: retryCondition as () => boolean,
      });
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(sends);
    });

    it('that throws rejects the call with that', async () => {
      const mine = new Error('mine');
      const retryCondition = () => {
        throw mine;
      };
      const { client } = await retrying(status(503), { retryCondition });
      expect(await rejectionOf(client.get('/'))).toBe(mine);
    });

    it('decides also of a POST that may have been applied', async () => {
      const { client, server } = await retrying(inTurn(reset, status(502), status(200)), { retryCondition: yes });
      await client.post('/', {});
      expect(server.seen).toHaveLength(3);
    });

    it('is not asked of what `validateStatus` lets through', async () => {
      const retryCondition = vi.fn(yes);
      const { client, server } = await retrying(status(503), { retryCondition }, { validateStatus: () => true });
      expect((await client.get('/')).status).toBe(503);
      expect([server.seen.length, retryCondition.mock.calls.length]).toEqual([1, 0]);
    });

    it('is not asked of an error without a config', async () => {
      const retryCondition = vi.fn(yes);
      const lost = new Error('lost');
      const { client } = await retrying(status(200), { retryCondition }, { adapter: () => Promise.reject(lost) });
      expect(await rejectionOf(client.get('/'))).toBe(lost);
      expect(retryCondition).not.toHaveBeenCalled();
    });
  });

  describe('a delay', () => {
    it('is asked for each retry, by its number and the error', async () => {
      const retryDelay = vi.fn((_n: number, _error: AxiosError) => 1);
      const { client } = await retrying(inTurn(status(503), reset, status(200)), { retryDelay });
      await client.get('/');
      expect(retryDelay.mock.calls.map(([n, error]) => [n, error.response?.status ?? error.code])).toEqual([
        [1, 503],
        [2, 'ECONNRESET'],
      ]);
    });

    it('that has passed is none', async () => {
      const { client, server } = await retrying(status(503), { retryDelay: () => -5_000 });
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(4);
    });

    it('ends with the signal of the call', async () => {
      const controller = new AbortController();
      const onRetry = () => void setTimeout(() => controller.abort(), 20);
      const { client, server } = await retrying(status(503), { retryDelay: () => 3_600_000, onRetry });
      const error = await rejectionOf(client.get('/', { signal: controller.signal }));
      expect([axios.isCancel(error), server.seen.length]).toEqual([true, 1]);
    });
  });

  describe('onRetry', () => {
    it('is told the number, the error and the config, and awaited before the wait', async () => {
      const order: string[] = [];
      const answer: Answer = (_request, response, n) => {
        order.push(`send ${n + 1}`);
        json(response, n === 0 ? 503 : 200);
      };
      const { client } = await retrying(answer, {
        retryDelay: () => 1,
        onRetry: async (n, error, config) => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          order.push(`retry ${n} after ${error.response?.status} of ${config.url}, ${config === error.config}`);
        },
      });
      await client.get('/x');
      expect(order).toEqual(['send 1', 'retry 1 after 503 of /x, true', 'send 2']);
    });

    it('may change what is sent, from then on', async () => {
      const { client, server } = await retrying(inTurn(status(503), status(503), status(200)), {
        onRetry: (n, error, config) => {
          Object.assign(config.headers ?? {}, { 'X-Retry': String(n) });
          if (n === 1 && error.config) error.config.url = '/mirror';
        },
      });
      await client.get('/x');
      expect(server.seen.map(({ url, headers }) => [url, headers['x-retry']])).toEqual([
        ['/x', undefined],
        ['/mirror', '1'],
        ['/mirror', '2'],
      ]);
    });

    it.each([
      [
        'throws',
        () => {
          throw new Error('mine');
        },
      ],
      ['rejects', () => Promise.reject(new Error('mine'))],
    ])('that %s rejects the call with that', async (_, onRetry) => {
      const onMaxRetryTimesExceeded = vi.fn();
      const { client, server } = await retrying(status(503), { retries: 1, onRetry, onMaxRetryTimesExceeded });
      expect(await rejectionOf(client.get('/'))).toMatchObject({ message: 'mine' });
      expect([server.seen.length, onMaxRetryTimesExceeded.mock.calls.length]).toEqual([1, 0]);
    });
  });

  describe('onMaxRetryTimesExceeded', () => {
    it.each([
      [2, 503],
      [0, 503],
      [0, 404],
    ])('is told the error and the count when the retries are used up: of %i, by a %i', async (retries, code) => {
      const onMaxRetryTimesExceeded = vi.fn(async () => {});
      const { client } = await retrying(status(code), { retries, onMaxRetryTimesExceeded });
      const error = await axiosErrorOf(client.get('/'));
      expect(onMaxRetryTimesExceeded.mock.calls).toEqual([[error, retries]]);
    });

    it('is not called of a call whose hook threw the error of another that had used up its own', async () => {
      const onMaxRetryTimesExceeded = vi.fn();
      const { client } = await retrying(status(503), {
        retries: 1,
        onMaxRetryTimesExceeded,
        onRetry: async () => void (await client.get('/token', { [namespace]: { retries: 0 } })),
      });
      const error = await axiosErrorOf(client.get('/'));
      expect(error.config?.url).toBe('/token');
      expect(onMaxRetryTimesExceeded.mock.calls).toEqual([[error, 0]]);
    });

    it('is awaited, and the call rejects with what it throws', async () => {
      const mine = new Error('mine');
      const onMaxRetryTimesExceeded = async () => {
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw mine;
      };
      const { client } = await retrying(status(503), { onMaxRetryTimesExceeded });
      expect(await rejectionOf(client.get('/'))).toBe(mine);
    });

    it('is not called while there are retries left, nor of a success', async () => {
      const onMaxRetryTimesExceeded = vi.fn();
      const { client } = await retrying(inTurn(status(503), status(404), status(503), status(200)), {
        onMaxRetryTimesExceeded,
      });
      await axiosErrorOf(client.get('/'));
      await client.get('/');
      expect(onMaxRetryTimesExceeded).not.toHaveBeenCalled();
    });
  });

  describe('validateResponse', () => {
    const isDone = ({ data }: { data: { state?: string } }) => data.state === 'done';

    it('has an answer that it refuses retried, and rejected in the end', async () => {
      const { client, server } = await retrying(status(200, {}, { state: 'running' }), {
        retries: 1,
        retryCondition: yes,
        validateResponse: isDone,
      });
      const error = await axiosErrorOf(client.get('/'));
      expect([isAxiosError(error), error.response?.status, server.seen.length]).toEqual([true, 200, 2]);
      expect(error.response?.data).toEqual({ state: 'running' });
    });

    it('has what it takes resolved, whatever the status, with the body as ever', async () => {
      const answers = inTurn(status(200, {}, { state: 'running' }), reset, status(503, {}, { state: 'done' }));
      const { client } = await retrying(answers, { retryCondition: yes, validateResponse: isDone });
      const response = await client.get('/');
      expect([response.status, response.data]).toEqual([503, { state: 'done' }]);
    });

    it('of a call takes the place of that of the instance, and null turns it off', async () => {
      const { client, server } = await retrying(status(200, {}, { state: 'running' }), {
        retryCondition: yes,
        validateResponse: isDone,
      });
      expect((await client.get('/', { [namespace]: { validateResponse: null } })).status).toBe(200);
      expect(
        (await client.get('/', { [namespace]: { validateResponse: ({ status }) => status === 200 } })).status,
      ).toBe(200);
      expect(server.seen).toHaveLength(2);
    });
  });

  describe('timeout', () => {
    /** The `timeout` that each retry was left. */
    async function timeouts(options: Parameters<typeof axiosRetry>[1]) {
      const left: unknown[] = [];
      const { client } = await retrying(status(503), {
        retryDelay: () => 100,
        onRetry: (_n, _error, config) => void left.push(config.timeout),
        ...options,
      });
      await axiosErrorOf(client.get('/', { timeout: 60_000 }));
      return left.map(Number);
    }

    it('is shared by all tries, with the waits between them', async () => {
      const [first = 0, second = 0, third = 0] = await timeouts({});
      expect(first).toBeLessThanOrEqual(59_900);
      expect(second).toBeLessThanOrEqual(first - 100);
      expect(third).toBeLessThanOrEqual(second - 100);
      expect(third).toBeGreaterThan(0);
    });

    it('is each try its own where `shouldResetTimeout` says so', async () => {
      expect(await timeouts({ shouldResetTimeout: true })).toEqual([60_000, 60_000, 60_000]);
    });

    it('ends the call before a wait that would pass it', async () => {
      const [onRetry, onMaxRetryTimesExceeded] = [vi.fn(), vi.fn()];
      const { client, server } = await retrying(status(503), {
        retries: 1,
        retryDelay: () => 60_000,
        onRetry,
        onMaxRetryTimesExceeded,
      });
      const error = await axiosErrorOf(client.get('/', { timeout: 30_000 }));
      expect([error.response?.status, server.seen.length, error.config?.[namespace]?.retryCount]).toEqual([503, 1, 1]);
      expect([onRetry.mock.calls.length, onMaxRetryTimesExceeded.mock.calls.length]).toEqual([0, 0]);
    });
  });

  describe("a call's own options", () => {
    it('go before those of the instance, option by option', async () => {
      const { client, server } = await retrying(status(418), { retries: 0, retryCondition: yes });
      await axiosErrorOf(client.get('/', { [namespace]: { retries: 2 } }));
      expect(server.seen).toHaveLength(3);
    });

    it('may stand in the defaults of the instance', async () => {
      const { client, server } = await retrying(status(503), {}, { [namespace]: { retries: 1 } });
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(2);
    });

    it('show how far the call is, on the response, on the error, and to every hook', async () => {
      const counts: unknown[] = [];
      const note = (config: { readonly 'axios-retry'?: { readonly retryCount?: number } } | undefined) =>
        void counts.push(config?.[namespace]?.retryCount);
      const { client } = await retrying(inTurn(status(503), status(503), status(200), status(404)), {
        retries: 2,
        retryCondition: (error) => {
          note(error.config);
          return error.response?.status === 503;
        },
        retryDelay: (_n, error) => {
          note(error.config);
          return 0;
        },
        onRetry: (_n, _error, config) => note(config),
      });
      note((await client.get('/')).config);
      note((await axiosErrorOf(client.get('/'))).config);
      expect(counts).toEqual([0, 1, 1, 1, 2, 2, 2, 0, 0]);
      const { config } = await client.get('/').catch((error: AxiosError) => error);
      expect(config?.[namespace]).toMatchObject({ retries: 2, shouldResetTimeout: false, validateResponse: null });
    });

    it('say when the last try was made', async () => {
      const times: number[] = [];
      const { client } = await retrying(inTurn(status(503), status(503), status(200)), {
        retryDelay: () => 30,
        onRetry: (_n, error) => void times.push(Number(error.config?.[namespace]?.lastRequestTime)),
      });
      const begun = Date.now();
      const { config } = await client.get('/');
      times.push(Number(config[namespace]?.lastRequestTime));
      // Clocks differ by a millisecond or two.
      const [a = 0, b = 0, c = 0] = times;
      expect(a - begun).toBeGreaterThanOrEqual(-2);
      expect(b - a).toBeGreaterThanOrEqual(28);
      expect(c - b).toBeGreaterThanOrEqual(28);
      expect(Date.now() - c).toBeGreaterThanOrEqual(-2);
    });

    it('can be changed under way by a hook', async () => {
      const { client, server } = await retrying(status(503), {
        retries: 1,
        onRetry: (n, _error, config) => {
          const state = config[namespace];
          if (n === 1 && state) state.retries = 2;
        },
      });
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(3);
    });
  });

  describe('the ids that it gives', () => {
    it('end it when both are ejected', async () => {
      const { client, server, ids } = await retrying(status(503));
      client.interceptors.request.eject(ids.requestInterceptorId);
      client.interceptors.response.eject(ids.responseInterceptorId);
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(1);
    });

    it('end it when that of the responses is ejected', async () => {
      const { client, server, ids } = await retrying(status(503));
      client.interceptors.response.eject(ids.responseInterceptorId);
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(1);
    });
  });

  it('works on an agent of the caller', async () => {
    const { Agent } = await import('node:http');
    const httpAgent = new Agent({ keepAlive: true });
    onTestFinished(() => httpAgent.destroy());
    const { client, server } = await retrying(inTurn(reset, status(200)), {}, { httpAgent });
    await client.get('/');
    expect(server.seen).toHaveLength(2);
  });
});
