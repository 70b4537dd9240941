import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { OneAtATime } from '../support/limiter.ts';
import { settle } from '../support/manual-clock.ts';

const NOTHING = {
  calls: 0,
  sends: 0,
  retries: 0,
  replays: 0,
  polls: 0,
  refreshes: 0,
  inFlight: 0,
  queued: 0,
  waiting: 0,
  pausedKeys: 0,
  open: [],
};

/** Waits until something is so, by turns of the event loop. */
async function until(so: () => boolean): Promise<void> {
  for (let turns = 0; turns < 1_000_000; turns++) {
    if (so()) return;
    await settle();
  }
  throw new Error('it never came to that');
}

/** A gate that holds every answer until it is opened. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe.each(ADAPTERS)('the statistics, over %s', (adapter) => {
  it('begin at nothing', async () => {
    const { holdfast } = await attached(status(200), {}, { adapter });
    expect(holdfast.stats()).toEqual({ ...NOTHING, budget: {} });
  });

  it('count calls, sends and retries, and the balance of the budget', async () => {
    const { client, holdfast, server } = await attached(
      inTurn(status(503), status(503), status(200)),
      { retry: { budget: { refillPerSecond: 0 } } },
      { adapter },
    );
    await client.get('/');
    expect(holdfast.stats()).toEqual({ ...NOTHING, calls: 1, sends: 3, retries: 2, budget: { [server.url]: 2_086 } });
    await client.get('/');
    expect(holdfast.stats()).toEqual({ ...NOTHING, calls: 2, sends: 4, retries: 2, budget: { [server.url]: 2_087 } });
    expect(server.seen).toHaveLength(4);
  });

  it('count calls that fail, and none that was let through or refused before it began', async () => {
    const { client, holdfast, server } = await attached(status(404), {}, { adapter });
    await rejectionOf(client.get('/'));
    await rejectionOf(client.get('/', { holdfast: false }));
    await rejectionOf(client.get('/', { holdfast: { retry: { maxRetries: -1 } } }));
    expect(holdfast.stats()).toEqual({ ...NOTHING, calls: 1, sends: 1, budget: { [server.url]: 2_100 } });
    expect(server.seen).toHaveLength(2);
  });

  it('show what is on the wire at this moment', async () => {
    const { opened, open } = gate();
    const { client, holdfast, server } = await attached(
      async (_request, response) => {
        await opened;
        response.end();
      },
      {},
      { adapter },
    );
    const calls = [client.get('/'), client.get('/'), client.get('/')];
    await until(() => server.seen.length === 3);
    expect(holdfast.stats()).toMatchObject({ calls: 3, sends: 3, inFlight: 3 });
    open();
    await Promise.all(calls);
    expect(holdfast.stats()).toMatchObject({ calls: 3, sends: 3, inFlight: 0 });
  });

  it('show what waits for its retry, until that is made or given up', async () => {
    const controller = new AbortController();
    const { client, holdfast } = await attached(status(503, { 'retry-after': '60' }), {}, { adapter });
    const failing = rejectionOf(client.get('/', { signal: controller.signal }));
    await until(() => holdfast.stats().waiting === 1);
    expect(holdfast.stats()).toMatchObject({ sends: 1, retries: 0, inFlight: 0, waiting: 1 });
    controller.abort();
    await failing;
    expect(holdfast.stats()).toMatchObject({ sends: 1, retries: 0, inFlight: 0, waiting: 0 });
  });

  it('show what is queued for its permit', async () => {
    const { opened, open } = gate();
    const limit = new OneAtATime();
    const { client, holdfast, server } = await attached(
      async (_request, response) => {
        await opened;
        response.end();
      },
      { limit },
      { adapter },
    );
    const calls = [client.get('/'), client.get('/'), client.get('/')];
    await until(() => server.seen.length === 1);
    expect(holdfast.stats()).toMatchObject({ calls: 3, sends: 1, inFlight: 1, queued: 2 });
    open();
    await Promise.all(calls);
    expect(holdfast.stats()).toMatchObject({ calls: 3, sends: 3, inFlight: 0, queued: 0 });
  });

  it('come back to rest after every kind of end', async () => {
    const { client, holdfast } = await attached(status(503), {}, { adapter });
    const raise = () => {
      throw new Error('mine');
    };
    await rejectionOf(client.get('/', { holdfast: { classify: raise } }));
    await rejectionOf(client.get('/', { holdfast: { beforeSend: raise } }));
    await rejectionOf(client.get('/', { holdfast: { retry: false } }));
    await rejectionOf(client.get('/', { signal: AbortSignal.abort() }));
    await rejectionOf(client.get('http://127.0.0.1:1/'));
    await rejectionOf(client.post('/', new ReadableStream(), { holdfast: { deadlineMs: 1 } }));
    expect(holdfast.stats()).toMatchObject({ inFlight: 0, queued: 0, waiting: 0 });
  });

  it('are a snapshot that nobody can reach the counters through', async () => {
    const { client, holdfast } = await attached(status(200), {}, { adapter });
    const before = holdfast.stats();
    Object.assign(before, { calls: 99 });
    await client.get('/');
    expect(before.sends).toBe(0);
    expect(holdfast.stats().calls).toBe(1);
    expect(JSON.parse(JSON.stringify(holdfast.stats()))).toEqual(holdfast.stats());
  });

  it('go on counting a call that was under way when it was detached, and no later one', async () => {
    const { opened, open } = gate();
    const { client, holdfast, server } = await attached(
      async (_request, response) => {
        await opened;
        response.end();
      },
      {},
      { adapter },
    );
    const underWay = client.get('/');
    await until(() => server.seen.length === 1);
    holdfast.detach();
    open();
    await underWay;
    await client.get('/');
    expect(holdfast.stats()).toMatchObject({ calls: 1, sends: 1, inFlight: 0 });
  });
});
