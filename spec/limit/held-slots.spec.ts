import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { HeldSlots, heldSlotsOf } from '../../lib/limit/held-slots.ts';
import type { Limiter } from '../../lib/limit/limiter.ts';
import { localLimiterWith } from '../../lib/limit/local/local-buckets.ts';
import { fillIn } from '../../lib/limit/options.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

let clock: ManualClock;
let emptied: number;
let slots: HeldSlots;
let warned: unknown[];
let codes: unknown[];

beforeEach(() => {
  clock = new ManualClock();
  emptied = 0;
  slots = new HeldSlots(clock, () => {
    emptied += 1;
  });
  warned = [];
  codes = [];
  const note = ({ message, code }: Error & { code?: string }) => {
    warned.push(message);
    codes.push(code);
  };
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
});

function hold(url: string) {
  const body = {
    data: undefined,
    came: 0,
    read: 0,
    isAwaited: false,
    hasEnded: false,
    onEnd: undefined,
    abort: () => {},
  };
  const state = { givenBack: 0, body };
  const letGo = slots.hold({
    method: 'GET',
    url,
    body,
    giveBack: () => {
      state.givenBack += 1;
    },
  });
  return Object.assign(state, { letGo });
}

describe(HeldSlots.name, () => {
  it('looks at nothing while nobody waits', async () => {
    const { letGo } = hold('/a');
    expect(clock.pending).toBe(0);
    letGo();
    const stop = slots.wait();
    expect(clock.pending).toBe(0);
    stop();
    expect(emptied).toBe(2);
  });

  it('lets one go from which nothing was read for 30 s in which somebody waited, and says so once', async () => {
    const forgotten = hold('/forgotten');
    const read = hold('/read');
    const awaited = hold('/awaited');
    awaited.body.isAwaited = true;
    await clock.advance(100_000);
    const stop = slots.wait();
    for (let passed = 0; passed < 25; passed += 5) {
      await clock.advance(5_000);
      read.body.read += 1;
    }
    await clock.advance(4_999);
    expect(forgotten.givenBack).toBe(0);
    expect(slots.unread.map(({ url }) => url)).toContain('/forgotten');
    await clock.advance(1);
    await clock.advance(20_000);
    await settle();
    expect([forgotten.givenBack, read.givenBack, awaited.givenBack]).toEqual([1, 0, 0]);
    expect(warned).toEqual([expect.stringMatching(/^GET \/forgotten: nothing was read/)]);
    expect(codes).toEqual(['HOLDFAST_UNREAD_STREAM']);
    stop();
    expect(clock.pending).toBe(0);
  });

  it('counts anew for each time that somebody waits', async () => {
    const { givenBack, letGo } = hold('/a');
    for (let times = 0; times < 3; times++) {
      const stop = slots.wait();
      await clock.advance(29_999);
      stop();
    }
    expect(givenBack).toBe(0);
    expect(clock.pending).toBe(0);
    letGo();
  });

  it('counts from when the first of them came, who waits longest', async () => {
    const forgotten = hold('/a');
    const first = slots.wait();
    await clock.advance(20_000);
    const second = slots.wait();
    await clock.advance(1_000);
    first();
    await clock.advance(9_000);
    expect(forgotten.givenBack).toBe(1);
    expect(clock.pending).toBe(0);
    second();
    expect(emptied).toBe(1);
  });

  it('goes on looking, at the same times, whatever else comes and goes', async () => {
    const forgotten = hold('/forgotten');
    const stop = slots.wait();
    for (let passed = 0; passed < 28_000; passed += 4_000) {
      const other = hold('/other');
      await clock.advance(4_000);
      other.letGo();
    }
    expect(emptied).toBe(0);
    await clock.advance(2_000);
    expect(forgotten.givenBack).toBe(1);
    stop();
  });

  it('stops looking when the last slot is let go, and when nobody waits any more', async () => {
    const [one, other] = [hold('/a'), hold('/b')];
    const stop = slots.wait();
    expect(clock.pending).toBe(1);
    one.letGo();
    expect(clock.pending).toBe(1);
    other.letGo();
    expect([clock.pending, emptied]).toEqual([0, 0]);
    stop();
    expect(emptied).toBe(1);
    const third = hold('/c');
    slots.wait()();
    expect([clock.pending, emptied]).toEqual([0, 1]);
    third.letGo();
    expect(emptied).toBe(2);
  });

  it('names those that nobody reads: not at all, or not for 5 s in which somebody waited', async () => {
    const [never, begun, awaited] = [hold('/never'), hold('/begun'), hold('/awaited')];
    begun.body.read = 10;
    awaited.body.isAwaited = true;
    slots.wait();
    const unread = () => slots.unread.map(({ url }) => url);
    expect(unread()).toEqual(['/never']);
    await clock.advance(4_999);
    expect(unread()).toEqual(['/never']);
    await clock.advance(1);
    expect(unread()).toEqual(['/never', '/begun']);
    begun.body.read = 20;
    never.body.read = 1;
    expect(unread()).toEqual([]);
  });

  it('looks at what comes to be held while somebody waits already', async () => {
    const stop = slots.wait();
    await clock.advance(60_000);
    const late = hold('/late');
    await clock.advance(30_000);
    expect(late.givenBack).toBe(1);
    stop();
    expect(emptied).toBe(1);
  });
});

describe(heldSlotsOf.name, () => {
  it('is one for each bucket of a limiter, and none is kept for what is over', () => {
    const limiter: Limiter = localLimiterWith(clock, fillIn({ maxConcurrent: 1 }));
    const ofA = heldSlotsOf(limiter, 'a', clock);
    expect(heldSlotsOf(limiter, 'a', clock)).toBe(ofA);
    expect(heldSlotsOf(limiter, 'b', clock)).not.toBe(ofA);
    ofA.wait()();
    const next = heldSlotsOf(limiter, 'a', clock);
    expect(next).not.toBe(ofA);
    ofA.wait()();
    expect(heldSlotsOf(limiter, 'a', clock)).toBe(next);
  });
});
