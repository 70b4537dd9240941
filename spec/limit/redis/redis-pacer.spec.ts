import { describe, expect, it } from 'vitest';
import { type Book, type Entry, RedisPacer, type Slot, type Turn } from '../../../lib/limit/redis/redis-pacer.ts';
import { ManualClock, settle } from '../../support/manual-clock.ts';

/** A pacer whose store gives what the test says; slots are given by when they are due, in ms from now. */
function made() {
  const clock = new ManualClock();
  const begun = clock.now();
  const turns: Turn[] = [];
  const dropped: number[] = [];
  const given: [dueMs: number, lastMs: number, weight: number][][] = [];
  const state = { wanted: 1, askAgainMs: 0 };
  const book: Book<string> = {
    turn: async (turn) => {
      turns.push(turn);
      const slots: Slot<string>[] = (given.shift() ?? []).map(([at, lastAt, weight]) => ({
        at: begun + at,
        lastAt: begun + lastAt,
        weight,
        handle: 'slot',
      }));
      const entry: Entry<string> = { slots, pausedUntil: 0, askAgainAt: clock.now() + state.askAgainMs };
      return entry;
    },
    answered: (_nowMs, { weight }, { cost }) => cost !== undefined && cost !== weight,
    lost: () => false,
    dropped: (_nowMs, { weight }) => void dropped.push(weight),
  };
  const bucket = { pausedUntil: 0, wake: () => {}, heldByPacer: () => {}, ...state };
  const pacer = new RedisPacer(book, { clock, bucket: () => Object.assign(bucket, state) });
  const dueIn = (weight = 1) => pacer.nextAt(clock.now(), state.wanted, weight) - begun;
  return { pacer, clock, turns, given, dropped, state, dueIn };
}

describe(`the weights of ${RedisPacer.name}`, () => {
  it('are reserved whole, and alone', async () => {
    const { turns, given, state, dueIn } = made();
    state.wanted = 5;
    given.push([[10, 90, 5]]);
    expect(dueIn(5)).toBe(Number.POSITIVE_INFINITY);
    await settle();
    expect(turns).toMatchObject([{ want: 1, weight: 5 }]);
    expect(dueIn(5)).toBe(90);
  });

  it('take what is reserved already, and ask for the rest', async () => {
    const { pacer, clock, turns, given, state, dueIn } = made();
    state.wanted = 2;
    given.push([
      [0, 0, 1],
      [20, 20, 1],
    ]);
    dueIn();
    await settle();
    given.push([[40, 60, 2]]);
    state.wanted = 1;
    dueIn(4);
    await settle();
    expect(turns.at(-1)).toMatchObject({ want: 1, weight: 2 });
    expect(dueIn(4)).toBe(60);
    expect(pacer.send(clock.now() + 60, 4)).toMatchObject({ weight: 4 });
    expect(dueIn()).toBe(Number.POSITIVE_INFINITY);
  });

  it('lend a lighter send that goes first what is due, and wait for the rest', async () => {
    const { pacer, clock, given, turns, dueIn } = made();
    given.push([[10, 90, 5]]);
    dueIn(5);
    await settle();
    expect(dueIn(1)).toBe(10);
    expect(dueIn(2)).toBe(30);
    pacer.send(clock.now(), 2);
    expect(dueIn(3)).toBe(90);
    dueIn(5);
    await settle();
    expect(turns.at(-1)).toMatchObject({ want: 1, weight: 2 });
  });

  it('are kept until the last of them is due, and go stale then', async () => {
    const { clock, given, dueIn } = made();
    given.push([[0, 1_000, 5]]);
    dueIn(5);
    await settle();
    await clock.advance(1_050);
    // There may have been a pause since.
    dueIn(5);
    await settle();
    expect(dueIn(5)).toBe(1_000);
    await clock.advance(200);
    expect(dueIn(5)).toBe(Number.POSITIVE_INFINITY);
  });

  it('that cost less hand in what is reserved, where somebody waits who could have it sooner', async () => {
    const { pacer, clock, given, turns, dropped, state, dueIn } = made();
    given.push([[0, 0, 5]], [[90, 170, 5]]);
    dueIn(5);
    await settle();
    const send = pacer.send(clock.now(), 5);
    dueIn(5);
    await settle();
    const asked = turns.length;
    pacer.answered(clock.now(), send, { throttled: false, cost: 1 });
    expect(dropped).toEqual([5]);
    await settle();
    expect(turns.slice(asked)).toMatchObject([{ want: 1, weight: 5 }]);
    state.wanted = 0;
    pacer.answered(
      clock.now(),
      { handle: 'slot', sentAt: 0, weight: 5, answered: false },
      { throttled: false, cost: 1 },
    );
    expect(dropped).toEqual([5]);
  });
});

describe(RedisPacer.name, () => {
  it('asks for more than two only when more can have come due, and for another as soon as one of two is used', async () => {
    const { pacer, clock, turns, given, state, dueIn } = made();
    Object.assign(state, { wanted: 5, askAgainMs: 15 });
    given.push([
      [10, 10, 1],
      [20, 20, 1],
    ]);
    dueIn();
    await settle();
    expect(dueIn()).toBe(10);
    await clock.advance(10);
    dueIn();
    await settle();
    expect(turns).toHaveLength(1);
    given.push([[30, 30, 1]]);
    pacer.send(clock.now(), 1);
    expect(dueIn()).toBe(20);
    await settle();
    expect(turns).toHaveLength(2);
    dueIn();
    await settle();
    expect(turns).toHaveLength(2);
    await clock.advance(15);
    dueIn();
    await settle();
    expect(turns).toHaveLength(3);
  });
});
