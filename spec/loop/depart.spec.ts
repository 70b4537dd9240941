import { Readable } from 'node:stream';
import { AxiosError, AxiosHeaders, type AxiosResponse, CanceledError, type InternalAxiosRequestConfig } from 'axios';
import { describe, expect, it } from 'vitest';
import type { Circuit } from '../../lib/breaker/circuit.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import type { Limiter, Policy } from '../../lib/index.ts';
import { send } from '../../lib/loop/depart.ts';
import { underWay } from '../support/under-way.ts';

const ORIGIN = 'https://api.example.com';
const answer = (config: InternalAxiosRequestConfig): AxiosResponse => ({
  status: 200,
  statusText: '',
  headers: new AxiosHeaders(),
  config,
  data: '',
});
const FAILED: Outcome = { response: { status: 503, headers: {}, data: '' } as never };

/** A call whose sends an adapter notes, and answers, unless it is to leave them alone. */
function setUp(policy: Policy = {}, config: object = {}, { answers = true } = {}) {
  const wire: { config: InternalAxiosRequestConfig; headers: object; data: unknown }[] = [];
  const adapter = async (sent: InternalAxiosRequestConfig) => {
    wire.push({ config: sent, headers: { ...sent.headers }, data: sent.data });
    return answers ? answer(sent) : new Promise<never>(() => {});
  };
  const own = { url: `${ORIGIN}/`, method: 'get', adapter, headers: new AxiosHeaders({ 'X-Own': '1' }), ...config };
  const events: unknown[] = [];
  const { call, plan, clock } = underWay(own, { on: { sent: ({ send }) => events.push(send) }, ...policy });
  const leave = () => send(call, plan, clock.now());
  /** The send after a failed one. */
  const again = () => {
    call.outcome = FAILED;
    return leave();
  };
  return { call, plan, clock, wire, own, events, leave, again };
}

