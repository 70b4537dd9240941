import { describe, expect, it, vi } from 'vitest';
import { EVENT_NAMES, type EventName, type EventOf, type Events } from '../../lib/call/events.ts';
import { Emitter } from '../../lib/observe/emitter.ts';
import { isLogged, type Log, logEvent } from '../../lib/observe/log.ts';
import { ManualClock } from '../support/manual-clock.ts';

const call = {
  id: 'call-7',
  method: 'GET',
  url: 'https://api.example.com/v1/x',
  startedAt: 1_000,
  deadlineAt: Number.POSITIVE_INFINITY,
  sends: 1,
  retries: 0,
  replays: 0,
  polls: 0,
  sentAt: undefined,
};
const key = 'https://api.example.com';
const report = {
  ...call,
  elapsedMs: 2_000,
  queuedMs: 0,
  refreshMs: 0,
  waitedMs: 0,
  sendingMs: 2_000,
  sends: [],
  endedBecause: 'success',
} as const;
const send = { startedAt: 0, durationMs: 0, queuedMs: 0, verdict: 'transient', decision: 'retry' } as const;
const at = Date.UTC(2026, 0, 1, 12, 0, 1, 250);

/** One of each, and its line. */
const EXAMPLES: { readonly [E in keyof Events]: readonly [Events[E], string] } = {
  sent: [{ call, send: 1 }, 'debug send 1 leaves'],
  answered: [
    { call, send: 1, status: undefined, code: 'ECONNRESET', verdict: 'transient', reason: 'why', durationMs: 1_234 },
    'debug send 1: ECONNRESET after 1.2 s, transient (why)',
  ],
  'retry-scheduled': [
    { call, retry: 2, delayMs: 1_200, status: 503, code: undefined, verdict: 'transient', reason: undefined },
    'info waits 1.2 s before retry 2, after 503: transient',
  ],
  'poll-scheduled': [
    { call, poll: 3, delayMs: 1_000, url: 'https://api.example.com/v1/jobs/7', status: 202, reason: 'running' },
    'debug waits 1.0 s before poll 3 of https://api.example.com/v1/jobs/7, after 202 (running)',
  ],
  refreshing: [{ key: '', reason: 'expiring' }, 'info the token is refreshed: expiring'],
  refreshed: [{ key: 'acme', durationMs: 12 }, 'info there is a new token of acme, after 12 ms'],
  'refresh-failed': [
    { key: '', code: 'invalid_grant', durationMs: 12 },
    'warn the refresh of the token failed after 12 ms (invalid_grant)',
  ],
  'store-lost': [{ key, code: 'ECONNREFUSED' }, `warn the shared store of ${key} is lost, or refuses (ECONNREFUSED)`],
  queued: [
    { call, key, why: 'place 3 of 7 in the queue', place: 3, of: 7, untilAt: undefined },
    `debug waits for a permit of ${key}: place 3 of 7 in the queue`,
  ],
  limited: [{ call, key, code: 'ERR_LIMIT_CLOSED' }, `warn the limiter gives no permit of ${key} (ERR_LIMIT_CLOSED)`],
  paused: [{ call, key, untilAt: at }, `info nothing is sent to ${key} until 12:00:01.250Z`],
  'budget-empty': [
    { call, key, rule: 'ratio', retries: 6, calls: 60, balance: 1_800 },
    `warn the retry budget of ${key} is spent: ratio, balance 1800, 6 retries for 60 calls`,
  ],
  'circuit-opened': [{ call, key, retryAt: at }, `warn the circuit of ${key} is open until 12:00:01.250Z`],
  'circuit-closed': [{ call, key }, `info the circuit of ${key} is closed again`],
  finished: [{ call, endedBecause: 'success', report }, 'debug done after 0 sends in 2.0 s (sends 2.0 s)'],
};

function logger() {
  const lines: string[] = [];
  const keep = (level: string) => (line: string) => void lines.push(`${level} ${line}`);
  return { lines, debug: keep('debug'), info: keep('info'), warn: keep('warn') };
}

function lineOf<E extends EventName>(name: E, event: EventOf<E>): string | undefined {
  const log = logger();
  logEvent(log, name, event, 1_512);
  return log.lines[0];
}

