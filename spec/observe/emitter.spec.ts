import axios from 'axios';
import {
  attach,
  type Call,
  type EventName,
  type EventOf,
  InvalidPolicyError,
  type Listener,
  type Policy,
} from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../lib/call/events.ts';
import { type Audience, Emitter } from '../../lib/observe/emitter.ts';
import { OneAtATime } from '../support/limiter.ts';
import { ManualClock } from '../support/manual-clock.ts';
import { type Line, type Scripted, scripted } from '../support/scripted.ts';
import { unhandledDuring } from '../support/unhandled.ts';

interface Told {
  readonly name: EventName;
  readonly event: EventOf<EventName>;
}

/** Writes down every event of an attachment. */
function listen({ holdfast }: Scripted): Told[] {
  const told: Told[] = [];
  for (const name of EVENT_NAMES) holdfast.on(name, (event) => told.push({ name, event }));
  return told;
}

const namesOf = (told: readonly Told[]) => told.map(({ name }) => name);

/** Every object within a payload, and the payload. */
function partsOf(value: unknown): readonly object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...Object.values(value).flatMap(partsOf)];
}

const throttled: Line = { status: 429, headers: { 'retry-after': '7' } };

describe('the events of a call', () => {
  it.each<[string, readonly Line[], Policy, readonly EventName[]]>([
    ['a success', [200], {}, ['sent', 'answered', 'finished']],
    ['a failure', [404], {}, ['sent', 'answered', 'finished']],
    ['a retry', [503, 200], {}, ['sent', 'answered', 'retry-scheduled', 'sent', 'answered', 'finished']],
    [
      'an empty budget',
      [503],
      { retry: { budget: { capacity: 0 } } },
      ['sent', 'answered', 'budget-empty', 'finished'],
    ],
    [
      'a bucket that was paused',
      [throttled, 200],
      { limit: new OneAtATime() },
      ['sent', 'answered', 'paused', 'retry-scheduled', 'sent', 'answered', 'finished'],
    ],
    ['a judge that throws', [200], { classify: () => raise('mine') }, ['sent', 'answered', 'finished']],
    ['a beforeSend that throws', [], { beforeSend: () => raise('mine') }, ['finished']],
  ])('come in the order in which things happen: %s', async (_name, script, policy, names) => {
    const subject = scripted(script, policy);
    const told = listen(subject);
    await subject.call();
    expect(namesOf(told)).toEqual(names);
  });

  it('say what happened', async () => {
    const subject = scripted([throttled, 503, 200]);
    const told = listen(subject);
    await subject.call({ url: '/v1/orders?page=2', method: 'get' });
    const startedAt = Date.UTC(2026, 0, 1);
    const call = (sends: number): Call => ({
      id: expect.stringMatching(/^call-\d+$/),
      method: 'GET',
      url: 'https://api.example.com/v1/orders',
      startedAt,
      deadlineAt: Number.POSITIVE_INFINITY,
      sends,
      retries: Math.max(0, sends - 1),
      replays: 0,
      polls: 0,
      sentAt: expect.any(Number),
    });
    const answered = { durationMs: 0, code: undefined, reason: undefined };
    const failed = { durationMs: 0, reason: undefined };
    const failed429 = { status: 429, code: 'ERR_BAD_REQUEST', verdict: 'throttled' };
    const failed503 = { status: 503, code: 'ERR_BAD_RESPONSE', verdict: 'transient' };
    expect(told).toEqual([
      { name: 'sent', event: { call: call(1), send: 1 } },
      {
        name: 'answered',
        event: { ...failed, ...failed429, call: call(1), send: 1 },
      },
      {
        name: 'retry-scheduled',
        event: {
          ...failed429,
          call: call(1),
          retry: 1,
          delayMs: 7_000,
          reason: undefined,
        },
      },
      { name: 'sent', event: { call: call(2), send: 2 } },
      {
        name: 'answered',
        event: { ...failed, ...failed503, call: call(2), send: 2 },
      },
      {
        name: 'retry-scheduled',
        event: {
          ...failed503,
          call: call(2),
          retry: 2,
          delayMs: 1_000,
          reason: undefined,
        },
      },
      { name: 'sent', event: { call: call(3), send: 3 } },
      { name: 'answered', event: { ...answered, call: call(3), send: 3, status: 200, verdict: 'success' } },
      {
        name: 'finished',
        event: {
          call: call(3),
          endedBecause: 'success',
          report: expect.objectContaining({ elapsedMs: 8_000, endedBecause: 'success' }),
        },
      },
    ]);
  });

  it('are frozen all the way down, and plain: JSON gives them back', async () => {
    const subject = scripted([throttled, 503], {
      retry: { maxRetries: 1 },
      limit: new OneAtATime(),
      deadlineMs: 60_000,
    });
    const told = listen(subject);
    await subject.call();
    for (const { name, event } of told) {
      expect(
        partsOf(event).filter((part) => !Object.isFrozen(part)),
        name,
      ).toEqual([]);
      expect(JSON.parse(JSON.stringify(event)), name).toEqual(event);
    }
  });

  it('of calls under way at once are told apart by the id of the call', async () => {
    const subject = scripted(() => 200);
    const told = listen(subject);
    await Promise.all([subject.call(), subject.call()]);
    const [one, two] = new Set(told.map(({ event }) => (event as { call: Call }).call.id));
    const of = (id: string | undefined) =>
      namesOf(told.filter(({ event }) => (event as { call: Call }).call.id === id));
    expect(of(one)).toEqual(['sent', 'answered', 'finished']);
    expect(of(two)).toEqual(['sent', 'answered', 'finished']);
  });

  it('are not told of a call that is let through', async () => {
    const subject = scripted([503]);
    const told = listen(subject);
    await subject.call({ url: '/', holdfast: false });
    expect(told).toEqual([]);
  });
});

