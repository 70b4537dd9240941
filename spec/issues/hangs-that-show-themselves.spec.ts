import { execFile } from 'node:child_process';
import diagnostics from 'node:diagnostics_channel';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import axios from 'axios';
import {
  type AnyEvent,
  attach,
  EVENT_NAMES,
  type EventOf,
  failureOf,
  InvalidPolicyError,
  LimitError,
  localLimiter,
  reportOf,
} from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, json } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { unhandledDuring } from '../support/unhandled.ts';

/** Answers when it is let. */
function gate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const answer: Answer = async (_request, response) => {
    await opened;
    json(response, 200);
  };
  return { answer, open };
}

const inOneHour = { 'retry-after': '3600' };
const patient = { retry: { retryAfter: { maxMs: Number.POSITIVE_INFINITY } } };

/** A logger that keeps what it is told, by level. */
function logger() {
  const lines: string[] = [];
  const at = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn') };
}

describe('pending() says of every call under way what it is at, and why', () => {
  it('a call that waits for its answer', async () => {
    const { answer, open } = gate();
    const { server, client, holdfast } = await attached(answer);
    expect(holdfast.pending()).toEqual([]);
    const before = Date.now();
    const call = client.get('/v1/x?secret=1');
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    const [pending] = holdfast.pending();
    expect(pending).toEqual({
      call: expect.objectContaining({ method: 'GET', url: `${server.url}/v1/x`, sends: 1 }),
      phase: 'sending',
      since: expect.any(Number),
      until: undefined,
      why: 'waits for the answer to send 1',
    });
    expect(pending?.since).toBeGreaterThanOrEqual(before);
    expect(Object.isFrozen(pending)).toBe(true);
    open();
    await call;
    expect(holdfast.pending()).toEqual([]);
  });

  it('a call that waits for its retry, until when', async () => {
    const { client, holdfast } = await attached(inTurn(status(503, inOneHour)), patient);
    const aborter = new AbortController();
    const call = rejectionOf(client.get('/', { signal: aborter.signal }));
    await vi.waitFor(() => expect(holdfast.pending()[0]?.phase).toBe('retry-wait'));
    const [pending] = holdfast.pending();
    expect(pending?.why).toBe('waits 3600.0 s before retry 1 of 3 after 503');
    expect(Number(pending?.until) - Number(pending?.since)).toBe(3_600_000);
    aborter.abort();
    await call;
    expect(holdfast.pending()).toEqual([]);
  });

  it('calls in the queue: which place, and what holds them up', async () => {
    const { answer, open } = gate();
    const { server, client, holdfast } = await attached(answer, { limit: { maxConcurrent: 1 } });
    const calls = ['/1', '/2', '/3'].map((path) => client.get(path));
    await vi.waitFor(() => expect(holdfast.pending().filter(({ phase }) => phase === 'limit')).toHaveLength(2));
    expect(holdfast.pending().map(({ phase, why }) => [phase, why])).toEqual([
      ['sending', 'waits for the answer to send 1'],
      ...[1, 2].map((place) => [
        'limit',
        `waits for a permit of ${server.url}: limit.maxConcurrent (1) is reached, place ${place} of 2 in the queue`,
      ]),
    ]);
    open();
    await Promise.all(calls);
    expect(holdfast.pending()).toEqual([]);
  });

  it('calls that a pause holds up, until when', async () => {
    const limiter = localLimiter({ maxConcurrent: 5 });
    const { server, client, holdfast } = await attached(status(200), { limit: limiter });
    const until = Date.now() + 50_000;
    limiter.pause(server.url, until + 0.25);
    const call = rejectionOf(client.get('/'));
    const [pending] = holdfast.pending();
    expect(pending).toMatchObject({ phase: 'limit', until: until + 1 });
    expect(pending?.why).toMatch(/: paused until \d\d:\d\d:\d\d\.\d{3}Z, place 1 of 1 in the queue$/);
    await holdfast.close();
    expect(await call).toBeInstanceOf(LimitError);
  });

  it('a call that waits for a token, and one whose judge takes its time', async () => {
    let letGo = () => {};
    const { client, holdfast } = await attached(status(200), {
      auth: { token: () => new Promise(() => {}), refresh: async () => 'new' },
      classify: () =>
        new Promise((resolve) => {
          letGo = () => resolve(undefined);
        }),
    });
    const aborter = new AbortController();
    const waiting = rejectionOf(client.get('/', { signal: aborter.signal }));
    await vi.waitFor(() => expect(holdfast.pending()[0]?.phase).toBe('refresh'));
    expect(holdfast.pending()[0]?.why).toBe('waits for a token: `auth.token` or `auth.refresh` has not settled');
    aborter.abort();
    await waiting;
    const call = client.get('/', { holdfast: { auth: false } });
    await vi.waitFor(() => expect(holdfast.pending()[0]?.phase).toBe('body'));
    expect(holdfast.pending()[0]?.why).toBe('waits for a judge of `classify`');
    letGo();
    await call;
    expect(holdfast.pending()).toEqual([]);
  });

  it('a call whose `beforeSend` never settles', async () => {
    const { client, holdfast } = await attached(status(200), {
      beforeSend: () => new Promise(() => {}),
      deadlineMs: 1_000,
    });
    const call = rejectionOf(client.get('/'));
    await vi.waitFor(() => expect(holdfast.pending()[0]?.why).toBe('makes send 1: `beforeSend`, `body`'));
    await call;
    expect(holdfast.pending()).toEqual([]);
  });

  it('nothing of calls that were let through', async () => {
    const { answer, open } = gate();
    const { server, client, holdfast } = await attached(answer);
    const call = client.get('/', { holdfast: false });
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    expect(holdfast.pending()).toEqual([]);
    open();
    await call;
  });
});

