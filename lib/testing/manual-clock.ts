import { shown } from '../check.ts';
import type { Clock } from '../time/clock.ts';
import { turn } from './turn.ts';
import { type World, worldOf } from './world.ts';

/** How many turns of the event loop are given to what does not go by the clock, before time goes on without it. */
const PATIENCE = 20_000;

/** How many steps are made when no timer is due and nothing is known to be done elsewhere. In jsdom one may take 2 ms. */
const MOST_IDLE = 1_000;

/** Nobody makes so many steps: whatever they are made for never ends. */
const MOST_STEPS = 100_000;

/**
 * A clock that a test moves by hand: see `attachForTest`. It begins at 2026-01-01T00:00:00Z.
 *
 * @param at when it begins, in ms since the epoch
 *
 * @example
 * const clock = manualClock();
 * attachForTest(client, { retry: { maxRetries: 3 } }, { clock });
 * const call = client.get('/orders');
 * await clock.advance(30_000); // what was due within 30 s has been done, and everything that follows from it at once
 * const { data } = await clock.run(call); // or: moves until the call has ended
 */
export const manualClock = (at?: number): ManualClock => new ManualClock(at);

/** A clock that moves only when a test moves it. Its time of day may be set besides, as an operator or NTP does it. */
export class ManualClock implements Clock {
  /** When it began, in ms since the epoch. */
  readonly begunAt: number;
  #at: number;
  #aheadMs = 0;
  readonly #timers = new Set<{ readonly at: number; readonly fire: () => void }>();

  constructor(at = Date.UTC(2026, 0, 1)) {
    if (!Number.isFinite(at)) throw new TypeError(`manualClock: it begins at ms since the epoch, got ${shown(at)}`);
    this.begunAt = at;
    this.#at = at;
  }

  now(): number {
    return this.#at;
  }

  wall(): number {
    return this.#at + this.#aheadMs;
  }

  /** Since it began, in ms. */
  get elapsedMs(): number {
    return this.#at - this.begunAt;
  }

  after(ms: number, fire: () => void): () => void {
    if (ms === Number.POSITIVE_INFINITY) return () => {};
    const timer = { at: this.#at + Math.max(0, ms), fire };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /** Timers that have not fired and were not taken back. */
  get pending(): number {
    return this.#timers.size;
  }

  /** How far away the next timer is, in ms; `undefined` where there is none. */
  get nextIn(): number | undefined {
    const next = this.#next();
    return next && Math.max(0, next.at - this.#at);
  }

  /**
   * Moves on by so many ms. What falls due on the way is done in order, and after each everything that goes on without time passing goes
   * on: promises, interceptors, the answers of mocks.
   *
   * @throws {TypeError} (rejects) where that is no number of at least 0
   */
  async advance(ms: number): Promise<void> {
    if (!(Number.isFinite(ms) && ms >= 0)) throw new TypeError(`advance needs ms from 0, got ${shown(ms)}`);
    const until = this.#at + ms;
    await this.#settle();
    for (let next = this.#next(); next !== undefined && next.at <= until; next = this.#next()) {
      this.#timers.delete(next);
      this.#at = Math.max(this.#at, next.at);
      next.fire();
      await this.#settle();
    }
    this.#at = until;
  }

  /**
   * Moves from one timer to the next until the promise has settled, and gives what it settled to.
   *
   * @throws {Error} (rejects) where nothing that the clock can do would settle it. The message says who waits for what
   */
  async run<T>(promise: PromiseLike<T>): Promise<T> {
    if (typeof (promise as Partial<PromiseLike<T>> | undefined)?.then !== 'function') {
      throw new TypeError(`run needs a promise, such as that of a call, got ${shown(promise)}`);
    }
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    promise.then(settled, settled);
    for (let steps = 0, idle = 0; steps < MOST_STEPS && idle < this.#mostIdle; steps++) {
      await this.#settle(() => isSettled);
      if (isSettled) break;
      idle = this.nextIn === undefined ? idle + 1 : 0;
      await this.advance(this.nextIn ?? 0);
    }
    if (!isSettled) throw new Error(`the promise has not settled: ${this.#standing()}`);
    return promise;
  }

  /**
   * Moves from one timer to the next until there is none: everything that waits for time has had it.
   *
   * @throws {Error} (rejects) where there always is another timer, and where calls are under way and wait for something else. The message
   * says who waits for what
   */
  async runAll(): Promise<void> {
    await this.#settle();
    for (let steps = 0; this.pending > 0 && steps < MOST_STEPS; steps++) await this.advance(this.nextIn ?? 0);
    if (this.pending > 0 || this.#world.describe() !== '') throw new Error(this.#standing());
  }

  /** Time passes while the event loop is blocked: no timer fires meanwhile. */
  jump(ms: number): void {
    this.#at += ms;
  }

  /** Sets the time of day forward by so many ms, or back (less than 0). No wait, pause or deadline goes by it. */
  adjust(ms: number): void {
    this.#aheadMs += ms;
  }

  /** How many steps are made in vain. Where nobody knows what is under way, it may be anything. */
  get #mostIdle(): number {
    return this.#world.attachments.size > 0 ? MOST_IDLE : MOST_STEPS;
  }

  get #world(): World {
    return worldOf(this);
  }

  /** The soonest; of several that are due at once, who came first. */
  #next() {
    let next: { readonly at: number; readonly fire: () => void } | undefined;
    for (const timer of this.#timers) if (next === undefined || timer.at < next.at) next = timer;
    return next;
  }

  /** Lets go on what can. Where something else than the clock has to do something first, it is given the time it needs. */
  async #settle(isDone: () => boolean = () => false): Promise<void> {
    await turn();
    const world = this.#world;
    for (let turns = 1; !isDone() && world.isBusy; turns++) {
      if (turns === PATIENCE) world.waitNoLonger();
      else await turn();
    }
  }

  #standing(): string {
    const { nextIn } = this;
    const timers =
      nextIn === undefined ? 'no timer is due' : `after ${MOST_STEPS} timers the next is due in ${nextIn} ms`;
    return [timers, this.#world.describe() || 'no call is under way'].join(', and ');
  }
}