describe('a listener', () => {
  it("is heard in this order: the policy's own, the call's, the attachment's", async () => {
    const heard: string[] = [];
    const note = (word: string) => () => void heard.push(word);
    const subject = scripted([200], { on: { finished: [note('policy 1'), note('policy 2')] } });
    subject.holdfast.on('finished', note('attachment 1'));
    subject.holdfast.on('finished', note('attachment 2'));
    await subject.call({ url: '/', holdfast: { on: { finished: note('call') } } });
    expect(heard).toEqual(['policy 1', 'policy 2', 'call', 'attachment 1', 'attachment 2']);
  });

  it('stops listening by the function that on() gives, and by no other', async () => {
    const subject = scripted(() => 200);
    const heard: string[] = [];
    const offFirst = subject.holdfast.on('sent', () => heard.push('first'));
    subject.holdfast.on('sent', () => heard.push('second'));
    await subject.call();
    offFirst();
    offFirst();
    await subject.call();
    expect(heard).toEqual(['first', 'second', 'second']);
  });

  it('may stop itself, and another, while it is told', async () => {
    const subject = scripted(() => 200);
    const heard: string[] = [];
    const offs = [
      subject.holdfast.on('sent', () => {
        heard.push('first');
        for (const off of offs) off();
      }),
      subject.holdfast.on('sent', () => heard.push('second')),
    ];
    await subject.call();
    await subject.call();
    expect(heard).toEqual(['first', 'second']);
  });

  it('may make a call of its own', async () => {
    const subject = scripted(() => 200);
    let more = 2;
    const inner: Promise<unknown>[] = [];
    subject.holdfast.on('finished', () => {
      if (more-- > 0) inner.push(subject.client.get('/'));
    });
    await subject.call();
    while (inner.length > 0) await inner.pop();
    expect(subject.holdfast.stats().calls).toBe(3);
  });

  it.each<[string, Listener<EventName>]>([
    ['throws', () => raise('mine')],
    ['rejects', (async () => raise('mine')) as Listener<EventName>],
    ['throws undefined', () => raise(undefined)],
    // biome-ignore lint/suspicious/noThenProperty: an object that only looks like a promise
    ['gives a thenable that throws', (() => ({ then: () => raise('mine') })) as Listener<EventName>],
    [
      'gives an object whose then can not be read',
      (() => Object.defineProperty({}, 'then', { get: () => raise('mine') })) as Listener<EventName>,
    ],
  ])('that %s breaks nothing, and goes nowhere', async (_name, listener) => {
    const everywhere = Object.fromEntries(EVENT_NAMES.map((name) => [name, listener]));
    const subject = scripted([503, 200], { on: everywhere });
    for (const name of EVENT_NAMES) subject.holdfast.on(name, listener);
    const told = listen(subject);
    const unhandled = await unhandledDuring(async () => {
      expect(await subject.call()).toMatchObject({ status: 200 });
    });
    expect(unhandled).toEqual([]);
    expect(namesOf(told)).toHaveLength(6);
  });

  it('is never waited for', async () => {
    const subject = scripted([200], { on: { sent: (() => new Promise(() => {})) as () => void } });
    expect(await subject.call()).toMatchObject({ status: 200 });
  });

  it('cannot change what others are told, nor the report', async () => {
    const subject = scripted([503, 200]);
    const attempts: unknown[] = [];
    subject.holdfast.on('finished', ({ report, call }) => {
      for (const target of [report, report.sends, report.sends[0], call]) {
        attempts.push(Reflect.set(target as object, 'status', 418), Reflect.set(target as object, '0', 0));
      }
    });
    const response = await subject.call();
    expect(attempts).not.toContain(true);
    expect(response).toMatchObject({ status: 200 });
  });
});

