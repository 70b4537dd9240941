import { AxiosHeaders } from 'axios';
import { describe, expect, it, vi } from 'vitest';
import { LiveCall, type Terms } from '../../lib/call/live-call.ts';
import type { PendingPhase } from '../../lib/call/wait.ts';
import { UnderWay } from '../../lib/observe/pending.ts';
import { ManualClock, settle } from '../support/manual-clock.ts';

/** A clock whose warnings can be seen to be set, as timers that keep no process alive. */
class Clock extends ManualClock {
  meanwhile(ms: number, fire: () => void): () => void {
    return this.after(ms, fire);
  }
}

function setUp(clock: ManualClock = new Clock()) {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const underWay = new UnderWay(clock);
  const begin = (deadlineMs = Number.POSITIVE_INFINITY) => {
    const terms = {
      deadlineMs,
      clock,
      wallAheadMs: () => clock.wall() - clock.now(),
      watch: (phase: PendingPhase) => underWay.watch(phase),
    } as unknown as Terms;
    const call = new LiveCall({ url: 'https://api.example.com/', headers: new AxiosHeaders() }, terms, undefined);
    underWay.begun(call);
    return call;
  };
  const ids = () => underWay.pending().map(({ call }) => call.id);
  const waits = (call: LiveCall, phase: PendingPhase = 'limit', until?: () => number | undefined) =>
    call.waits({ phase, why: () => `waits for ${phase}`, ...(until && { until }) });
  return { clock, underWay, begin, ids, waits, warned };
}