describe('on("*")', () => {
  it('hears every event, each with its name; a policy too', async () => {
    const own: AnyEvent[] = [];
    const { client, holdfast } = await attached(inTurn(status(503), status(200)), {
      on: { '*': (event) => own.push(event) },
    });
    const heard: AnyEvent[] = [];
    const off = holdfast.on('*', (event) => heard.push(event));
    const finished: EventOf<'finished'>[] = [];
    holdfast.on('finished', (event) => finished.push(event));
    await client.get('/');
    expect(heard.map(({ name }) => name)).toEqual([
      'sent',
      'answered',
      'retry-scheduled',
      'sent',
      'answered',
      'finished',
    ]);
    expect(own).toEqual(heard);
    expect(heard.at(-1)).toEqual({ name: 'finished', ...finished[0] });
    expect(heard.every((event) => Object.isFrozen(event))).toBe(true);
    off();
    await client.get('/');
    expect(heard).toHaveLength(6);
    expect(own.length).toBeGreaterThan(6);
  });

  it('is listed where there is no such event, and EVENT_NAMES has all the others', () => {
    const holdfast = attach(axios.create());
    expect(() => holdfast.on('all' as '*', () => {})).toThrow(`(the events: ${EVENT_NAMES.join(', ')}, *)`);
    expect(Object.isFrozen(EVENT_NAMES)).toBe(true);
  });
});

