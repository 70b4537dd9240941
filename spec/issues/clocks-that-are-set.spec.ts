import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import axios from 'axios';
import { CircuitOpenError, failureOf, type LimitError, localLimiter, type Policy, reportOf } from 'axios-holdfast';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { byHand, next, until } from '../support/by-hand.ts';
import { silent } from '../support/faults.ts';
import { type Answer, loopback } from '../support/loopback.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';
import { type Scripted, scripted } from '../support/scripted.ts';

const HOUR = 3_600_000;

afterEach(() => {
  vi.useRealTimers();
});

describe.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('a clock that is set %s by an hour', (_, byMs) => {
  /** Goes so far, sets the clock, and looks whether what is due then comes then and not before. */
  async function dueIn(ms: number, setting: Scripted, sends: number): Promise<void> {
    const { clock } = setting;
    await clock.advance(ms / 2);
    clock.adjust(byMs);
    await clock.advance(ms / 2 - 1);
    expect(setting.sentAt).toHaveLength(sends);
    await clock.advance(1);
    expect(setting.sentAt).toHaveLength(sends + 1);
  }

  it('during a wait that the server named, or a backoff: it lasts as long', async () => {
    for (const line of [{ status: 503, headers: { 'retry-after': '2' } }, 503]) {
      const setting = scripted([line, 200], { retry: { backoff: () => 2_000 } });
      const call = setting.client.get('/');
      await settle();
      await dueIn(2_000, setting, 1);
      expect(reportOf(await call)).toMatchObject({ elapsedMs: 2_000, waitedMs: 2_000 });
    }
  });

  it('during a pause of a bucket: who waits leaves when it ends', async () => {
    const line = { status: 429, headers: { 'retry-after': '2' } };
    const setting = scripted((n) => (n === 0 ? line : 200), { limit: {}, retry: { maxRetries: 0 } });
    await rejectionOf(setting.client.get('/first'));
    const call = setting.client.get('/');
    await settle();
    await dueIn(2_000, setting, 1);
    expect(reportOf(await call)?.queuedMs).toBe(2_000);
  });

  it('while calls stand in a queue: they leave at the pace of the window', async () => {
    const setting = scripted(() => 200, { limit: { requests: 1, perMs: 2_000 } });
    const calls = [setting.client.get('/'), setting.client.get('/')];
    await settle();
    await setting.clock.advance(1_000);
    setting.clock.adjust(byMs);
    await setting.clock.advance(999);
    expect(setting.sentAt).toHaveLength(1);
    await setting.clock.run(Promise.all(calls));
    expect(setting.sentAt[1]).toBeLessThan(2_020);
  });

  it('while a call may stand in a queue for so long: no longer, and no less', async () => {
    const limit = { maxConcurrent: 1, maxWaitMs: 2_000 };
    const { client, clock } = await byHand(silent, { limit });
    const aborter = new AbortController();
    const first = rejectionOf(client.get('/', { signal: aborter.signal }));
    let error: unknown;
    const second = rejectionOf(client.get('/')).then((thrown) => {
      error = thrown;
    });
    await clock.advance(1_000);
    clock.adjust(byMs);
    await clock.advance(999);
    expect(error).toBeUndefined();
    await clock.advance(1);
    await second;
    expect(error).toMatchObject({ code: 'ERR_LIMIT_WAIT_TOO_LONG' });
    aborter.abort();
    await first;
  });

  it('during a call with a deadline: that ends it in time', async () => {
    const { server, client, clock } = await byHand(silent, { deadlineMs: 500 });
    let ended = false;
    const call = rejectionOf(client.get('/')).finally(() => {
      ended = true;
    });
    await until(() => server.seen.length === 1);
    clock.adjust(byMs);
    await clock.advance(499);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(failureOf(await call)).toMatchObject({ endedBecause: 'deadline', elapsedMs: 500 });
  });

  it("during a breaker's rest: the probe leaves after openMs", async () => {
    const breaker = { minimumThroughput: 2, openMs: 2_000 };
    const setting = scripted((n) => (n < 2 ? 500 : 200), { retry: false, breaker });
    const { client, clock } = setting;
    for (let n = 0; n < 2; n++) await rejectionOf(client.get('/'));
    await clock.advance(1_000);
    clock.adjust(byMs);
    await clock.advance(999);
    expect(await rejectionOf(client.get('/'))).toBeInstanceOf(CircuitOpenError);
    await clock.advance(1);
    expect((await client.get('/')).status).toBe(200);
    expect(setting.sentAt).toHaveLength(3);
  });

  it('while a token lives: it is refreshed by the time of day, ahead of when it expires by that', async () => {
    const clock = new ManualClock();
    let refreshes = 0;
    const server = await loopback(status(200));
    onTestFinished(() => server.close());
    const client = axios.create({ baseURL: server.url });
    const expiresAt = clock.wall() + 2 * HOUR;
    const refresh = async () => {
      refreshes += 1;
      return { value: 'new', expiresAt: clock.wall() + 10 * HOUR };
    };
    attachWith({ clock, random: () => 0 }, client, {
      auth: { token: () => ({ value: 'old', expiresAt }), refresh, refreshAheadMs: 60_000 },
    });
    await client.get('/');
    clock.adjust(byMs);
    await client.get('/');
    expect(refreshes).toBe(0);
    await clock.advance(expiresAt - clock.wall() - 60_001);
    await client.get('/');
    expect(refreshes).toBe(0);
    await clock.advance(1);
    await client.get('/');
    await settle();
    expect(refreshes).toBe(1);
  });

  it('is what instants are shown by, from then on: of calls, pauses, circuits, refusals and whoever waits', async () => {
    const policy: Policy = {
      limit: {},
      breaker: { minimumThroughput: 1, openMs: 5_000 },
      retry: { maxRetries: 1, retryAfter: { maxMs: 30_000 } },
      deadlineMs: 60_000,
    };
    const lines = [{ status: 429, headers: { 'retry-after': '20' } }, 500];
    const { client, clock, holdfast } = scripted(lines, policy);
    clock.adjust(byMs);
    const paused = next(holdfast, 'paused');
    const call = rejectionOf(client.get('/'));
    const begun = clock.wall();
    expect((await paused).untilAt).toBe(begun + 20_000);
    expect(holdfast.pending()).toMatchObject([
      {
        phase: 'retry-wait',
        since: begun,
        until: begun + 20_000,
        call: { startedAt: begun, deadlineAt: begun + 60_000 },
      },
    ]);
    const queued = next(holdfast, 'queued');
    const other = rejectionOf(client.get('/other', { holdfast: { deadlineMs: 21_000 } }));
    const time = new Date(begun + 20_000).toISOString().slice(11);
    expect(await queued).toMatchObject({
      untilAt: begun + 20_000,
      why: expect.stringContaining(`paused until ${time}`),
    });
    const hasty = client.get('/hasty', { holdfast: { retry: { retryAfter: { maxMs: 1_000 } } } });
    expect(((await rejectionOf(hasty)) as LimitError).retryAt).toBe(begun + 20_000);
    // Set back to where it was, it shows everything as it would have been.
    clock.adjust(-byMs);
    expect(holdfast.pending()[0]).toMatchObject({ since: begun - byMs, until: begun - byMs + 20_000 });
    clock.adjust(byMs);
    const opened = next(holdfast, 'circuit-opened');
    await clock.advance(20_000);
    expect((await opened).retryAt).toBe(begun + 25_000);
    expect(reportOf(await call)).toMatchObject({
      startedAt: begun,
      sends: [{ startedAt: begun }, { startedAt: begun + 20_000 }],
    });
    await other;
    const refused = (await rejectionOf(client.get('/'))) as CircuitOpenError;
    expect(refused.retryAt).toBe(begun + 25_000);
  });

  it('is what is handed to a limiter of your own, and what one that is shared is handed', async () => {
    const clock = new ManualClock();
    const asked: (number | undefined)[] = [];
    const paused: number[] = [];
    const limit = {
      acquire: ({ deadlineAt }: { deadlineAt?: number | undefined }) => {
        asked.push(deadlineAt);
        return { release: () => {} };
      },
      pause: (_key: string, untilAt: number) => paused.push(untilAt),
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const { client } = await byHand(
      status(429, { 'retry-after': '7' }),
      { limit, retry: false, deadlineMs: 500 },
      {},
      { clock },
    );
    clock.adjust(byMs);
    await rejectionOf(client.get('/'));
    expect(asked).toEqual([clock.wall() + 500]);
    expect(paused.every((at) => at === clock.wall() + 7_000)).toBe(true);
  });

  describe('in a real process', () => {
    const set = () => vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + byMs });

    it('keeps a pause of one second', async () => {
      const arrived: number[] = [];
      const answer: Answer = (request, response, n) => {
        arrived.push(systemClock.now());
        return status(n === 0 ? 429 : 200, n === 0 ? { 'retry-after': '1' } : {})(request, response, n);
      };
      const { client, holdfast } = await attached(answer, { limit: {} });
      const scheduled = next(holdfast, 'retry-scheduled');
      const calls = [client.get('/')];
      await scheduled;
      set();
      calls.push(client.get('/'));
      await Promise.all(calls);
      for (const at of arrived.slice(1)) expect(at - Number(arrived[0])).toBeGreaterThanOrEqual(1_000);
    });

    it('ends a call at its deadline, and a limiter is paused by the time of day', async () => {
      const limit = localLimiter({ maxConcurrent: 2 });
      const { server, client } = await attached(silent, { deadlineMs: 300, limit });
      const call = rejectionOf(client.get('/'));
      await until(() => server.seen.length === 1);
      set();
      expect(failureOf(await call)).toMatchObject({ endedBecause: 'deadline' });
      limit.pause(server.url, Date.now() + 100);
      expect(limit.stats().paused).toBe(1);
      await vi.waitFor(() => expect(limit.stats().paused).toBe(0));
    });
  });
});

