import type { AxiosRequestConfig } from 'axios';
import { failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attached, rejectionOf, status } from '../support/attached.ts';
import { byHand, until } from '../support/by-hand.ts';
import { reset } from '../support/faults.ts';
import { Noted } from '../support/limiters.ts';
import { type Answer, type Loopback, loopback } from '../support/loopback.ts';

/** Report: axios-retry#90, a retry that goes to a mirror. */
async function mirror(answer: Answer = status(200)): Promise<Loopback> {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  return server;
}

/** Has further sends go to a mirror, or those that `when` says. */
function movedTo({ url }: Loopback, when: (send: number, config: AxiosRequestConfig) => boolean = (send) => send > 1) {
  const beforeSend: NonNullable<Policy['beforeSend']> = ({ config, send }) => {
    if (when(send, config)) config.baseURL = url;
  };
  return { beforeSend };
}

const isMirrored = (_send: number, { url }: AxiosRequestConfig) => url === '/mirrored';

describe('a retry that beforeSend has go to a mirror', () => {
  it.each([
    ['answers 503', status(503)],
    ['loses every connection', reset],
  ])(
    'gets there from a host that %s, under a breaker and a limiter, and by every one of 60 calls',
    async (_what, down) => {
      const well = await mirror();
      const { client, holdfast, server } = await attached(down, {
        ...movedTo(well),
        breaker: {},
        limit: { requests: 1_000, perMs: 1_000, burst: 100 },
      });
      const answers = await Promise.all(Array.from({ length: 60 }, (_, i) => client.get(`/${i}`)));
      expect(answers.every((answer) => answer.status === 200)).toBe(true);
      expect([server.seen.length, well.seen.length]).toEqual([60, 60]);
      expect(holdfast.stats().open).toEqual([server.url]);
      expect(holdfast.stats()).toMatchObject({ inFlight: 0, queued: 0, waiting: 0 });
    },
  );

  it('costs the budget of the mirror, and what came of it is booked there', async () => {
    const well = await mirror(status(404));
    const budget = { capacity: 100, transientCost: 14, refund: 1, refillPerSecond: 0 };
    const { client, holdfast, server } = await attached(status(503), { ...movedTo(well), retry: { budget } });
    await rejectionOf(client.get('/'));
    expect(holdfast.stats().budget).toEqual({ [server.url]: 100, [well.url]: 86 });
  });

  it('goes out though the budget of the first host is empty, and not where that of the mirror is', async () => {
    const ill = await mirror(status(503));
    const budget = { capacity: 14, transientCost: 14, refillPerSecond: 0 };
    const where = (_send: number, { url }: AxiosRequestConfig) => url === '/mirrored';
    const policy: Policy = { ...movedTo(ill, (send, config) => send > 1 && where(send, config)), retry: { budget } };
    const { client, holdfast, server } = await attached(status(503), policy);
    const heard: string[] = [];
    holdfast.on('budget-empty', ({ key }) => heard.push(key));
    // Each has one retry in it.
    expect(failureOf(await rejectionOf(client.get('/')))).toMatchObject({ sends: 2, endedBecause: 'budget-empty' });
    expect(failureOf(await rejectionOf(client.get('/mirrored')))).toMatchObject({ sends: 2, status: 503 });
    const failure = failureOf(await rejectionOf(client.get('/mirrored')));
    expect(failure).toMatchObject({ sends: 1, endedBecause: 'budget-empty', budget: { rule: 'bucket', balance: 0 } });
    expect(heard).toEqual([server.url, ill.url, ill.url]);
    expect(ill.seen).toHaveLength(1);
  });

  it('takes back what it took where it never leaves', async () => {
    const well = await mirror();
    const thrown = new Error('thrown');
    const { client, holdfast, server } = await attached(status(503), {
      beforeSend: ({ send }) => {
        if (send > 1) throw thrown;
      },
      retry: { budget: { capacity: 100, refillPerSecond: 0 } },
    });
    expect(await rejectionOf(client.get('/'))).toBe(thrown);
    expect(holdfast.stats().budget[server.url]).toBe(100);
    expect(well.seen).toEqual([]);
  });
});