describe(send.name, () => {
  it("sends the caller's own config at first, with headers of its own", async () => {
    const { call, leave, own, wire } = setUp();
    const { headers } = own;
    expect(await leave()).toMatchObject({ response: { status: 200 } });
    expect(wire[0]?.config).toBe(own);
    expect(own.headers).not.toBe(headers);
    expect(wire[0]?.headers).toEqual({ 'X-Own': '1' });
    expect(call.borrowed?.headers).toBe(headers);
  });

  it('sends a copy of what the sends are made of from the second on', async () => {
    const { again, call, leave, own, wire } = setUp();
    await leave();
    call.template = { ...own, url: `${ORIGIN}/other` };
    await again();
    expect(wire[1]?.config).not.toBe(call.template);
    expect(wire[1]?.config.url).toBe(`${ORIGIN}/other`);
    expect(wire[1]?.headers).toEqual({ 'X-Own': '1' });
  });

  it('counts and tells of what leaves, and of what kind it is', async () => {
    const { again, call, events, leave, plan } = setUp();
    await leave();
    await again();
    call.next = 'replays';
    await again();
    call.next = 'polls';
    await again();
    expect(call.isPoll).toBe(true);
    await again();
    expect(call.isPoll).toBe(false);
    expect(plan.counters).toMatchObject({ sends: 5, inFlight: 5, retries: 2, replays: 1, polls: 1 });
    expect(call).toMatchObject({ sent: 5, retries: 2, replays: 1, polls: 1 });
    expect(events).toEqual([1, 2, 3, 4, 5]);
  });

  it('writes down when and with what it left', async () => {
    const { call, clock, leave, own } = setUp();
    await clock.advance(700);
    await leave();
    expect(call.sentAt).toBe(clock.now());
    expect(call.wire).toBe(own);
    expect(call.wireHeaders).toBe(own.headers);
  });

  it('writes what its policies write', async () => {
    const { leave, wire } = setUp({
      idempotency: { methods: ['GET'], generate: () => 'k' },
      correlation: { generate: () => 'c' },
    });
    await leave();
    expect(wire[0]?.headers).toEqual({ 'X-Own': '1', 'Idempotency-Key': 'k', 'X-Correlation-ID': 'c' });
  });

  it('ends as a call does that was given up before it left', async () => {
    const controller = new AbortController();
    const { call, leave, plan, wire } = setUp({}, { signal: controller.signal });
    controller.abort();
    expect((await leave()).error).toBeInstanceOf(CanceledError);
    expect(call.refusedBecause).toBe('cancelled');
    expect(wire).toEqual([]);
    expect(plan.counters).toMatchObject({ sends: 0, inFlight: 0 });
  });

  it('ends as a call does whose deadline has come', async () => {
    const { call, clock, leave, wire } = setUp({ deadlineMs: 1_000 });
    await clock.advance(1_000);
    expect((await leave()).error).toMatchObject({ code: 'ETIMEDOUT', message: 'deadline of 1000ms exceeded' });
    expect(call.refusedBecause).toBe('deadline');
    expect(wire).toEqual([]);
  });

  it('ends where the circuit has opened meanwhile', async () => {
    const { call, clock, leave, plan, wire } = setUp({ breaker: {} });
    plan.breaker?.enter(call, clock.now());
    open(call.breaker?.circuit, clock.now());
    expect((await leave()).error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
    expect(call.refusedBecause).toBe('circuit-open');
    expect(wire).toEqual([]);
  });

  describe('within its bounds', () => {
    it('is cut off at the deadline of the call', async () => {
      const { call, clock, leave } = setUp({ deadlineMs: 1_000 }, { timeout: 5_000 }, { answers: false });
      await clock.advance(400);
      const sent = leave();
      await clock.advance(599);
      expect(call.cutOff).toBeUndefined();
      await clock.advance(1);
      const outcome = await sent;
      expect(outcome.error).toBeInstanceOf(AxiosError);
      expect(outcome.error).toMatchObject({ code: 'ETIMEDOUT', message: 'deadline of 1000ms exceeded' });
      expect(call.cutOff).toBe(outcome);
    });

    it.each([500, '500'])(
      'is cut off a second after its timeout of %j, where the adapter does not see to it',
      async (timeout) => {
        const { call, clock, leave } = setUp({ deadlineMs: 60_000 }, { timeout }, { answers: false });
        const sent = leave();
        let isOver = false;
        void sent.then(() => {
          isOver = true;
        });
        await clock.advance(1_499);
        expect(isOver).toBe(false);
        await clock.advance(1);
        expect((await sent).error).toMatchObject({ code: 'ETIMEDOUT', message: 'timeout of 500ms exceeded' });
        expect(call.cutOff).toBeUndefined();
      },
    );

    it('says what the caller has a timeout say', async () => {
      const { clock, leave } = setUp({}, { timeout: 500, timeoutErrorMessage: 'too slow' }, { answers: false });
      const sent = leave();
      await clock.advance(1_500);
      expect((await sent).error).toMatchObject({ message: 'too slow' });
    });

    it('goes by the deadline where both come at once', async () => {
      const { call, clock, leave } = setUp({ deadlineMs: 1_500 }, { timeout: 500 }, { answers: false });
      const sent = leave();
      await clock.advance(1_500);
      expect(call.cutOff).toBe(await sent);
    });

    it('ends when the caller gives up, also where the adapter does not see it', async () => {
      const controller = new AbortController();
      const { leave } = setUp({}, { signal: controller.signal }, { answers: false });
      const sent = leave();
      controller.abort();
      expect((await sent).error).toBeInstanceOf(CanceledError);
    });

    it.each([0, undefined, -1, 'soon'])(
      'sets no timer without a deadline and with a timeout of %j',
      async (timeout) => {
        const { call, clock, leave } = setUp({}, { timeout }, {});
        await leave();
        expect(clock.asked).toEqual([]);
        expect(call.aborter).toBeUndefined();
      },
    );

    it('has what ends the body of the answer, and lets go of it when the next leaves', async () => {
      const { again, call, leave } = setUp({ deadlineMs: 10_000 });
      await leave();
      const first = call.aborter;
      expect(first).toBeDefined();
      await again();
      expect(call.aborter).not.toBe(first);
    });
  });

  describe('with beforeSend', () => {
    it('is asked before each send, with a config of its own and what is known of the call', async () => {
      const asked: unknown[] = [];
      const { again, call, leave, own, wire } = setUp({
        beforeSend: (argument) => {
          asked.push({ ...argument, config: undefined, frozen: Object.isFrozen(argument) });
          argument.config.headers.set('X-Signed', String(argument.send));
        },
      });
      await leave();
      await again();
      expect(asked).toEqual([
        { config: undefined, send: 1, call: expect.objectContaining({ sends: 0 }), last: undefined, frozen: true },
        { config: undefined, send: 2, call: expect.objectContaining({ sends: 1 }), last: FAILED, frozen: true },
      ]);
      expect(wire.map(({ headers }) => headers)).toEqual([
        { 'X-Own': '1', 'X-Signed': '1' },
        { 'X-Own': '1', 'X-Signed': '2' },
      ]);
      expect({ ...own.headers }).toEqual({ 'X-Own': '1' });
      expect(call.borrowed).toBeUndefined();
    });

    it('asks several in their order, and the next when the one before has ended', async () => {
      const asked: number[] = [];
      const { leave } = setUp({
        beforeSend: [
          async () => {
            await Promise.resolve();
            asked.push(1);
          },
          () => void asked.push(2),
        ],
      });
      await leave();
      expect(asked).toEqual([1, 2]);
    });

    it('ends the call where it says false: as if cancelled, or with the last answer', async () => {
      const { again, call, leave, wire } = setUp({ beforeSend: [() => false, fail] });
      expect((await leave()).error).toBeInstanceOf(CanceledError);
      expect(call.refusedBecause).toBe('stopped');
      call.sent = 1;
      expect(await again()).toBe(FAILED);
      expect(wire).toEqual([]);
    });

    it.each<[unknown, string]>([
      [true, 'true'],
      [{}, 'an object'],
      ['https://user:hunter2@api.example.com', 'a string'],
      [null, 'null'],
    ])('refuses %o in place of nothing', async (given, shown) => {
      const { leave } = setUp({ beforeSend: (async () => given) as never });
      await expect(leave()).rejects.toThrow(
        `beforeSend must change \`config\` in place and give nothing, or false to stop; it gave ${shown}`,
      );
    });

    it('is waited for no longer than the call may last, and not once it is given up', async () => {
      const controller = new AbortController();
      const hanging: Policy = { beforeSend: () => new Promise<void>(() => {}), deadlineMs: 1_000 };
      const late = setUp(hanging);
      const [sent] = [late.leave()];
      await late.clock.advance(1_000);
      expect((await sent).error).toMatchObject({ message: 'deadline of 1000ms exceeded' });
      expect(late.call.refusedBecause).toBe('deadline');

      const cancelled = setUp(hanging, { signal: controller.signal });
      const given = cancelled.leave();
      controller.abort();
      expect((await given).error).toBeInstanceOf(CanceledError);
      expect(cancelled.call.refusedBecause).toBe('cancelled');
      expect([late.wire, cancelled.wire]).toEqual([[], []]);
    });

    it('may take time: the send counts from when it leaves', async () => {
      const { call, clock, leave } = setUp({
        beforeSend: () => new Promise((resolve) => void clock.after(300, () => resolve())),
      });
      const began = clock.now();
      const sent = leave();
      await clock.advance(300);
      await sent;
      expect(call.sentAt - began).toBe(300);
    });

    it('has the limiter of where it goes asked, and the one of where it does not go freed', async () => {
      const log: string[] = [];
      const limiter: Limiter = {
        acquire: ({ key }) => {
          log.push(`take ${key}`);
          return { release: () => log.push(`release ${key}`), drop: () => log.push(`drop ${key}`) };
        },
        pause: () => {},
        close: async () => {},
        stats: () => ({ queued: 0, running: 0 }),
      };
      const elsewhere = 'https://mirror.example.com';
      const { call, leave, plan } = setUp({
        limit: limiter,
        beforeSend: ({ config }) => {
          config.url = elsewhere;
        },
      });
      plan.limit?.enter(call);
      await leave();
      expect(log).toEqual([`take ${ORIGIN}`, `drop ${ORIGIN}`, `take ${elsewhere}`]);
    });

    it('needs no permit for a call that it makes itself', async () => {
      const asked: unknown[] = [];
      const limit: Limiter = {
        acquire: ({ nested }) => {
          asked.push(nested);
          return { release: () => {} };
        },
        pause: () => {},
        close: async () => {},
        stats: () => ({ queued: 0, running: 0 }),
        takesNested: true,
      };
      const inner = setUp({ limit });
      const { call, leave, plan } = setUp({ limit, beforeSend: () => void inner.plan.limit?.enter(inner.call) });
      plan.limit?.enter(call);
      await leave();
      expect(asked).toEqual([false, true]);
    });

    it('ends where it is turned to a place whose budget allows no retry', async () => {
      const { again, call, clock, leave, plan, wire } = setUp({
        beforeSend: ({ config, send: n }) => {
          if (n > 1) config.url = 'https://mirror.example.com';
        },
      });
      await leave();
      plan.budget?.arrive(call);
      call.outcome = FAILED;
      plan.budget?.withdraw(call, 'transient', false, clock.now());
      const other = underWay({ url: 'https://mirror.example.com', headers: new AxiosHeaders() }).call;
      for (let i = 0; i < 150; i++) plan.budget?.withdraw(other, 'transient', false, clock.now());
      expect(await again()).toBe(FAILED);
      expect(call.refusedBecause).toBe('budget-empty');
      expect(wire).toHaveLength(1);
    });

    it('ends where it is turned to a circuit that is open', async () => {
      const { call, clock, leave, plan, wire } = setUp({
        breaker: { key: ({ url }) => String(url) },
        beforeSend: ({ config }) => {
          config.url = 'https://mirror.example.com';
        },
      });
      plan.breaker?.enter(call, clock.now());
      plan.breaker?.moveTo(call, { ...call.config, url: 'https://mirror.example.com' });
      open(call.breaker?.circuit, clock.now());
      expect((await leave()).error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
      expect(call.refusedBecause).toBe('circuit-open');
      expect(wire).toEqual([]);
    });
  });

  describe('with a body that can be read once', () => {
    const body = () => 'made anew';

    it('makes it anew for a repeat, before beforeSend sees it, and not for the first send', async () => {
      const seen: unknown[] = [];
      const { again, leave, wire } = setUp(
        { body, beforeSend: ({ config }) => void seen.push(config.data) },
        { data: Readable.from(['once']) },
      );
      await leave();
      await again();
      expect(wire[0]?.data).toBeInstanceOf(Readable);
      expect(wire[1]?.data).toBe('made anew');
      expect(seen[1]).toBe('made anew');
    });

    it('leaves a body that can be read again', async () => {
      const { again, leave, wire } = setUp({ body }, { data: 'text' });
      await leave();
      await again();
      expect(wire.map(({ data }) => data)).toEqual(['text', 'text']);
    });

    it('sends what is left of it where the policy makes none', async () => {
      const data = Readable.from(['once']);
      const { again, leave, wire } = setUp({}, { data });
      await leave();
      await again();
      expect(wire[1]?.data).toBe(data);
    });
  });

  describe('where redirects matter', () => {
    const isWatched = (config: InternalAxiosRequestConfig | undefined) => config?.env?.fetch !== undefined;
    // The http adapter, which never gets that far: no host is called so.
    const real = { adapter: 'http', url: 'http://[', timeout: 1 };

    it.each([
      ['get', false],
      ['put', false],
      ['post', true],
      ['patch', true],
    ])('a first %s is watched or not', async (method, watched) => {
      const { call, leave } = setUp({}, { ...real, method });
      await leave();
      expect(isWatched(call.wire)).toBe(watched);
    });

    it('a further send is watched, whatever its method; where the adapter is a function it is of no use', async () => {
      const { again, call, leave } = setUp({}, real);
      await leave();
      await again();
      expect(isWatched(call.wire)).toBe(true);
      const own = setUp({}, { method: 'post' });
      await own.leave();
      expect(isWatched(own.call.wire)).toBe(false);
    });
  });

  describe('with an adapter that makes a call of its own', () => {
    it('has that call need no permit of its own', async () => {
      const asked: string[] = [];
      const limiter: Limiter = {
        acquire: ({ nested }) => {
          asked.push(nested ? 'nested' : 'plain');
          return { release: () => {} };
        },
        pause: () => {},
        close: async () => {},
        stats: () => ({ queued: 0, running: 0 }),
        takesNested: true,
      };
      const policy: Policy = { limit: limiter };
      const { call, leave, own, plan } = setUp(policy);
      const inner = underWay({ ...own, headers: new AxiosHeaders() }, policy);
      const adapter = async (config: InternalAxiosRequestConfig) => {
        await inner.plan.limit?.enter(inner.call);
        return answer(config);
      };
      own.adapter = adapter;
      await plan.limit?.enter(call);
      await leave();
      expect(asked).toEqual(['plain', 'nested']);
    });
  });
});

function open(circuit: Circuit | undefined, nowMs: number): void {
  for (let i = 0; i < 20; i++) circuit?.sent(circuit.enter(nowMs), 'failed', nowMs);
}

function fail(): never {
  throw new Error('asked all the same');
}
