import axios, { type AxiosInstance } from 'axios';
import { attach, failureOf, InvalidPolicyError } from 'axios-holdfast';
import axiosRetry, { DEFAULT_OPTIONS } from 'axios-holdfast/axios-retry';
import realAxiosRetry from 'axios-retry';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { register } from '../../lib/axios-retry/register.ts';
import { axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

async function connect(answer: Answer) {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  return { server, client: axios.create({ baseURL: server.url }) };
}

const handlersOf = ({ interceptors }: AxiosInstance) =>
  [interceptors.request, interceptors.response].map(
    (manager) => (manager as unknown as { handlers: unknown[] }).handlers.filter((handler) => handler !== null).length,
  );

describe('registered once more', () => {
  it('takes the place of the first time: the last options win, and sends do not multiply', async () => {
    const { client, server } = await connect(status(503));
    const first = axiosRetry(client, { retries: 5 });
    axiosRetry(client, { retries: 1 });
    expect(handlersOf(client)).toEqual([1, 1]);
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(2);
    client.interceptors.request.eject(first.requestInterceptorId);
    client.interceptors.response.eject(first.responseInterceptorId);
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(4);
  });

  it('keeps the first where the new options are wrong', async () => {
    const { client, server } = await connect(status(503));
    axiosRetry(client, { retries: 1 });
    expect(() => axiosRetry(client, { retries: Number.NaN })).toThrow(InvalidPolicyError);
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(2);
  });

  it('begins anew after its ids were ejected', async () => {
    const { client, server } = await connect(status(503));
    for (const retries of [5, 1]) {
      const ids = axiosRetry(client, { retries });
      if (retries === 1) break;
      client.interceptors.request.eject(ids.requestInterceptorId);
      client.interceptors.response.eject(ids.responseInterceptorId);
    }
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(2);
  });

  it('is off, and can be registered again, after `clear()`', async () => {
    const { client, server } = await connect(status(503));
    axiosRetry(client);
    client.interceptors.response.clear();
    await axiosErrorOf(client.get('/'));
    client.interceptors.request.clear();
    axiosRetry(client, { retries: 1 });
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(3);
  });
});

describe('beside others', () => {
  it('is refused where a policy is attached, and told where that was', async () => {
    const { client } = await connect(status(200));
    const { detach } = attach(client);
    expect(() => axiosRetry(client)).toThrow(
      /attached .* already \(at .*registration\.spec\.ts:\d+\), and retries by the policy given there/,
    );
    detach();
    expect(axiosRetry(client)).toEqual({
      requestInterceptorId: expect.any(Number),
      responseInterceptorId: expect.any(Number),
    });
  });

  it('has a policy refused, or gives way to one that takes its place', async () => {
    const { client, server } = await connect(status(503));
    axiosRetry(client);
    expect(() => attach(client)).toThrow(/attached .* already \(at .*registration\.spec\.ts:\d+\)/);
    attach(client, { retry: { maxRetries: 1, backoff: () => 0 } }, { replace: true });
    expect(handlersOf(client)).toEqual([1, 0]);
    await axiosErrorOf(client.get('/'));
    expect(server.seen).toHaveLength(2);
  });

  it('is refused where axios-retry is registered', async () => {
    const { client } = await connect(status(200));
    const ids = realAxiosRetry(client);
    expect(() => axiosRetry(client)).toThrow(/axios-retry is registered .* too/);
    client.interceptors.request.eject(ids.requestInterceptorId);
    client.interceptors.response.eject(ids.responseInterceptorId);
    expect(() => axiosRetry(client)).not.toThrow();
  });

  it.each<[string, (config: { lastRequestTime?: number }) => unknown]>([
    ['4.0', (config) => setCurrentState(config)],
    [
      '3',
      (config) => {
        const currentState = config;
        currentState.lastRequestTime = Date.now();
        return config;
      },
    ],
  ])('knows axios-retry %s by its interceptor', async (_, intercept) => {
    const { client } = await connect(status(200));
    client.interceptors.request.use(intercept as never);
    expect(() => axiosRetry(client)).toThrow(/axios-retry is registered/);
  });

  it('does not take for axios-retry what reads its state', async () => {
    const { client } = await connect(status(200));
    client.interceptors.request.use((config) => {
      const age = Date.now() - Number(config['axios-retry']?.lastRequestTime);
      config.headers.set('X-Age', age);
      return config;
    });
    expect(() => axiosRetry(client)).not.toThrow();
  });

  it('refuses each call where axios-retry came after it, and sends nothing', async () => {
    const { client, server } = await connect(status(503));
    axiosRetry(client);
    realAxiosRetry(client);
    expect(await rejectionOf(client.get('/'))).toMatchObject({
      message: expect.stringMatching(/axios-retry is registered/),
    });
    expect(server.seen).toHaveLength(0);
  });

  it('draws no warning that axios-retry is there', async () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { client } = await connect(status(503));
    axiosRetry(client);
    await axiosErrorOf(client.get('/'));
    expect(warnings).not.toHaveBeenCalled();
  });
});

