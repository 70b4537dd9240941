import type { Clock } from '../../lib/time/clock.ts';

/** A clock that moves only when a test moves it. Its time of day may be set besides, as an operator or NTP does it. */
export class ManualClock implements Clock {
  private at: number;
  private aheadMs = 0;
  /** Of every timer, how far away it was set, in ms. */
  readonly asked: number[] = [];
  private readonly timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  constructor(at = Date.UTC(2026, 0, 1)) {
    this.at = at;
  }

  now(): number {
    return this.at;
  }

  wall(): number {
    return this.at + this.aheadMs;
  }

  /** Sets the time of day forward by so much, or back (less than 0). */
  adjust(ms: number): void {
    this.aheadMs += ms;
  }

  after(ms: number, fire: () => void): () => void {
    this.asked.push(ms);
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const timer = { at: this.at + Math.max(0, ms), fire };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }

  /** Timers that have not fired and were not taken back. */
  get pending(): number {
    return this.timers.size;
  }

  /** How far away the next timer is, in ms. */
  get nextIn(): number | undefined {
    const next = Math.min(...[...this.timers].map(({ at }) => at));
    return Number.isFinite(next) ? Math.max(0, next - this.at) : undefined;
  }

  /** Moves on, firing what falls due on the way in order, and lets promises settle after each. */
  async advance(ms: number): Promise<void> {
    const until = this.at + ms;
    await settle();
    for (;;) {
      const due = [...this.timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.timers.delete(due);
      this.at = Math.max(this.at, due.at);
      due.fire();
      await settle();
    }
    this.at = until;
  }

  /** Time passes while the event loop is blocked: no timer fires meanwhile. */
  jump(ms: number): void {
    this.at += ms;
  }

  /** Moves to every next timer until the promise has settled; gives what it settled to. */
  async run<T>(promise: Promise<T>): Promise<T> {
    let settled = false;
    const done = () => {
      settled = true;
    };
    promise.then(done, done);
    for (let turns = 0; turns < 100_000; turns++) {
      await settle();
      if (settled) break;
      await this.advance(this.nextIn ?? 0);
    }
    return promise;
  }
}

/** Lets everything that can go on without time passing go on. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