describe('`log`', () => {
  it('tells a logger of everything: since when, which call, what and why', async () => {
    const log = logger();
    const { server, client } = await attached(inTurn(status(503), status(200)), { log });
    await client.get('/v1/x?secret=1');
    const about = String.raw`holdfast \+\d+\.\d{3} s call-\d+ GET ${server.url}/v1/x: `;
    const took = String.raw`\d+ ms`;
    for (const [i, line] of [
      `debug ${about}send 1 leaves`,
      `debug ${about}send 1: 503 after ${took}, transient`,
      `info ${about}waits 0 ms before retry 1, after 503: transient`,
      `debug ${about}send 2 leaves`,
      `debug ${about}send 2: 200 after ${took}, success`,
      `info ${about}done after 2 sends in ${took}`,
    ].entries()) {
      expect(log.lines[i]).toMatch(new RegExp(`^${line}$`));
    }
    expect(log.lines).toHaveLength(6);
  });

  it("of 'retries' tells what is no matter of course, on stderr", async () => {
    const spoken = vi.spyOn(console, 'error').mockImplementation(() => {});
    onTestFinished(() => spoken.mockRestore());
    const { client } = await attached(inTurn(status(200), status(404), status(503), status(503)), {
      log: 'retries',
      retry: { maxRetries: 1 },
    });
    await client.get('/');
    await rejectionOf(client.get('/'));
    expect(spoken).not.toHaveBeenCalled();
    await rejectionOf(client.get('/'));
    expect(spoken.mock.calls.map(([line]) => String(line).replace(/^holdfast.*?: /, ''))).toEqual([
      'waits 0 ms before retry 1, after 503: transient',
      expect.stringMatching(/^failed after 2 sends in \d+ ms: retries-exhausted$/),
    ]);
  });

  it("is a call's own, too", async () => {
    const [log, own] = [logger(), logger()];
    const { client } = await attached(status(200), { log });
    await client.get('/', { holdfast: { log: own } });
    expect([log.lines.length, own.lines.length]).toEqual([0, 3]);
    await client.get('/', { holdfast: { log: false } });
    expect([log.lines.length, own.lines.length]).toEqual([0, 3]);
    await client.get('/');
    expect([log.lines.length, own.lines.length]).toEqual([3, 3]);
  });

  it('breaks nothing where it throws or rejects', async () => {
    const bad = () => {
      throw new Error('the disk is full');
    };
    const worse = () => Promise.reject(new Error('the disk is full'));
    const { client } = await attached(status(200), { log: { debug: bad, info: bad, warn: worse } });
    const unhandled = await unhandledDuring(async () => {
      expect((await client.get('/')).status).toBe(200);
      await client.get('/', { holdfast: { log: { debug: worse, info: bad, warn: worse } } });
    });
    expect(unhandled).toEqual([]);
  });

  it.each([true, 'info', {}, { debug() {}, info() {} }, 1])('is refused where it is none: %o', (log) => {
    expect(() => attach(axios.create(), { log: log as never })).toThrow(InvalidPolicyError);
    expect(() => attach(axios.create(), { log: log as never })).toThrow(
      "log must be false, 'retries', 'all' or a logger with debug(), info() and warn(), got",
    );
  });

  it('takes console as it is', () => {
    expect(attach(axios.create(), { log: console }).policy.log).toBe(console);
  });
});

describe('NODE_DEBUG', () => {
  const run = promisify(execFile);
  const program = fileURLToPath(new URL('./hangs-that-show-themselves.program.ts', import.meta.url));
  it.each([
    ['holdfast', true],
    ['http,HOLDFAST', true],
    ['hold*', true],
    ['http', false],
    ['', false],
  ])('=%s in the environment: told on stderr, %s', async (debug, told) => {
    const { server } = await attached(inTurn(status(503), status(200)));
    const { stdout, stderr } = await run(process.execPath, ['--import', 'tsx', program, server.url], {
      env: { ...process.env, NODE_DEBUG: debug },
    });
    expect(stdout).toBe('200\n');
    const ours = stderr.split('\n').filter((line) => line.startsWith('holdfast '));
    expect(ours).toHaveLength(told ? 6 : 0);
    if (told) expect(ours[2]).toContain('waits 1 ms before retry 1, after 503: transient');
  });
});

describe('the event `queued`', () => {
  it('says why, which place, and until when at the earliest', async () => {
    const queued: EventOf<'queued'>[] = [];
    const { client, holdfast } = await attached(status(200), {
      limit: { requests: 1, perMs: 3_600_000.5 },
      on: { queued: (event) => queued.push(event) },
    });
    await client.get('/');
    const calls = [1, 2, 3].map(() => rejectionOf(client.get('/')));
    await vi.waitFor(() => expect(queued).toHaveLength(3));
    expect(queued.map(({ place, of }) => [place, of])).toEqual([
      [1, 1],
      [2, 2],
      [3, 3],
    ]);
    const [first, second] = queued.map(({ untilAt }) => Number(untilAt));
    expect(Number(second) - Number(first)).toBeGreaterThanOrEqual(3_600_000);
    expect(Number(first) - Date.now()).toBeGreaterThan(3_500_000);
    expect(queued.every(({ untilAt }) => Number.isInteger(untilAt))).toBe(true);
    expect(queued[1]?.why).toMatch(/^its turn comes at \d\d:\d\d:\d\d\.\d{3}Z or later, place 2 of 2 in the queue$/);
    await holdfast.close();
    await Promise.all(calls);
  });
});