describe(UnderWay.name, () => {
  it('lists those that have begun and not ended, the oldest first', () => {
    const { begin, ids, underWay } = setUp();
    const [one, two, three, four] = [begin(), begin(), begin(), begin()];
    expect(ids()).toEqual([one.id, two.id, three.id, four.id]);
    underWay.ended(two);
    expect(ids()).toEqual([one.id, three.id, four.id]);
    underWay.ended(four);
    expect(ids()).toEqual([one.id, three.id]);
    const five = begin();
    underWay.ended(one);
    expect(ids()).toEqual([three.id, five.id]);
    for (const call of [three, five]) underWay.ended(call);
    expect(ids()).toEqual([]);
    expect([one, five].map(({ before, after }) => [before, after])).toEqual([
      [undefined, undefined],
      [undefined, undefined],
    ]);
  });

  it('takes no notice of a call that has ended already', () => {
    const { begin, ids, underWay } = setUp();
    const [one, two] = [begin(), begin()];
    underWay.ended(one);
    underWay.ended(one);
    expect(ids()).toEqual([two.id]);
  });

  it('says what each waits for, since when and until when, by the time of day', async () => {
    const { begin, clock, underWay, waits } = setUp();
    clock.adjust(60_000.5);
    const call = begin();
    await clock.advance(100);
    waits(call, 'retry-wait', () => clock.now() + 700);
    const [pending] = underWay.pending();
    expect(pending).toEqual({
      call: call.snapshot(),
      phase: 'retry-wait',
      since: Math.ceil(clock.wall()),
      until: Math.ceil(clock.wall() + 700),
      why: 'waits for retry-wait',
    });
    expect(Object.isFrozen(pending)).toBe(true);
    for (const until of [() => undefined, () => Number.POSITIVE_INFINITY]) {
      waits(call, 'limit', until);
      expect(underWay.pending()[0]?.until).toBeUndefined();
    }
    waits(call, 'refresh');
    expect(underWay.pending()[0]).toMatchObject({ phase: 'refresh', until: undefined, why: 'waits for refresh' });
  });

  it('says of one that waits for nothing that its send is under way', async () => {
    const { begin, clock, underWay } = setUp();
    const call = begin(60_000);
    const deadline = clock.now() + 60_000;
    const began = clock.now();
    await clock.advance(100);
    const shown = () => underWay.pending()[0];
    expect(shown()).toMatchObject({ phase: 'sending', since: began, why: 'makes send 1: `beforeSend`, `body`' });
    Object.assign(call, { sent: 1, sentAt: clock.now() });
    await clock.advance(1_500);
    expect(shown()).toMatchObject({
      phase: 'sending',
      since: began + 100,
      until: deadline,
      why: 'waits for the answer to send 1',
    });
    call.addSend({ startedAt: began + 100, durationMs: 1_500, queuedMs: 0, verdict: 'transient', decision: 'retry' });
    expect(shown()).toMatchObject({ since: began + 1_600, until: deadline, why: 'makes send 2: `beforeSend`, `body`' });
    const endless = begin();
    expect(underWay.pending()[1]).toMatchObject({ call: { id: endless.id }, until: undefined });
  });

  describe('when none is left', () => {
    it('tells all who wait for it', async () => {
      const { begin, clock, underWay } = setUp();
      const [call, another] = [begin(), begin()];
      const emptied: number[] = [];
      for (const n of [1, 2]) void underWay.empty(n * 1_000).then(() => emptied.push(n));
      underWay.ended(call);
      await settle();
      expect(emptied).toEqual([]);
      underWay.ended(another);
      await settle();
      expect(emptied).toEqual([1, 2]);
      expect(clock.pending).toBe(0);
      await underWay.empty(Number.POSITIVE_INFINITY);
    });

    it('or after so long', async () => {
      const { begin, clock, underWay } = setUp();
      begin();
      let isOver = false;
      void underWay.empty(1_000).then(() => {
        isOver = true;
      });
      await clock.advance(999);
      expect(isOver).toBe(false);
      await clock.advance(1);
      expect(isOver).toBe(true);
    });

    it('and for ever, if that is how long it may take', async () => {
      const { begin, clock, underWay } = setUp();
      begin();
      void underWay.empty(Number.POSITIVE_INFINITY);
      expect(clock.pending).toBe(0);
    });
  });

  describe('a wait without an end', () => {
    it('is warned of after five seconds, once', async () => {
      const { begin, clock, waits, warned } = setUp();
      waits(begin());
      await clock.advance(4_999);
      expect(warned).not.toHaveBeenCalled();
      await clock.advance(1);
      expect(warned).toHaveBeenCalledOnce();
      expect(warned).toHaveBeenCalledWith(
        'GET https://api.example.com/ has been waiting for 5.0 s and has no deadline: it waits for limit. `deadlineMs` bounds a call; attachment.pending() tells who else waits.',
        { type: 'HoldfastWarning', code: 'HOLDFAST_LONG_WAIT' },
      );
      waits(begin());
      await clock.advance(60_000);
      expect(warned).toHaveBeenCalledOnce();
      expect(clock.pending).toBe(0);
    });

    it('is not warned of while it is shorter, however many there are', async () => {
      const { begin, clock, waits, warned } = setUp();
      const call = begin();
      waits(call);
      for (let i = 0; i < 4; i++) {
        await clock.advance(4_000);
        call.waited();
        waits(call);
      }
      expect(warned).not.toHaveBeenCalled();
      await clock.advance(4_999);
      expect(warned).not.toHaveBeenCalled();
      await clock.advance(1);
      expect(warned).toHaveBeenCalledOnce();
    });

    it('is none of a call that has a deadline, that is sent, or that its caller reads', async () => {
      const { begin, clock, waits, warned } = setUp();
      const [waiting, sending, reading, bounded] = [begin(), begin(), begin(), begin(60_000)];
      waits(waiting);
      reading.streams({ phase: 'body', why: () => 'is read' });
      waits(bounded);
      waiting.waited();
      sending.sent = 1;
      await clock.advance(30_000);
      expect(warned).not.toHaveBeenCalled();
      expect(clock.pending).toBe(0);
    });

    it('has no timer once nobody is under way, and another one for the next', async () => {
      const { begin, clock, underWay, waits, warned } = setUp();
      const call = begin();
      waits(call);
      expect(clock.pending).toBe(1);
      underWay.ended(call);
      expect(clock.pending).toBe(0);
      await clock.advance(4_000);
      waits(begin());
      await clock.advance(4_999);
      expect(warned).not.toHaveBeenCalled();
      await clock.advance(1);
      expect(warned).toHaveBeenCalledOnce();
    });

    it('has its timer for as long as any call is under way', async () => {
      const { begin, clock, underWay, waits, warned } = setUp();
      const [waiting, other] = [begin(), begin()];
      waits(waiting);
      underWay.ended(other);
      await clock.advance(5_000);
      expect(warned).toHaveBeenCalledOnce();
    });

    it('keeps its timer where calls wait for tokens, as every send does for no time', async () => {
      const { begin, clock, underWay, waits } = setUp();
      for (let i = 0; i < 3; i++) {
        const call = begin();
        waits(call, 'refresh');
        call.waited();
        underWay.ended(call);
      }
      expect(clock.asked).toEqual([5_000]);
      expect(clock.pending).toBe(1);
      await clock.advance(5_000);
      expect(clock.pending).toBe(0);
      const call = begin();
      waits(call);
      underWay.ended(call);
      expect(clock.pending).toBe(0);
    });

    it('has no timer where the clock knows none that lets the process end', () => {
      const { begin, clock, waits } = setUp(new ManualClock());
      waits(begin());
      expect(clock.asked).toEqual([]);
    });
  });
});