it('a process that is stopped for ten seconds sends nothing early, and all its calls come to an end', async () => {
  const arrived: { at: number; url: string }[] = [];
  const answer: Answer = (request, response, n) => {
    arrived.push({ at: performance.now(), url: request.url });
    if (request.url === '/silent') return;
    const first = request.url === '/named' && arrived.filter(({ url }) => url === '/named').length === 1;
    return inTurn(first ? status(503, { 'retry-after': '2' }) : status(200))(request, response, n);
  };
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  const program = fileURLToPath(new URL('./clocks-that-are-set.program.ts', import.meta.url));
  const child = fork(program, [server.url], { execArgv: ['--import', 'tsx'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  const told = new Promise<{ leftAt: readonly number[] }>((resolve) => child.once('message', resolve));
  await vi.waitFor(() => expect(new Set(arrived.map(({ url }) => url)).size).toBe(3));
  child.kill('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 10_000));
  child.kill('SIGCONT');
  const { leftAt, ...ended } = await told;
  expect(ended).toEqual({ named: 200, paced: Array.from({ length: 8 }, () => 200), silent: 'deadline' });
  const of = (path: string) => arrived.filter(({ url }) => url === path).map(({ at }) => at);
  const [named = 0, again = 0] = of('/named');
  expect(again - named).toBeGreaterThanOrEqual(2_000 - 5);
  // Eight of 4 a second: any second holds at most four, though all were due when it went on.
  expect(of('/paced')).toHaveLength(8);
  for (let n = 4; n < leftAt.length; n++) expect(Number(leftAt[n]) - Number(leftAt[n - 4])).toBeGreaterThanOrEqual(900);
});
