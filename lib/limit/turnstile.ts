import { LimitError } from '../failure/errors.ts';
import type { Clock } from '../wait/clock.ts';
import type { Answer, Permit, PermitRequest } from './limiter.ts';
import { Line, type Place } from './line.ts';
import type { ResolvedLimit } from './options.ts';
import type { Pace } from './pace.ts';

/** How soon the next ones follow those that were let through in one turn, in ms. */
const NEXT_TURN_MS = 1;
/** How long what was learnt outlives its last use, in ms. */
const FORGET_MS = 600_000;

export type Bounds = Pick<ResolvedLimit, 'maxConcurrent' | 'maxQueue' | 'maxWaitMs'>;

/**
 * One bucket: those who wait for a permit of it, those who have one, and the one timer for who is next. When the next may leave
 * is the `Pace`'s affair.
 */
export class Turnstile<Leave> {
  readonly pace: Pace<Leave>;
  readonly #bounds: Bounds;
  readonly #clock: Clock;
  readonly #line = new Line<Waiter>();
  #running = 0;
  /** The last reading of the clock. */
  #seenAt = Number.NEGATIVE_INFINITY;
  #timerAt = Number.POSITIVE_INFINITY;
  #stopTimer = () => {};

  constructor(bounds: Bounds, clock: Clock, pace: Pace<Leave>) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.pace = pace;
  }

  get queued(): number {
    return this.#line.size;
  }

  /** Who waits, in no particular order. */
  get waiting(): Iterable<Place> {
    return this.#line;
  }

  get running(): number {
    return this.#running;
  }

  get isPaused(): boolean {
    return this.pace.pausedUntil() > this.#clock.now();
  }

  /** Whether this bucket may be forgotten. */
  get isIdle(): boolean {
    if (this.#running > 0 || this.#line.size > 0) return false;
    const usedAt = this.#seenAt;
    const now = this.#now();
    // Even what was learnt is not worth keeping for ever, or millions of keys would pile up.
    return this.pace.isFresh(now) || now - Math.max(usedAt, this.pace.pausedUntil()) > FORGET_MS;
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    const now = this.#now();
    const { signal } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#line.size === 0 && this.#running < this.#bounds.maxConcurrent && this.pace.nextAt(now, 1) <= now) {
      return this.#admit(now, request.weight ?? 1, false);
    }
    return this.#queue(now, request);
  }

  pause(untilAt: number): void {
    this.pace.pause(this.#now(), untilAt);
    this.#held();
  }

  answered(leave: Leave, answer: Answer): void {
    this.pace.answered(this.#now(), leave, answer);
    if (answer.untilAt !== undefined) this.#held();
    // What was learnt besides may let somebody go: release() comes next and sees to that.
  }

  release(leave: Leave): void {
    this.#running -= 1;
    this.pace.ended(this.#now(), leave);
    this.wake();
  }

  /** Lets through whoever may leave by now, and sets the timer for who is next. */
  readonly wake = (): void => {
    const now = this.#now();
    let wakeAt = Number.POSITIVE_INFINITY;
    for (let letThrough = 0; this.#line.size > 0 && this.#running < this.#bounds.maxConcurrent; letThrough++) {
      wakeAt = letThrough < this.pace.atOnce ? this.pace.nextAt(now, this.#line.size) : now + NEXT_TURN_MS;
      if (wakeAt > now) break;
      const waiter = this.#line.shift() as Waiter;
      waiter.leave?.();
      waiter.resolve(this.#admit(now, waiter.weight, true));
    }
    this.#wakeAt(wakeAt > now ? wakeAt : Number.POSITIVE_INFINITY);
  };

  /** Refuses everybody who waits. */
  refuseAll(error: Error): void {
    for (const waiter of [...this.#line]) this.#refuse(waiter, error);
  }

  /** Refuses that one or, if it waits no more, whoever is first. */
  refuse(place: Place, error: unknown): void {
    const [first] = this.#line;
    const refused = this.#line.has(place) ? (place as Waiter) : first;
    if (refused !== undefined) this.#refuse(refused, error);
  }

  #admit(now: number, weight: number, waited: boolean): Permit {
    this.#running += 1;
    return new TurnstilePermit(this, this.pace.leave(now, weight, waited));
  }

  #queue(now: number, { weight = 1, priority = 0, signal, deadlineAt }: PermitRequest): Promise<Permit> {
    const { maxQueue, maxWaitMs } = this.#bounds;
    if (this.#line.size >= maxQueue) {
      const message = `limit.maxQueue: ${maxQueue} sends are waiting already`;
      return Promise.reject(new LimitError('ERR_LIMIT_QUEUE_FULL', message));
    }
    const bound = boundOf(now, maxWaitMs, deadlineAt);
    const waiter = new Waiter(weight, Number.isNaN(priority) ? 0 : priority, bound);
    if (bound !== undefined && this.pace.earliest(now, this.#line.ahead(waiter.priority)) > bound.at) {
      return Promise.reject(overdue(bound));
    }
    return new Promise<Permit>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
      this.#line.push(waiter);
      this.pace.queued?.(now, waiter, this.#line.size);
      if (bound !== undefined || signal !== undefined) waiter.leave = this.#watch(waiter, now, signal);
      this.wake();
    });
  }

  /** After a pause: who could only leave too late is told at once, the others later. */
  #held(): void {
    const until = this.pace.pausedUntil();
    for (const waiter of [...this.#line]) {
      if (waiter.bound !== undefined && waiter.bound.at < until) this.#refuse(waiter, overdue(waiter.bound));
    }
    this.wake();
  }

  /** Refuses one who waits when the time is up, or the signal aborts; gives the function that ends the watch. */
  #watch(waiter: Waiter, now: number, signal: AbortSignal | undefined): () => void {
    const { bound } = waiter;
    let stopTimer = () => {};
    const rest = (until: Bound, ms: number) => {
      stopTimer = this.#clock.after(Math.ceil(ms), () => {
        const left = until.at - this.#clock.now();
        // A timer reaches 24 days at most, and may fire a little early.
        if (left > 0) rest(until, left);
        else this.#refuse(waiter, overdue(until));
      });
    };
    if (bound !== undefined) rest(bound, bound.at - now);
    const abort = () => this.#refuse(waiter, signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    return () => {
      stopTimer();
      signal?.removeEventListener('abort', abort);
    };
  }

  #refuse(waiter: Waiter, reason: unknown): void {
    this.#line.remove(waiter);
    waiter.leave?.();
    waiter.reject(reason);
    // Nothing must keep the process alive for those who have left.
    if (this.#line.size === 0) this.#wakeAt(Number.POSITIVE_INFINITY);
  }

  #wakeAt(at: number): void {
    if (at === this.#timerAt) return;
    this.#stopTimer();
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    this.#stopTimer = this.#clock.after(Math.ceil(at - this.#seenAt), () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  /** A clock that was set back must not hold everybody for as long. */
  #now(): number {
    const now = this.#clock.now();
    if (now < this.#seenAt) this.pace.shift(now - this.#seenAt);
    this.#seenAt = now;
    return now;
  }
}

/** The instant beyond which there is no use in waiting, and which option set it. */
interface Bound {
  readonly at: number;
  readonly maxWaitMs: number | undefined;
}

/** There may be a million: so it has few fields, and none for a number that is no small integer. */
class Waiter implements Place {
  turn = 0;
  index = 0;
  readonly weight: number;
  readonly priority: number;
  readonly bound: Bound | undefined;
  resolve!: (permit: Permit) => void;
  reject!: (reason: unknown) => void;
  /** Lets go of timer and listener. */
  leave: (() => void) | undefined = undefined;

  constructor(weight: number, priority: number, bound: Bound | undefined) {
    this.weight = weight;
    this.priority = priority;
    this.bound = bound;
  }
}

class TurnstilePermit<Leave> implements Permit {
  #turnstile: Turnstile<Leave> | undefined;
  readonly #leave: Leave;

  constructor(turnstile: Turnstile<Leave>, leave: Leave) {
    this.#turnstile = turnstile;
    this.#leave = leave;
  }

  answered(answer: Answer): void {
    this.#turnstile?.answered(this.#leave, answer);
  }

  release(): void {
    const turnstile = this.#turnstile;
    this.#turnstile = undefined;
    turnstile?.release(this.#leave);
  }
}

function boundOf(now: number, maxWaitMs: number, deadlineAt = Number.POSITIVE_INFINITY): Bound | undefined {
  if (now + maxWaitMs < deadlineAt) return { at: now + maxWaitMs, maxWaitMs };
  return deadlineAt === Number.POSITIVE_INFINITY ? undefined : { at: deadlineAt, maxWaitMs: undefined };
}

function overdue({ maxWaitMs }: Bound): LimitError {
  return maxWaitMs === undefined
    ? new LimitError('ERR_LIMIT_DEADLINE', 'no permit before the deadline of the call')
    : new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `limit.maxWaitMs: no permit within ${maxWaitMs} ms`);
}