describe('durations and instants that are shown', () => {
  /** Everything in it that is one, by its name. */
  function timesIn(value: unknown, path = ''): [string, unknown][] {
    if (typeof value !== 'object' || value === null) return [];
    return Object.entries(value).flatMap(([name, each]) => [
      ...(/(?:Ms|At|^since|^until)$/.test(name) && each !== undefined
        ? [[`${path}.${name}`, each] as [string, unknown]]
        : []),
      ...timesIn(each, `${path}.${name}`),
    ]);
  }

  it('are whole ms, however fine the clock is', async () => {
    const clock = new ManualClock(Date.UTC(2026, 0, 1) + 0.3);
    const answers = [[202], [401], [503], [429, '0.0123'], [503], [503], [200]] as const;
    let n = 0;
    const client = axios.create({
      baseURL: 'https://api.example.com',
      adapter: async (config) => {
        await new Promise<void>((resolve) => void clock.after(7.7, resolve));
        const [code, wait = ''] = answers[Math.min(n++, answers.length - 1)] ?? [200];
        const headers = wait === '' ? {} : { 'retry-after': wait };
        const response = { status: code, statusText: '', headers, config, data: '', request: {} };
        if (code < 400) return response;
        throw new axios.AxiosError(`status ${code}`, 'ERR_BAD_RESPONSE', config, {}, response);
      },
    });
    const events: AnyEvent[] = [];
    const holdfast = attachWith({ clock, random: () => 1 }, client, {
      deadlineMs: 60_000.6,
      statuses: { 202: 'pending' },
      poll: { intervalMs: 4.4 },
      retry: { backoff: () => 10.7, maxRetries: 2 },
      limit: { requests: 1, perMs: 33.3 },
      breaker: { minimumThroughput: 1, openMs: 1.7 },
      auth: {
        token: () => 'old',
        refresh: () => new Promise((resolve) => void clock.after(3.3, () => resolve('new'))),
      },
      on: { '*': (event) => events.push(event) },
    });
    const ended: unknown[] = [];
    const pending: unknown[] = [];
    for (let call = 0; call < 4; call++) {
      const ending = client.get('/').catch((error: unknown) => error);
      const look = setInterval(() => pending.push(...holdfast.pending()), 0);
      ended.push(await clock.run(ending));
      clearInterval(look);
      pending.push(...holdfast.pending());
    }
    const times = timesIn([events, ended.map(reportOf), ended.map(failureOf), pending]);
    expect(new Set(events.map(({ name }) => name))).toEqual(
      new Set(
        EVENT_NAMES.filter((name) => !['store-lost', 'refresh-failed', 'budget-empty', 'limited'].includes(name)),
      ),
    );
    expect(times.filter(([, at]) => !Number.isInteger(at))).toEqual([]);
  });
});

describe('a call that took long says for what', () => {
  async function slow(answers: readonly number[], policy: Parameters<typeof attachWith>[2]) {
    const clock = new ManualClock();
    let n = 0;
    const client = axios.create({
      baseURL: 'https://api.example.com',
      adapter: async (config) => {
        await new Promise<void>((resolve) => void clock.after(600.4, resolve));
        const code = answers[Math.min(n++, answers.length - 1)] ?? 200;
        const response = { status: code, statusText: '', headers: {}, config, data: '', request: {} };
        if (code < 400) return response;
        throw new axios.AxiosError(`status ${code}`, 'ERR_BAD_RESPONSE', config, {}, response);
      },
    });
    attachWith({ clock, random: () => 1 }, client, policy);
    return { clock, client };
  }

  it('in the summary of its failure', async () => {
    const { clock, client } = await slow([503], {
      limit: { requests: 1, perMs: 31_000 },
      retry: { maxRetries: 1, backoff: () => 8_000 },
    });
    await clock.run(client.get('/').catch(() => {}));
    const failure = failureOf(await clock.run(client.get('/').catch((error: unknown) => error)));
    expect(failure?.summary).toMatch(
      /^GET \/ ended after 2 sends in \d+\.\d s \(queue \d+\.\d s, waits 8\.0 s, sends 1\.2 s\): 503 unavailable, retries exhausted/,
    );
    const { queuedMs = 0, waitedMs = 0, sendingMs = 0, refreshMs = 0, elapsedMs = 0 } = failure ?? {};
    expect([queuedMs, waitedMs, sendingMs, refreshMs, elapsedMs].every(Number.isInteger)).toBe(true);
    expect(Math.abs(queuedMs + waitedMs + sendingMs + refreshMs - elapsedMs)).toBeLessThanOrEqual(4);
  });

  it('in the report of its success, with the token', async () => {
    const { clock, client } = await slow([200], {
      auth: {
        token: () => new Promise((resolve) => void clock.after(2_000, () => resolve('token'))),
        refresh: async () => 'new',
        origins: ['https://api.example.com'],
      },
    });
    const report = reportOf(await clock.run(client.get('/')));
    expect(report).toMatchObject({ elapsedMs: 2_600, refreshMs: 2_000, queuedMs: 0, waitedMs: 0, sendingMs: 600 });
    expect(report?.sends).toMatchObject([{ refreshMs: 2_000, durationMs: 600 }]);
  });

  it('and of the token also where that is asked again after the queue', async () => {
    const { clock, client } = await slow([200], {
      limit: { maxConcurrent: 1 },
      auth: {
        token: () => new Promise((resolve) => void clock.after(500, () => resolve('token'))),
        refresh: async () => 'new',
        origins: ['https://api.example.com'],
      },
    });
    const reports = (await clock.run(Promise.all([client.get('/'), client.get('/')]))).map(reportOf);
    expect(reports.map((report) => report?.refreshMs)).toEqual([500, 1_000]);
    for (const { elapsedMs = 0, queuedMs = 0, refreshMs = 0, sendingMs = 0 } of reports.map((report) => ({
      ...report,
    }))) {
      expect(Math.abs(elapsedMs - queuedMs - refreshMs - sendingMs)).toBeLessThanOrEqual(2);
    }
  });

  it('also where it was refused in the queue', async () => {
    const { client } = await attached(status(200), { limit: { requests: 1, perMs: 3_600_000 } });
    await client.get('/');
    const failure = failureOf(await rejectionOf(client.get('/', { holdfast: { limit: { maxWaitMs: 20 } } })));
    expect(failure?.queuedMs).toBeLessThanOrEqual(Number(failure?.elapsedMs));
    expect(failure).toMatchObject({ kind: 'limited', sendingMs: 0 });
  });
});