describe(logEvent.name, () => {
  it.each(EVENT_NAMES)('has a line for %s', (name) => {
    const [event, expected] = EXAMPLES[name] as readonly [EventOf<typeof name>, string];
    const line = lineOf(name, event);
    const [, level, words] = /^(\w+) (.*)$/.exec(expected) ?? [];
    const about = 'call' in event ? ` +0.512 s call-7 GET ${call.url}` : '';
    expect(line).toBe(`${level} holdfast${about}: ${words}`);
  });

  it.each<[Events['finished']['endedBecause'], number, string]>([
    ['success', 1, 'debug done after 1 send'],
    ['success', 2, 'info done after 2 sends'],
    ['cancelled', 2, 'debug cancelled after 2 sends'],
    ['retries-exhausted', 2, 'warn failed after 2 sends'],
    ['not-retryable', 1, 'warn failed after 1 send'],
  ])('of a call that ended %s, after %i sends, says: %s', (endedBecause, sends, words) => {
    const line = lineOf('finished', { call, endedBecause, report: { ...report, sends: Array(sends).fill(send) } });
    const [level, ...rest] = words.split(' ');
    const why = level === 'warn' ? `: ${endedBecause}` : '';
    const about = `${level} holdfast +0.512 s call-7 GET ${call.url}: ${rest.join(' ')} in 2.0 s (sends 2.0 s)`;
    expect(line).toBe(`${about}${why}`);
  });

  it('says that there was no answer, where there is neither a status nor a code', () => {
    const about = { call, status: undefined, code: undefined, reason: undefined, delayMs: 1_000 };
    for (const line of [
      lineOf('answered', { ...about, send: 1, verdict: 'transient', durationMs: 5 }),
      lineOf('retry-scheduled', { ...about, retry: 1, verdict: 'transient' }),
      lineOf('poll-scheduled', { ...about, poll: 1, url: call.url }),
    ])
      expect(line).toContain('no answer');
  });

  it('goes to the console of a browser, each line by its level', () => {
    const spoken = logger();
    vi.stubGlobal('process', undefined);
    vi.stubGlobal('console', spoken);
    try {
      for (const endedBecause of ['success', 'retries-exhausted'] as const)
        logEvent('all', 'finished', { call, endedBecause, report }, 1_512);
      logEvent('all', 'circuit-closed', { call, key }, 1_512);
    } finally {
      vi.unstubAllGlobals();
    }
    expect(spoken.lines.map((line) => line.split(' ')[0])).toEqual(['debug', 'warn', 'info']);
  });

  it.each<[Events['finished']['endedBecause'], number, boolean]>([
    ['success', 1, false],
    ['not-retryable', 1, false],
    ['disabled', 1, false],
    ['retries-exhausted', 1, true],
    ['limited', 0, true],
    ['not-retryable', 2, true],
  ])(
    "of 'retries' tells what a plain call would not do: %s after %i sends is told: %s",
    (endedBecause, sends, isTold) => {
      const spoken = vi.spyOn(console, 'error').mockImplementation(() => {});
      logEvent('retries', 'finished', { call, endedBecause, report: { ...report, sends: Array(sends).fill(send) } }, 0);
      expect(spoken).toHaveBeenCalledTimes(isTold ? 1 : 0);
      logEvent('retries', 'paused', { call, key, untilAt: at }, 0);
      expect(spoken).toHaveBeenCalledTimes(isTold ? 2 : 1);
    },
  );

  it("leaves out of 'retries' a call that its caller cancelled, however often it was sent", () => {
    const spoken = vi.spyOn(console, 'error').mockImplementation(() => {});
    const sentTwice = { ...report, sends: [send, send] };
    try {
      logEvent('retries', 'finished', { call, endedBecause: 'cancelled', report: sentTwice }, 1_512);
      expect(spoken).not.toHaveBeenCalled();
      logEvent('retries', 'finished', { call, endedBecause: 'success', report: sentTwice }, 1_512);
      expect(spoken).toHaveBeenCalledOnce();
    } finally {
      spoken.mockRestore();
    }
  });

  it('is one line of bounded length, whatever stands in an event', () => {
    const line = String(
      lineOf('limited', { call, key: `a\r\nholdfast: forged\u001b[31m${'x'.repeat(10_000)}`, code: undefined }),
    );
    expect(line).toContain('a holdfast: forgedxxx');
    expect(line.length).toBeLessThan(2_100);
  });
});

describe(isLogged.name, () => {
  it("leaves out of 'retries' what every call does", () => {
    const told = (log: Log) => EVENT_NAMES.filter((name) => isLogged(name, log));
    expect(told('all')).toEqual(EVENT_NAMES);
    expect(told(logger())).toEqual(EVENT_NAMES);
    expect(EVENT_NAMES.filter((name) => !told('retries').includes(name))).toEqual([
      'sent',
      'answered',
      'poll-scheduled',
      'queued',
    ]);
  });
});

describe('the log of an emitter', () => {
  it('shows how long after its call began an event came, by the time of day', () => {
    const clock = new ManualClock(5);
    clock.adjust(1_507);
    const log = logger();
    new Emitter(clock).emit('sent', { on: {}, log }, { call, send: 1 });
    expect(log.lines).toEqual([`debug holdfast +0.512 s call-7 GET ${call.url}: send 1 leaves`]);
  });
});

describe('an emitter that is debugged', () => {
  it('tells everything on the console, and once; a logger as well', () => {
    const spoken = vi.spyOn(console, 'error').mockImplementation(() => {});
    try {
      const emitter = new Emitter(new ManualClock(1_512), true);
      const log = logger();
      for (const own of [false, 'retries', 'all', log] as const) {
        const audience = { on: {}, log: own };
        expect(emitter.wants('sent', audience)).toBe(true);
        emitter.emit('sent', audience, { call, send: 1 });
        emitter.emit('paused', audience, { call, key, untilAt: at });
      }
      expect(spoken).toHaveBeenCalledTimes(8);
      expect(log.lines).toHaveLength(2);
    } finally {
      spoken.mockRestore();
    }
  });
});
