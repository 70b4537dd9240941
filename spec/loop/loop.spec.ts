import { AxiosError, AxiosHeaders, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it, onTestFinished } from 'vitest';
import { failureOf, type Limiter, type Permit, type Policy, reportOf } from '../../lib/index.ts';
import { loop } from '../../lib/loop/loop.ts';
import { underWay } from '../support/under-way.ts';

/** What the n-th send gets: a status, or an error to reject with. */
type Line = number | Error;

interface Run {
  /** What was done, in order. */
  readonly log: string[];
  readonly settled: Promise<PromiseSettledResult<AxiosResponse>>;
  now(): string[];
}

/** A call whose limiter and adapter write down what is asked of them. */
function run(
  lines: readonly Line[],
  policy: Policy = {},
  permits: readonly (Error | Promise<Error> | undefined)[] = [],
): Run {
  const log: string[] = [];
  let sends = 0;
  let asked = 0;
  const permit = (): Permit => ({
    release: () => void log.push('release'),
    drop: () => void log.push('drop'),
    answered: ({ throttled }) => void log.push(`answered${throttled ? ', throttled' : ''}`),
  });
  const limit: Limiter = {
    acquire: () => {
      log.push('permit');
      const refused = permits[asked++];
      if (refused instanceof Error) throw refused;
      return refused === undefined
        ? permit()
        : refused.then((error) => {
            throw error;
          });
    },
    pause: () => {},
    close: async () => {},
    stats: () => ({ queued: 0, running: 0 }),
  };
  const adapter = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    const line = lines[Math.min(sends++, lines.length - 1)] ?? 200;
    log.push(`send ${sends}`);
    if (line instanceof Error) throw line;
    const response = { status: line, statusText: '', headers: new AxiosHeaders(), config, data: '', request: {} };
    if (line < 400) return response;
    throw new AxiosError(`status ${line}`, 'ERR_BAD_RESPONSE', config, {}, response);
  };
  const config = { url: 'https://api.example.com/', method: 'get', adapter, headers: new AxiosHeaders() };
  const { call, plan, clock } = underWay(config, {
    retry: { backoff: () => 1_000, budget: false },
    limit,
    ...policy,
    on: { finished: ({ endedBecause }) => log.push(`end ${endedBecause}`) },
  });
  let ended = false;
  const settled = Promise.allSettled([loop(call, plan)]).then(([result]) => {
    ended = true;
    return result;
  });
  const early = [...log];
  const moving = (async () => {
    // As often as any of these calls needs, and not for ever.
    for (let turn = 0; turn < 5_000 && !ended; turn++) await clock.advance(1_000);
  })();
  onTestFinished(() => moving);
  return { log, settled, now: () => early };
}

const ONE = ['permit', 'send 1', 'answered', 'release'];

