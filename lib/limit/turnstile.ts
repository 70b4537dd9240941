import { LimitError } from '../failure/errors.ts';
import { timeOf } from '../model/time-shown.ts';
import { type Clock, MAX_TIMER_MS } from '../wait/clock.ts';
import type { Answer, Permit, PermitRequest, Standing } from './limiter.ts';
import { Line, type Place } from './line.ts';
import type { ResolvedLimit } from './options.ts';
import type { Pace } from './pace.ts';

/** How soon the next ones follow those that were let through in one turn, in ms. */
const NEXT_TURN_MS = 1;
/** How long what was learnt outlives its last use, in ms. */
const FORGET_MS = 600_000;

/** The longest pause, in ms: whoever names more means never, and nobody would ever send again to find out. */
const LONGEST_MS = 86_400_000;

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
  /** The weight of all that wait. */
  #worth = 0;
  #usedAt = Number.NEGATIVE_INFINITY;
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

  /** How many permits could be used now. */
  get wanted(): number {
    const room = this.#bounds.maxConcurrent - this.#running;
    return room >= this.#line.size ? this.#worth : room * (this.#line.first as Waiter).weight;
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
    const now = this.#now();
    // Even what was learnt is not worth keeping for ever, or millions of keys would pile up.
    return this.pace.isFresh(now) || now - Math.max(this.#usedAt, this.pace.pausedUntil()) > FORGET_MS;
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    const now = this.#now();
    const { signal, weight = 1 } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!(Number.isSafeInteger(weight) && weight >= 1)) {
      return Promise.reject(new RangeError(`weight must be an integer of at least 1, got ${weight}`));
    }
    this.#usedAt = now;
    const isFree = this.#line.size === 0 && this.#running < this.#bounds.maxConcurrent;
    if (isFree && this.pace.nextAt(now, weight, weight) <= now) return this.#admit(now, weight, false);
    return this.#queue(now, request);
  }

  pause(untilAt: number): void {
    const now = this.#now();
    this.pace.pause(now, sane(untilAt, now));
    this.#held();
  }

  answered(leave: Leave, { throttled, untilAt, quota }: Answer): void {
    const now = this.#now();
    const before = this.pace.pausedUntil();
    this.pace.answered(now, leave, {
      throttled,
      untilAt: untilAt === undefined ? undefined : sane(untilAt, now),
      quota,
    });
    if (this.pace.pausedUntil() > before) this.#held();
    // What was learnt besides may let somebody go: release() comes next and sees to that.
  }

  release(leave: Leave): void {
    this.#running -= 1;
    this.pace.ended(this.#now(), leave);
    this.wake();
  }

  drop(leave: Leave): void {
    this.#running -= 1;
    const now = this.#now();
    if (this.pace.dropped === undefined) this.pace.ended(now, leave);
    else this.pace.dropped(now, leave);
    this.wake();
  }

  /** Lets through whoever may leave by now, and sets the timer for who is next. */
  readonly wake = (): void => {
    const now = this.#now();
    let wakeAt = Number.POSITIVE_INFINITY;
    for (let letThrough = 0; this.#line.size > 0 && this.#running < this.#bounds.maxConcurrent; letThrough++) {
      const { weight } = this.#line.first as Waiter;
      wakeAt = letThrough < this.pace.atOnce ? this.pace.nextAt(now, this.wanted, weight) : now + NEXT_TURN_MS;
      if (wakeAt > now) break;
      const waiter = this.#line.shift() as Waiter;
      this.#worth -= weight;
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
    const refused = this.#line.has(place) ? (place as Waiter) : this.#line.first;
    if (refused !== undefined) this.#refuse(refused, error);
  }

  #admit(now: number, weight: number, waited: boolean): Permit {
    this.#running += 1;
    return new TurnstilePermit(this, this.pace.leave(now, weight, waited));
  }

  #queue(
    now: number,
    { weight = 1, priority = 0, signal, deadlineAt, maxWaitMs, queued }: PermitRequest,
  ): Promise<Permit> {
    const { maxQueue } = this.#bounds;
    if (this.#line.size >= maxQueue) {
      const message = `limit.maxQueue: ${maxQueue} sends are waiting already`;
      return Promise.reject(new LimitError('ERR_LIMIT_QUEUE_FULL', message));
    }
    const bound = boundOf(now, maxWaitMs ?? this.#bounds.maxWaitMs, deadlineAt);
    const waiter = new Waiter(weight, Number.isNaN(priority) ? 0 : priority, bound);
    if (bound !== undefined && this.pace.earliest(now, this.#line.ahead(waiter.priority)) > bound.at) {
      return Promise.reject(overdue(bound));
    }
    return new Promise<Permit>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
      this.#line.push(waiter);
      this.#worth += weight;
      this.pace.queued?.(now, waiter, this.#line.size);
      if (bound !== undefined || signal !== undefined) waiter.leave = this.#watch(waiter, now, signal);
      queued?.(() => this.#standing(waiter));
      this.wake();
    });
  }

  /** Where somebody stands who waits, and what for. */
  #standing(waiter: Waiter): Standing {
    const now = this.#now();
    const of = this.#line.size;
    const before = this.#line.before(waiter);
    const isFull = this.#running >= this.#bounds.maxConcurrent;
    // Nobody leaves before the first does, for whom the timer is set.
    const wakeAt = isFull || this.#timerAt === Number.POSITIVE_INFINITY ? now : this.#timerAt;
    const earliest = Math.max(wakeAt, this.pace.earliest(now, before));
    const untilAt = earliest > now && earliest < Number.POSITIVE_INFINITY ? earliest : undefined;
    const why = `${this.#reason(now, isFull, untilAt)}, place ${before + 1} of ${of} in the queue`;
    return { place: before + 1, of, untilAt, why };
  }

  #reason(now: number, isFull: boolean, untilAt: number | undefined): string {
    const pausedUntil = this.pace.pausedUntil();
    if (pausedUntil > now) return `paused until ${timeOf(pausedUntil)}`;
    if (isFull) return `limit.maxConcurrent (${this.#bounds.maxConcurrent}) is reached`;
    return untilAt === undefined
      ? 'others go first, or have to be answered'
      : `its turn comes at ${timeOf(untilAt)} or later`;
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
    // By timers and not by the clock, which may be set; one timer reaches 24 days.
    const rest = (until: Bound, leftMs: number) => {
      const stretch = Math.min(leftMs, MAX_TIMER_MS);
      stopTimer = this.#clock.after(Math.ceil(stretch), () => {
        if (leftMs > stretch) rest(until, leftMs - stretch);
        else this.#refuse(waiter, overdue(until));
      });
    };
    if (bound !== undefined) rest(bound, bound.at - now);
    const abort = () => this.#refuse(waiter, signal?.reason);
    signal?.addEventListener('abort', abort);
    return () => {
      stopTimer();
      signal?.removeEventListener('abort', abort);
    };
  }

  #refuse(waiter: Waiter, reason: unknown): void {
    this.#line.remove(waiter);
    this.#worth -= waiter.weight;
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

  drop(): void {
    this.#end()?.drop(this.#leave);
  }

  release(): void {
    this.#end()?.release(this.#leave);
  }

  /** Either, and once. */
  #end(): Turnstile<Leave> | undefined {
    const turnstile = this.#turnstile;
    this.#turnstile = undefined;
    return turnstile;
  }
}

const sane = (untilAt: number, now: number): number => (untilAt > now ? Math.min(untilAt, now + LONGEST_MS) : now);

function boundOf(now: number, maxWaitMs: number, deadlineAt = Number.POSITIVE_INFINITY): Bound | undefined {
  if (now + maxWaitMs < deadlineAt) return { at: now + maxWaitMs, maxWaitMs };
  return deadlineAt === Number.POSITIVE_INFINITY ? undefined : { at: deadlineAt, maxWaitMs: undefined };
}

function overdue({ maxWaitMs }: Bound): LimitError {
  return maxWaitMs === undefined
    ? new LimitError('ERR_LIMIT_DEADLINE', 'deadlineMs: no permit before the deadline of the call')
    : new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `limit.maxWaitMs: no permit within ${maxWaitMs} ms`);
}
