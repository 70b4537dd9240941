import axios from 'axios';
import { attachForTest, type ManualClock, manualClock, scripted } from 'axios-holdfast/testing';
import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/attached.ts';

/** Sets timers of so many ms, and notes which have fired, and when. */
function fired(clock: ManualClock, ...delays: readonly number[]): (readonly [number, number])[] {
  const log: (readonly [number, number])[] = [];
  for (const ms of delays) clock.after(ms, () => log.push([ms, clock.elapsedMs]));
  return log;
}

describe('a clock that is moved by hand', () => {
  it('begins with the year 2026, or when it is told', () => {
    expect(new Date(manualClock().now()).toISOString()).toBe('2026-01-01T00:00:00.000Z');
    const clock = manualClock(5);
    expect([clock.begunAt, clock.now(), clock.wall(), clock.elapsedMs]).toEqual([5, 5, 5, 0]);
  });

  it('fires what is due on the way, each at its instant, the sooner first and then who came first', async () => {
    const clock = manualClock();
    const log = fired(clock, 30, 10, 20);
    clock.after(10, () => log.push([-1, clock.elapsedMs]));
    await clock.advance(29);
    expect(log).toEqual([
      [10, 10],
      [-1, 10],
      [20, 20],
    ]);
    expect([clock.elapsedMs, clock.nextIn, clock.pending]).toEqual([29, 1, 1]);
    await clock.advance(1);
    expect(log.at(-1)).toEqual([30, 30]);
    expect([clock.nextIn, clock.pending]).toEqual([undefined, 0]);
  });

  it('fires too what a timer sets that is due by then, and waits for what follows of promises', async () => {
    const clock = manualClock();
    const log: number[] = [];
    clock.after(10, async () => {
      for (let n = 0; n < 20; n++) await undefined;
      clock.after(10, () => log.push(clock.elapsedMs));
    });
    await clock.advance(20);
    expect(log).toEqual([20]);
  });

  it('does not fire what was taken back, nor what waits for ever, which is no timer', async () => {
    const clock = manualClock();
    clock.after(10, () => expect.unreachable())();
    clock.after(Number.POSITIVE_INFINITY, () => expect.unreachable())();
    expect(clock.pending).toBe(0);
    await clock.runAll();
    expect(clock.elapsedMs).toBe(0);
  });

  it('fires what was due before now as soon as it moves, and never goes back for it', async () => {
    const clock = manualClock();
    const log = fired(clock, 10, -5);
    clock.jump(100);
    expect(log).toEqual([]);
    expect([clock.nextIn, clock.elapsedMs]).toEqual([0, 100]);
    await clock.advance(0);
    expect(log).toEqual([
      [-5, 100],
      [10, 100],
    ]);
  });

  it('has a time of day that may be set, by which no timer goes', async () => {
    const clock = manualClock(0);
    const log = fired(clock, 10);
    clock.adjust(3_600_000);
    clock.adjust(-600_000);
    expect([clock.wall(), clock.now(), clock.nextIn]).toEqual([3_000_000, 0, 10]);
    await clock.advance(9);
    expect(log).toEqual([]);
  });

  it('runs no further than the promise needs', async () => {
    const clock = manualClock();
    const log = fired(clock, 30);
    expect(await clock.run(Promise.resolve('now'))).toBe('now');
    expect(await clock.run(new Promise((resolve) => void clock.after(20, () => resolve('later'))))).toBe('later');
    expect([clock.elapsedMs, log]).toEqual([20, []]);
  });

  it('waits for what does not go by it, also after a script has answered late, before it moves on to a deadline', async () => {
    const clock = manualClock();
    const late = scripted({ status: 200, delayMs: 10 }, { clock });
    const client = axios.create({
      baseURL: 'https://api.example.com',
      adapter: async (config) => {
        if (config.url === '/late') return late(config);
        await new Promise((resolve) => setTimeout(resolve, 5));
        return { status: 200, statusText: '', headers: {}, data: '', config };
      },
    });
    attachForTest(client, { deadlineMs: 10_000 }, { clock });
    await clock.run(client.get('/late'));
    expect((await clock.run(client.get('/elsewhere'))).status).toBe(200);
    expect(clock.elapsedMs).toBe(10);
  });

  it('names three of the calls that are under way, and how many there are', async () => {
    const clock = manualClock();
    const client = axios.create({ baseURL: 'https://api.example.com', adapter: () => new Promise(() => {}) });
    attachForTest(client, {}, { clock });
    for (const n of [1, 2, 3]) void client.get(`/${n}`);
    const three = await rejectionOf(clock.runAll());
    void client.get('/4');
    const four = await rejectionOf(clock.runAll());
    const each = (n: number) => `GET https://api.example.com/${n} waits for the answer to send 1`;
    const named = [1, 2, 3].map(each).join('; ');
    expect(three).toMatchObject({ message: `no timer is due, and 3 calls are under way: ${named}` });
    expect(four).toMatchObject({ message: `no timer is due, and 4 calls are under way: ${named}; and 1 more` });
  });
});
