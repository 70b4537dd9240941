import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axios, { type AxiosAdapter, AxiosError, type AxiosResponse } from 'axios';
import { attach, failureOf, type Policy } from 'axios-holdfast';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { rejectionOf } from '../support/attached.ts';

afterEach(() => {
  vi.useRealTimers();
});

type Faked = NonNullable<NonNullable<Parameters<typeof vi.useFakeTimers>[0]>['toFake']>;

const TIMERS: Faked = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'];
const FAKES: readonly [string, Faked | undefined][] = [
  ['everything that is faked unless one says otherwise', undefined],
  ['timers and Date', [...TIMERS, 'Date']],
  ['timers and performance', [...TIMERS, 'performance']],
  ['timers alone', TIMERS],
  ['microtasks too, as Sinon does', [...TIMERS, 'Date', 'performance', 'setImmediate', 'queueMicrotask']],
];

/** A client whose sends stay in the process, and how many there were. */
function client(answers: readonly [number, object?][], policy: Policy) {
  const sends: number[] = [];
  const adapter: AxiosAdapter = async (config) => {
    const [status, headers = {}] = answers[Math.min(sends.length, answers.length - 1)] ?? [200];
    sends.push(status);
    const response = { status, statusText: '', headers, data: '', config, request: {} } as AxiosResponse;
    if (status < 300) return response;
    throw new AxiosError(String(status), AxiosError.ERR_BAD_REQUEST, config, {}, response);
  };
  const instance = axios.create({ adapter, baseURL: 'https://api.example.com' });
  const holdfast = attach(instance, policy);
  return { instance, holdfast, sends };
}

const turn = () => vi.advanceTimersByTimeAsync(0);

describe.each(FAKES)('where a test fakes %s', (_, toFake) => {
  const fake = () => vi.useFakeTimers(toFake && { toFake: [...toFake] });

  it.each<[string, Policy]>([
    ['alone', {}],
    ['under a limit', { limit: { requests: 10, perMs: 1_000, maxConcurrent: 2 } }],
    ['under a limit that learns', { limit: { adaptive: true } }],
    ['under a deadline', { deadlineMs: 100_000, limit: { requests: 10, perMs: 1_000 } }],
  ])("a 429's wait ends by one tick of so long, %s", async (_name, policy) => {
    fake();
    const { instance, sends } = client([[429, { 'retry-after': '30' }], [200]], policy);
    const call = instance.get('/');
    await turn();
    expect(sends).toEqual([429]);
    await vi.advanceTimersByTimeAsync(29_000);
    expect(sends).toEqual([429]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(sends).toEqual([429, 200]);
    expect((await call).status).toBe(200);
  });

  it('a wait that was begun behind it ends by its own tick, and each after that', async () => {
    fake();
    const { instance, sends } = client([[503, { 'retry-after': '7' }]], {});
    const call = rejectionOf(instance.get('/'));
    await turn();
    for (const n of [2, 3, 4]) {
      await vi.advanceTimersByTimeAsync(7_000);
      expect(sends).toHaveLength(n);
    }
    expect(failureOf(await call)?.endedBecause).toBe('retries-exhausted');
  });

  it('many that came one after the other end by one tick, though real time has passed between them', async () => {
    fake();
    const { instance, sends } = client(
      [...Array.from({ length: 20 }, () => [503, { 'retry-after': '7' }] as [number, object]), [200]],
      {},
    );
    const calls: Promise<unknown>[] = [];
    for (let n = 0; n < 20; n++) {
      calls.push(instance.get('/'));
      await turn();
      for (let busy = 2e6; busy > 0; busy--);
    }
    await vi.advanceTimersByTimeAsync(7_000);
    expect(sends).toHaveLength(40);
    await Promise.all(calls);
  });

  it('calls that a pause of the bucket holds up leave when it ends', async () => {
    fake();
    const { instance, sends } = client([[429, { 'retry-after': '30' }], [200]], { limit: { maxConcurrent: 5 } });
    const first = instance.get('/1');
    await turn();
    const second = instance.get('/2');
    await vi.advanceTimersByTimeAsync(29_000);
    expect(sends).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1_000);
    expect((await Promise.all([first, second])).map(({ status }) => status)).toEqual([200, 200]);
  });

  it('a deadline ends a call by one tick', async () => {
    fake();
    const { instance } = client([[200]], { deadlineMs: 5_000 });
    instance.defaults.adapter = () => new Promise(() => {});
    const call = rejectionOf(instance.get('/'));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(failureOf(await call)).toMatchObject({ kind: 'timeout', endedBecause: 'deadline' });
  });
});

describe.each<[string, Parameters<typeof vi.useFakeTimers>[0]]>([
  ['lets fake time go on by itself', { shouldAdvanceTime: true }],
  ['lets some of it go on by itself, from another year', { toFake: TIMERS, shouldAdvanceTime: true, now: 1e12 }],
  ['fakes Date alone', { toFake: ['Date'] }],
  ['fakes Date alone, in another year', { toFake: ['Date'], now: 4e12 }],
])('where a test %s', (_, config) => {
  it('a call with a retry, under a limit and a deadline, needs no tick', async () => {
    vi.useFakeTimers(config);
    const { instance, sends } = client([[503], [429, { 'retry-after-ms': '60' }], [200]], {
      retry: { backoff: () => 60 },
      limit: { requests: 1, perMs: 20, maxConcurrent: 1 },
      deadlineMs: 30_000,
    });
    const calls = [instance.get('/1'), instance.get('/2')];
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200]);
    expect(sends).toHaveLength(4);
  });
});

it('a 429 waits for one tick under the timers of node:test as well, and a deadline', async () => {
  const program = fileURLToPath(new URL('./timers-moved-by-hand.program.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '--test-reporter=tap', program]);
  expect(stdout).toContain('# pass 6');
  expect(stdout).toContain('# fail 0');
});
