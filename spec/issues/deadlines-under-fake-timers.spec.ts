import axios, { type AxiosAdapter, type AxiosResponse } from 'axios';
import { attach } from 'axios-holdfast';
import { afterEach, describe, expect, it, vi } from 'vitest';

afterEach(() => {
  vi.useRealTimers();
});

const answers: AxiosAdapter = async (config) => ({ status: 200, data: '', config }) as AxiosResponse;
const hangs: AxiosAdapter = () => new Promise(() => {});

function client() {
  const instance = axios.create({ baseURL: 'https://api.example.com', adapter: answers });
  attach(instance, { deadlineMs: 30_000 });
  return instance;
}

/** How a call that is never answered has ended one tick after its deadline; `undefined` where it has not. */
async function endOf(instance = client()): Promise<unknown> {
  let code: unknown;
  instance.get('/', { adapter: hangs }).catch((error) => {
    ({ code } = error);
  });
  await vi.advanceTimersByTimeAsync(30_001);
  return code;
}

describe('a deadline holds under fake timers, whatever became of the timers of the calls before', () => {
  it.each<[string, () => unknown]>([
    ['all timers are cleared', () => vi.clearAllTimers()],
    ['all timers are run', () => vi.runAllTimers()],
    ['other fake ones take their place', () => vi.useFakeTimers()],
    ['real ones were there for a while', () => vi.useRealTimers() && vi.useFakeTimers()],
    ['the time of day is set back', () => vi.setSystemTime(0)],
  ])('after a call has been answered, and %s', async (_what, change) => {
    vi.useFakeTimers();
    await client().get('/');
    change();
    expect(await endOf()).toBe('ETIMEDOUT');
  });

  it.each<[string, () => unknown]>([
    ['all timers are cleared', () => vi.clearAllTimers()],
    ['other fake ones take their place', () => vi.useFakeTimers()],
  ])('after a call was left behind, and %s', async (_what, change) => {
    vi.useFakeTimers();
    client()
      .get('/', { adapter: hangs })
      .catch(() => {});
    await vi.advanceTimersByTimeAsync(0);
    change();
    // It has been bound for longer, so the timer that was lost was for the other.
    await vi.advanceTimersByTimeAsync(10_000);
    expect(await endOf()).toBe('ETIMEDOUT');
  });

  it('after a call was answered in real time, and without a word on the console', async () => {
    const warned = vi.spyOn(console, 'warn');
    await client().get('/');
    vi.useFakeTimers();
    expect(await endOf()).toBe('ETIMEDOUT');
    expect(warned).not.toHaveBeenCalled();
  });
});

it('a call that has ended leaves no fake timer behind', async () => {
  vi.useFakeTimers();
  await client().get('/');
  expect(vi.getTimerCount()).toBe(0);
});