describe('a send goes by where it goes', () => {
  it('opens the circuit of that place, and leaves that of the call’s own address alone', async () => {
    const ill = await mirror(status(500));
    const policy: Policy = { ...movedTo(ill, isMirrored), breaker: { minimumThroughput: 4 }, retry: false };
    const { client, holdfast, server } = await attached(status(200), policy);
    for (let i = 0; i < 4; i++) await rejectionOf(client.get('/mirrored'));
    expect(holdfast.stats().open).toEqual([ill.url]);
    const refused = await rejectionOf(client.get('/mirrored'));
    expect(refused).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', message: expect.stringContaining(ill.url) });
    expect((await client.get('/')).status).toBe(200);
    expect([server.seen.length, ill.seen.length]).toEqual([1, 4]);
  });

  it('pauses the bucket of that place by its 429, and no other', async () => {
    const busy = await mirror(status(429, { 'retry-after': '30' }));
    const policy: Policy = { ...movedTo(busy, isMirrored), limit: {}, retry: false };
    const { client, holdfast, server } = await attached(status(200), policy);
    const paused: string[] = [];
    holdfast.on('paused', ({ key }) => paused.push(key));
    await rejectionOf(client.get('/mirrored'));
    expect(paused).toEqual([busy.url]);
    expect((await client.get('/')).status).toBe(200);
    const late = await rejectionOf(client.get('/mirrored', { holdfast: { deadlineMs: 5_000 } }));
    expect(late).toMatchObject({ code: 'ERR_LIMIT_DEADLINE' });
    expect([server.seen.length, busy.seen.length]).toEqual([1, 1]);
  });

  it('drops the permit that it has, takes one of that place, and runs beforeSend once', async () => {
    const well = await mirror();
    const limit = new Noted();
    let ran = 0;
    const { client, server } = await attached(status(200), {
      limit,
      beforeSend: ({ config }) => {
        ran += 1;
        config.baseURL = well.url;
      },
    });
    await client.get('/');
    expect(limit.requests.map(({ key }) => key)).toEqual([server.url, well.url]);
    expect(limit.log).toEqual(['acquire', 'drop', 'acquire', 'answered', 'release']);
    expect(ran).toBe(1);
  });

  it('waits for the permit of that place while it holds none', async () => {
    const policy: Policy = { limit: { maxConcurrent: 1 } };
    let answerNow = () => {};
    const gate = new Promise<void>((resolve) => {
      answerNow = resolve;
    });
    const slow = await mirror(async (_request, response) => {
      await gate;
      response.end('{}');
    });
    const { client, holdfast } = await attached(status(200), { ...policy, ...movedTo(slow, isMirrored) });
    const first = client.get('/mirrored');
    await until(() => slow.seen.length === 1);
    const second = client.get('/mirrored');
    await until(() => holdfast.stats().queued === 1);
    // Were the second to hold the one permit of the first host, this would wait for it.
    expect((await client.get('/')).status).toBe(200);
    expect(slow.seen).toHaveLength(1);
    answerNow();
    const answers = await Promise.all([first, second]);
    expect(reportOf(answers[1])?.sends[0]?.queuedMs).toBeGreaterThan(0);
    expect(slow.seen).toHaveLength(2);
  });

  it('does not get so far where the circuit of the call’s own address is open: that is asked first', async () => {
    const well = await mirror();
    const policy: Policy = { ...movedTo(well, isMirrored), breaker: { minimumThroughput: 4 }, retry: false };
    const { client } = await attached(status(500), policy);
    for (let i = 0; i < 4; i++) await rejectionOf(client.get('/'));
    expect(await rejectionOf(client.get('/mirrored'))).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
    expect(well.seen).toEqual([]);
  });

  it('asks for the keys once for a call without beforeSend, however many sends it takes', async () => {
    const asked: string[] = [];
    const key = (name: string) => () => {
      asked.push(name);
      return 'k';
    };
    const { client } = await attached(status(503), {
      breaker: { key: key('breaker') },
      limit: { key: key('limit') },
      retry: { budget: { key: key('budget') } },
    });
    await rejectionOf(client.get('/'));
    expect(asked.sort()).toEqual(['breaker', 'budget', 'limit']);
  });
});

describe('a permit costs nothing of the quota where nothing is sent', () => {
  const three = { requests: 3, perMs: 1_200_000, burst: 3 };

  it('since beforeSend throws', async () => {
    let throws = true;
    const { client, server } = await attached(status(200), {
      limit: three,
      beforeSend: () => {
        if (throws) throw new Error('no');
      },
    });
    for (let i = 0; i < 3; i++) await rejectionOf(client.get('/'));
    throws = false;
    for (let i = 0; i < 3; i++) await client.get('/');
    expect(server.seen).toHaveLength(3);
  });

  it('since the call is aborted between its permit and its send', async () => {
    let isBusy = true;
    const { client, server } = await attached(status(200), {
      limit: three,
      beforeSend: () => (isBusy ? new Promise(() => {}) : undefined),
    });
    for (let i = 0; i < 3; i++) {
      const controller = new AbortController();
      const call = rejectionOf(client.get('/', { signal: controller.signal }));
      await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      expect(failureOf(await call)).toMatchObject({ kind: 'cancelled', sends: 0 });
    }
    isBusy = false;
    for (let i = 0; i < 3; i++) await client.get('/');
    expect(server.seen).toHaveLength(3);
  });

  it('since the circuit opened meanwhile', async () => {
    let grant = () => {};
    const limit = new Noted((_request, permit) => new Promise((resolve) => (grant = () => resolve(permit()))));
    const policy: Policy = { breaker: { minimumThroughput: 4 }, retry: false };
    const { client, holdfast } = await byHand(status(503), policy);
    const late = rejectionOf(client.get('/', { holdfast: { limit } }));
    await until(() => holdfast.stats().queued === 1);
    for (let i = 0; i < 4; i++) await rejectionOf(client.get('/'));
    grant();
    expect(await late).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
    expect(limit.log).toEqual(['acquire', 'drop']);
  });

  it('but a send that was made has used its permit, whatever becomes of it', async () => {
    const limit = new Noted();
    const { client } = await attached(status(200), {
      limit,
      classify: () => {
        throw new Error('no');
      },
    });
    await rejectionOf(client.get('/'));
    expect(limit.log).toEqual(['acquire', 'release']);
  });
});