describe('a call that has waited 5 s without a deadline', () => {
  class Clock extends ManualClock {
    meanwhile(ms: number, fire: () => void) {
      return this.after(ms, fire);
    }
  }

  function waiting(policy: Parameters<typeof attachWith>[2]) {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    onTestFinished(() => warnings.mockRestore());
    const clock = new Clock();
    const client = axios.create({
      baseURL: 'https://api.example.com',
      adapter: async (config) => {
        const headers = { 'retry-after': '30' };
        const response = { status: 503, statusText: '', headers, config, data: '', request: {} };
        throw new axios.AxiosError('status 503', 'ERR_BAD_RESPONSE', config, {}, response);
      },
    });
    attachWith({ clock, random: () => 1 }, client, policy);
    return { warnings, clock, client };
  }

  it('is warned about once, with what it waits for and what bounds it', async () => {
    const { warnings, clock, client } = waiting({});
    const calls = [1, 2].map(() => client.get('/v1/x?secret=1').catch(() => {}));
    await clock.advance(4_999);
    expect(warnings).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(warnings.mock.calls).toEqual([
      [
        'GET https://api.example.com/v1/x has been waiting for 5.0 s and has no deadline: it waits 30.0 s before retry 1 of 3 after 503. `deadlineMs` bounds a call; attachment.pending() tells who else waits.',
        { type: 'HoldfastWarning', code: 'HOLDFAST_LONG_WAIT' },
      ],
    ]);
    await clock.run(Promise.all(calls));
    expect(warnings).toHaveBeenCalledTimes(1);
  });

  it('leaves no timer when it is over before', async () => {
    const { warnings, clock, client } = waiting({ retry: { retryAfter: false, backoff: () => 100 } });
    await clock.run(client.get('/').catch(() => {}));
    expect(clock.pending).toBe(0);
    expect(warnings).not.toHaveBeenCalled();
  });

  it.each<[string, Parameters<typeof attachWith>[2]]>([
    [
      'waits for a permit of https://api.example.com: limit.maxConcurrent (1) is reached',
      { limit: { maxConcurrent: 1 } },
    ],
    [
      'waits for a token: `auth.token` or `auth.refresh` has not settled',
      { auth: { token: () => new Promise(() => {}), refresh: async () => 'new' } },
    ],
  ])('is told that it %s', async (why, policy) => {
    const { warnings, clock, client } = waiting(policy);
    const aborter = new AbortController();
    const calls = [1, 2].map(() =>
      client.get('/', { signal: aborter.signal, adapter: () => new Promise(() => {}) }).catch(() => {}),
    );
    await clock.advance(5_000);
    expect(warnings).toHaveBeenCalledTimes(1);
    expect(warnings.mock.calls[0]?.[0]).toContain(`it ${why}`);
    aborter.abort();
    await Promise.all(calls);
  });

  it('is warned about though others began to wait before it', async () => {
    const { warnings, clock, client } = waiting({});
    const aborter = new AbortController();
    const first = client.get('/', { signal: aborter.signal }).catch(() => {});
    await clock.advance(3_000);
    const second = client.get('/second').catch(() => {});
    await clock.advance(1_000);
    aborter.abort();
    await first;
    await clock.advance(3_999);
    expect(warnings).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(warnings).toHaveBeenCalledTimes(1);
    expect(warnings.mock.calls[0]?.[0]).toContain('/second');
    await clock.run(second);
  });

  it('is not where it has a deadline, or waits for less', async () => {
    const { warnings, clock, client } = waiting({ retry: { retryAfter: false, backoff: () => 2_000 } });
    await clock.run(
      client.get('/', { holdfast: { deadlineMs: 60_000, retry: { backoff: () => 6_000 } } }).catch(() => {}),
    );
    await clock.run(client.get('/').catch(() => {}));
    expect(warnings).not.toHaveBeenCalled();
    expect(clock.pending).toBe(0);
  });
});

