import axios, { AxiosError, type InternalAxiosRequestConfig } from 'axios';
import axiosRetry, { type IAxiosRetryConfig } from 'axios-holdfast/axios-retry';
import { scripted } from 'axios-holdfast/testing';
import { describe, expect, it } from 'vitest';
import { register } from '../../lib/axios-retry/register.ts';
import { rejectionOf } from '../support/attached.ts';
import { ManualClock } from '../support/manual-clock.ts';

/** A client by a clock in the test's hand, whose sends are answered 503 after so many ms. */
function timed(options: IAxiosRetryConfig, lastsMs: number) {
  const clock = new ManualClock();
  const timeouts: unknown[] = [];
  const adapter = async (config: InternalAxiosRequestConfig) => {
    timeouts.push(config.timeout);
    await new Promise<void>((resolve) => void clock.after(lastsMs, resolve));
    const response = { status: 503, statusText: '', headers: {}, data: '', config };
    throw new AxiosError('no', 'ERR_BAD_RESPONSE', config, {}, response);
  };
  const client = axios.create({ adapter });
  register({ clock, random: () => 0 }, client, options, register);
  return { client, clock, timeouts };
}

describe('a timeout that all tries share', () => {
  it.each([
    ['leaves what sends and waits have not taken', {}, 1_000, 300, 200, [1_000, 500]],
    ['is of no try any more where nothing is left', {}, 500, 300, 200, [500]],
    ['is cut to no fraction of a ms, which axios would take for none', {}, 500.5, 300, 200, [500.5, 1]],
    ['is none where there is none', {}, 0, 300, 200, [0, 0, 0, 0]],
    ['is of each try where they do not share it', { shouldResetTimeout: true }, 400, 300, 200, [400, 400, 400, 400]],
  ])('%s', async (_, options, timeout, lastsMs, waitMs, each) => {
    const { client, clock, timeouts } = timed({ ...options, retryDelay: () => waitMs }, lastsMs);
    const error = await clock.run(rejectionOf(client.get('/', { timeout })));
    expect(timeouts).toEqual(each);
    expect((error as AxiosError).response?.status).toBe(503);
  });
});

describe('a delay', () => {
  it.each([
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
    ['100', "'100'"],
    [undefined, 'undefined'],
    [Promise.resolve(100), 'a promise: await it?'],
  ])('of %o is a mistake, and the call ends with it: to guess would hide it', async (delay, shown) => {
    const { client, clock, timeouts } = timed({ retryDelay: () => delay as never }, 1);
    const error = await clock.run(rejectionOf(client.get('/')));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).toMatchObject({
      message: `retryDelay must return a finite number of ms, and at once; got ${shown}`,
      cause: { response: { status: 503 } },
    });
    expect(timeouts).toHaveLength(1);
  });

  it('of a month, which no timer of the platform can take, ends the call', async () => {
    const { client, clock, timeouts } = timed({ retryDelay: () => 2 ** 31 }, 1);
    await clock.run(rejectionOf(client.get('/')));
    expect(timeouts).toHaveLength(1);
    const { client: other, clock: another, timeouts: sends } = timed({ retries: 1, retryDelay: () => 2 ** 31 - 1 }, 1);
    await another.run(rejectionOf(other.get('/')));
    expect(sends).toHaveLength(2);
  });
});

describe('by default', () => {
  const lost = (syscall: string) => () => Object.assign(new AxiosError('lost', 'ECONNRESET'), { syscall });
  it.each([
    ['a POST that may have arrived is not sent twice', 'post', lost('read'), 1],
    ['a POST that never left is sent again', 'post', lost('connect'), 4],
    ['a GET is sent again in any case', 'get', lost('read'), 4],
    ['what went wrong before anything left is not tried again', 'get', () => new AxiosError('x', 'ERR_INVALID_URL'), 1],
  ])('%s', async (_, method, fail, sends) => {
    let sent = 0;
    const client = axios.create({
      adapter: async (config) => {
        sent += 1;
        throw Object.assign(fail(), { config });
      },
    });
    axiosRetry(client);
    await rejectionOf(client.request({ method, url: '/' }));
    expect(sent).toBe(sends);
  });

  it('a condition of the caller is obeyed, also where a POST may have arrived', async () => {
    let sent = 0;
    const client = axios.create({
      adapter: async (config) => {
        sent += 1;
        throw Object.assign(lost('read')(), { config });
      },
    });
    axiosRetry(client, { retryCondition: () => true });
    await rejectionOf(client.post('/'));
    expect(sent).toBe(4);
  });
});

describe('names that are none of axios-retry', () => {
  it.each(['retry', 'maxRetries', 'attempts'])('%s is taken for retries', (name) => {
    expect(() => axiosRetry(axios.create(), { [name]: 3 } as never)).toThrow(
      `axios-retry.${name} is not an option; did you mean retries?`,
    );
  });

  it('but what stands in the config of an earlier call is no mistake, and has no effect', async () => {
    const api = scripted(503);
    const client = axios.create({ adapter: api, baseURL: 'https://api.example.com' });
    axiosRetry(client, { retries: 1 });
    await rejectionOf(client.get('/', { 'axios-retry': { retryCount: 9, lastRequestTime: 9 } as never }));
    expect(api.sends).toHaveLength(2);
  });
});