describe('options', () => {
  it('are those of axios-retry, by default', () => {
    expect(DEFAULT_OPTIONS.retries).toBe(3);
  });

  it('that are wrong, or that nobody knows, are refused all at once', () => {
    const wrong = { retries: '3', retryDelay: 100, onRetry: null, validateResponse: 1, retrys: 1, limit: {} };
    const refused = () => axiosRetry(axios.create(), wrong as never);
    expect(refused).toThrow(InvalidPolicyError);
    expect(refused).toThrow(
      /axios-retry\.retries must be a number, got '3'; axios-retry\.retryDelay must be a function, got 100; axios-retry\.onRetry must be a function, got null; axios-retry\.validateResponse must be a function or null, got 1; axios-retry\.retrys is not an option; did you mean retries\?; axios-retry\.limit is not an option; it is an option of attach/,
    );
  });

  it('of a call that are wrong reject that call, and nothing is sent', async () => {
    const { client, server } = await connect(status(200));
    axiosRetry(client);
    const error = await rejectionOf(client.get('/', { 'axios-retry': { retry: 1 } as never }));
    expect(error).toBeInstanceOf(InvalidPolicyError);
    expect(server.seen).toHaveLength(0);
  });

  it('that are undefined are no opinion', async () => {
    const { client, server } = await connect(status(503));
    const nothing: object = { retries: undefined, retryDelay: undefined, onRetry: undefined };
    axiosRetry(client, nothing);
    await axiosErrorOf(client.get('/', { 'axios-retry': nothing }));
    expect(server.seen).toHaveLength(4);
  });

  it('are refused together with what is no instance', () => {
    expect(() => axiosRetry({} as never)).toThrow(/needs an axios instance/);
  });

  it('survive an interceptor that freezes the config', async () => {
    const { client, server } = await connect(inTurn(status(503), status(200)));
    axiosRetry(client);
    client.interceptors.request.use((config) => Object.freeze(config));
    expect((await client.get('/')).status).toBe(200);
    expect(server.seen).toHaveLength(2);
  });

  it('are those of the instance where an interceptor has lost the config, and the count is not lost', async () => {
    const { client, server } = await connect(status(503));
    client.interceptors.request.use(({ 'axios-retry': _, ...config }) => config);
    axiosRetry(client, { retries: 2 });
    const error = await axiosErrorOf(client.get('/'));
    expect([server.seen.length, error.config?.['axios-retry']?.retryCount]).toEqual([3, 2]);
  });

  it('begin a fresh count where the config of a failed call is requested again', async () => {
    const { client, server } = await connect(status(503));
    axiosRetry(client, { retries: 1 });
    const { config } = await axiosErrorOf(client.get('/', { 'axios-retry': { retries: 2 } }));
    const again = await axiosErrorOf(client.request({ ...config }));
    expect([server.seen.length, again.config?.['axios-retry']?.retryCount]).toEqual([6, 2]);
    expect(again.config?.['axios-retry']).not.toBe(config?.['axios-retry']);
  });
});

describe('a failure', () => {
  it.each([
    [503, /503 unavailable, retries exhausted \(maxRetries 3\)/],
    [500, /500 unavailable, retries exhausted \(maxRetries 3\)/],
    [404, /404 rejected, not retryable/],
  ])('is explained: %i', async (code, summary) => {
    const { client } = await connect(status(code));
    axiosRetry(client);
    expect(failureOf(await axiosErrorOf(client.get('/')))?.summary).toMatch(summary);
  });
});

describe('time', () => {
  it('is the clock of the loop: a delay is waited out, and the last try is shown by it', async () => {
    const clock = new ManualClock();
    const sentAt: number[] = [];
    const { client } = await connect(() => {});
    client.defaults.adapter = async (config) => {
      const response = { status: 503, statusText: '', headers: {}, data: '', config };
      sentAt.push(clock.now());
      throw new axios.AxiosError('no', 'ERR_BAD_RESPONSE', config, {}, response);
    };
    register({ clock, random: () => 0 }, client, { retries: 2, retryDelay: (n) => n * 1_000 }, register);
    const error = await clock.run(axiosErrorOf(client.get('/')));
    const [first = 0, second = 0, third = 0] = sentAt;
    expect([second - first, third - second]).toEqual([1_000, 2_000]);
    expect(error.config?.['axios-retry']?.lastRequestTime).toBe(third);
  });
});

/** The name of what axios-retry calls there. */
const setCurrentState = (config: unknown) => config;