describe('close({ drain: true })', () => {
  it('lets what is queued and under way end first; new calls pass through', async () => {
    const { answer, open } = gate();
    const { server, client, holdfast } = await attached(answer, { limit: { maxConcurrent: 1 } });
    const calls = [client.get('/1'), client.get('/2')];
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    let closed = false;
    const closing = holdfast.close({ drain: true }).then(() => {
      closed = true;
    });
    const late = client.get('/late');
    await vi.waitFor(() => expect(server.seen.map(({ url }) => url)).toEqual(['/1', '/late']));
    expect(closed).toBe(false);
    open();
    expect((await Promise.all([...calls, late])).map((response) => response.status)).toEqual([200, 200, 200]);
    await closing;
    expect(holdfast.pending()).toEqual([]);
  });

  it('refuses the rest when its time is up', async () => {
    const { answer, open } = gate();
    const { server, client, holdfast } = await attached(answer, { limit: { maxConcurrent: 1 } });
    const first = client.get('/1');
    const second = rejectionOf(client.get('/2'));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await holdfast.close({ drain: true, timeoutMs: 20 });
    expect(await second).toMatchObject({ code: 'ERR_LIMIT_CLOSED' });
    open();
    expect((await first).status).toBe(200);
  });

  it('has nothing to wait for where nothing is under way, and refuses at once without it', async () => {
    const { holdfast } = await attached(status(200));
    await holdfast.close({ drain: true });
    const { client, holdfast: other } = await attached(gate().answer, { limit: { maxConcurrent: 1 } });
    const calls = [1, 2].map(() =>
      client.get('/', { timeout: 300, holdfast: { retry: false } }).catch((error) => error),
    );
    await other.close();
    expect((await Promise.all(calls)).map(({ code }) => code)).toEqual(['ECONNABORTED', 'ERR_LIMIT_CLOSED']);
  });

  it('says what is wrong with an option, and closes nothing', async () => {
    const { client, holdfast } = await attached(status(200));
    await expect(holdfast.close({ drain: 'yes' as never, timeout: 3 } as never)).rejects.toThrow(
      /^close: options\.drain must be true or false, got 'yes'; options\.timeout is not an option; did you mean timeoutMs\?$/,
    );
    await client.get('/');
    expect(holdfast.stats().calls).toBe(1);
  });
});

describe('a subscriber of a diagnostics channel that throws', () => {
  it('breaks no call; Node makes an uncaught exception of it, as for every channel', async () => {
    const { client } = await attached(status(200));
    const subscriber = () => {
      throw new Error('mine');
    };
    diagnostics.subscribe('holdfast:finished', subscriber);
    const uncaught = await unhandledDuring(async () => {
      expect((await client.get('/')).status).toBe(200);
    });
    diagnostics.unsubscribe('holdfast:finished', subscriber);
    expect(uncaught).toEqual([new Error('mine')]);
  });
});