describe(loop.name, () => {
  it('gets a permit, sends, tells the limiter, gives the permit back, and ends', async () => {
    const { log, settled } = run([200]);
    expect(await settled).toMatchObject({ status: 'fulfilled', value: { status: 200 } });
    expect(log).toEqual([...ONE, 'end success']);
  });

  it('sends within the turn of the call where nothing has to be waited for', async () => {
    const { now, settled } = run([200]);
    expect(now()).toEqual(['permit', 'send 1']);
    await settled;
  });

  it('takes a permit for each send, and holds none while it waits', async () => {
    const { log, settled } = run([503, 503, 200]);
    await settled;
    expect(log.join(' ')).toBe(
      'permit send 1 answered release permit send 2 answered release permit send 3 answered release end success',
    );
  });

  it('ends with the last answer, and the reason', async () => {
    const { log, settled } = run([503], { retry: { backoff: () => 0, maxRetries: 1, budget: false } });
    expect(await settled).toMatchObject({ status: 'rejected', reason: { response: { status: 503 } } });
    expect(log.at(-1)).toBe('end retries-exhausted');
  });

  it('sends nothing where the permit is refused, at once or later', async () => {
    for (const refused of [new Error('full'), Promise.resolve(new Error('full'))]) {
      const { log, settled } = run([200], {}, [refused]);
      expect(await settled).toMatchObject({ status: 'rejected', reason: { message: 'full' } });
      expect(log).toEqual(['permit', 'end limited']);
    }
  });

  it('ends with the answer that it has where the permit for a retry is refused', async () => {
    const { log, settled } = run([503], {}, [undefined, new Error('full')]);
    expect(await settled).toMatchObject({ status: 'rejected', reason: { response: { status: 503 } } });
    expect(log).toEqual([...ONE, 'permit', 'end limited']);
  });

  it('gets another token after a 401, and sends again with that', async () => {
    const { log, settled } = run([401, 200], {
      auth: { token: () => 'a', refresh: async () => 'b', origins: ['https://api.example.com'] },
    });
    expect((await settled).status).toBe('fulfilled');
    expect(log.filter((step) => step.startsWith('send'))).toEqual(['send 1', 'send 2']);
  });

  it('ends with the failed refresh where there is no other token', async () => {
    const { log, settled } = run([401, 200], {
      auth: {
        token: () => 'a',
        refresh: async () => Promise.reject(Object.assign(new Error('revoked'), { response: { status: 400 } })),
        retry: { retries: 0 },
        origins: ['https://api.example.com'],
      },
    });
    expect(await settled).toMatchObject({ reason: { code: 'ERR_TOKEN_REFRESH' } });
    expect(log.at(-1)).toBe('end refresh-failed');
    expect(log.filter((step) => step.startsWith('send'))).toEqual(['send 1']);
  });

  it('asks again for what is pending, until it is done', async () => {
    const { log, settled } = run([202, 202, 200], { statuses: { 202: 'pending' } });
    const result = await settled;
    expect(result).toMatchObject({ value: { status: 200 } });
    expect(reportOf((result as PromiseFulfilledResult<AxiosResponse>).value)?.waitedMs).toBe(2_000);
    expect(log.filter((step) => step.startsWith('send'))).toEqual(['send 1', 'send 2', 'send 3']);
  });

  it('asks for nothing more where the deadline comes while it waits', async () => {
    const { log, settled } = run([503], {
      deadlineMs: 1_500,
      retry: { backoff: () => 1_000, budget: false, onRetry: () => new Promise(() => {}) },
    });
    expect(await settled).toMatchObject({ reason: { response: { status: 503 } } });
    expect(log.at(-1)).toBe('end deadline');
    expect(log.filter((step) => step.startsWith('send'))).toEqual(['send 1']);
  });

  it('asks for nothing where the circuit is open', async () => {
    const { log, settled } = run([...Array<number>(20).fill(503), 200], {
      breaker: {},
      retry: { backoff: () => 0, budget: false, maxRetries: 30 },
    });
    expect(await settled).toMatchObject({ reason: { response: { status: 503 } } });
    expect(log.at(-1)).toBe('end circuit-open');
    expect(log.filter((step) => step === 'permit')).toHaveLength(20);
  });

  it('asks for no permit where the circuit is open by then', async () => {
    const { call, plan, clock } = underWay(
      { url: 'https://api.example.com/', method: 'get', headers: new AxiosHeaders() },
      { breaker: {}, limit: refusing() },
    );
    const outcome = { error: new AxiosError('lost', 'ECONNRESET') };
    for (let sends = 0; sends < 20; sends++) {
      plan.breaker?.depart(call, clock.now());
      plan.breaker?.arrive(call, outcome, clock.now());
    }
    await expect(loop(call, plan)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
  });

  it('refreshes nothing and polls nothing without a policy that says so', async () => {
    for (const status of [401, 202]) {
      const { log, settled } = run([status]);
      await settled;
      expect(log.filter((step) => step.startsWith('send'))).toEqual(['send 1']);
    }
  });

  it.each<[string, Policy, string[]]>([
    ['a judge', { classify: () => fail() }, ['permit', 'send 1', 'release', 'end not-retryable']],
    ['a key', { idempotency: { methods: ['GET'], generate: () => fail() } }, ['permit', 'drop', 'end not-retryable']],
    ['beforeSend', { beforeSend: () => fail() }, ['permit', 'drop', 'end not-retryable']],
    ['a late judge', { classify: async () => fail() }, ['permit', 'send 1', 'release', 'end not-retryable']],
    [
      'the backoff',
      { retry: { backoff: () => fail() } },
      ['permit', 'send 1', 'answered', 'release', 'end not-retryable'],
    ],
  ])('closes the books once where %s throws, and passes on what it threw', async (_, policy, steps) => {
    const { log, settled } = run([503], policy);
    const result = await settled;
    expect(result).toMatchObject({ status: 'rejected', reason: { message: 'odd' } });
    expect(log).toEqual(steps);
    const { reason } = result as PromiseRejectedResult;
    expect(failureOf(reason)?.endedBecause).toBe('not-retryable');
    expect(reportOf(reason)?.sends).toHaveLength(steps.includes('send 1') ? 1 : 0);
  });

  it('goes on for as long as its policy says', async () => {
    const { log, settled } = run([...Array<number>(500).fill(503), 200], {
      retry: { maxRetries: 1_000, backoff: () => 0, budget: false },
    });
    expect((await settled).status).toBe('fulfilled');
    expect(log.filter((step) => step.startsWith('send'))).toHaveLength(501);
  });
});

/** A limiter that nobody may ask. */
function refusing(): Limiter {
  return {
    acquire: fail,
    pause: () => {},
    close: async () => {},
    stats: () => ({ queued: 0, running: 0 }),
  };
}

function fail(): never {
  throw new Error('odd');
}