describe('on', () => {
  const { on } = attach(axios.create());

  it.each(['finish', 'Sent', 'retry', '', '__proto__', 'constructor', 'toString'])('knows no event %j', (name) => {
    expect(() => on(name as EventName, () => {})).toThrow(InvalidPolicyError);
  });

  it('says which event was probably meant', () => {
    expect(() => on('finish' as EventName, () => {})).toThrow('on.finish is not an option; did you mean finished?');
  });

  it.each([undefined, null, 'log', {}, [() => {}]])('takes no listener %o', (listener) => {
    expect(() => on('sent', listener as never)).toThrow(/on\.sent must be a function/);
  });
});

describe(Emitter.name, () => {
  it('wants an event only while somebody listens, so that nobody builds one in vain', () => {
    const emitter = new Emitter(new ManualClock());
    const nobody = { on: {}, log: false } as const;
    const wants = (name: EventName, audience: Partial<Audience> = {}) =>
      emitter.wants(name, { ...nobody, ...audience });
    expect(wants('sent')).toBe(false);
    expect(wants('sent', { on: { sent: [() => {}] } })).toBe(true);
    expect(wants('sent', { on: { '*': [() => {}] } })).toBe(true);
    expect(wants('answered', { on: { sent: [() => {}] } })).toBe(false);
    expect(wants('sent', { log: 'all' })).toBe(true);
    expect(wants('sent', { log: 'retries' })).toBe(false);
    expect(wants('paused', { log: 'retries' })).toBe(true);
    for (const event of ['sent', '*'] as const) {
      const off = emitter.on(event, () => {});
      expect(wants('sent')).toBe(true);
      expect(wants('answered')).toBe(event === '*');
      off();
      expect(wants('sent')).toBe(false);
    }
  });

  it("tells whoever listens to '*' of every event, with its name, after those who listen to that event", () => {
    const emitter = new Emitter(new ManualClock());
    const heard: unknown[] = [];
    const note = (who: string) => (event: object) => void heard.push([who, event, Object.isFrozen(event)]);
    const on = { '*': [note('all of the policy')], sent: [note('of the policy')] };
    emitter.on('*', note('all'));
    emitter.on('sent', note('of the attachment'));
    const event = { call: {} as Call, send: 1 };
    emitter.emit('sent', { on, log: false }, event);
    const named = { name: 'sent', ...event };
    expect(heard).toEqual([
      ['of the policy', event, true],
      ['of the attachment', event, true],
      ['all of the policy', named, true],
      ['all', named, true],
    ]);
    emitter.emit('circuit-closed', { on: {}, log: false }, { call: event.call, key: 'k' });
    expect(heard.slice(4)).toEqual([['all', { name: 'circuit-closed', call: event.call, key: 'k' }, true]]);
  });
});

function raise(thrown: unknown): never {
  throw typeof thrown === 'string' ? new Error(thrown) : thrown;
}
