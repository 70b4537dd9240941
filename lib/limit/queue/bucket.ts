import { durationOf, timeOf } from '../../call/time-shown.ts';
import { LimitError } from '../../failure/errors.ts';
import { type Clock, type Random, systemRandom, wallAheadMs } from '../../time/clock.ts';
import type { Answer, Permit, PermitRequest, Standing } from '../limiter.ts';
import type { ResolvedLimit } from '../options.ts';
import type { Pace } from './pacer.ts';
import { goesBefore, Line, type Place } from './priority-queue.ts';
import { type Departed, Recovery } from './recovery.ts';

/** How soon the next ones follow those that were let through in one turn, in ms. */
const NEXT_TURN_MS = 1;
/** How long what was learnt outlives its last use, in ms. */
const FORGET_MS = 600_000;

/** The longest pause, in ms: whoever names more means never, and nobody would ever send again to find out. */
const LONGEST_MS = 86_400_000;

export type Bounds = Pick<ResolvedLimit, 'maxConcurrent' | 'maxQueue' | 'maxWaitMs'> & {
  /** The most that one send may need. Default `Infinity`. */
  readonly maxWeight?: number | undefined;
  /** Only an attachment asks, whose deadlines are on the clock and not by the time of day. */
  readonly isOwn?: boolean | undefined;
};

/**
 * One bucket: those who wait for a permit of it, those who have one, and the one timer for who is next. When the next may leave
 * is the `Pace`'s affair.
 */
export class Turnstile<Leave> {
  readonly pace: Pace<Leave>;
  readonly #bounds: Bounds;
  readonly #clock: Clock;
  readonly #line = new Line<Waiter>();
  /** Those whose own call holds a permit until they are over: they go first, and wait for no room. */
  readonly #nested = new Line<Waiter>();
  readonly #recovery: Recovery;
  #running = 0;
  #runningNested = 0;
  /** The weight of all that wait in either. */
  #worth = 0;
  #nestedWorth = 0;
  /** The end of the pause that those who wait were told of. */
  #heldUntil = Number.NEGATIVE_INFINITY;
  /** The shortest wait that somebody has cut a pause to, while anybody waits. */
  #clampMs = Number.POSITIVE_INFINITY;
  #usedAt = Number.NEGATIVE_INFINITY;
  #timerAt = Number.POSITIVE_INFINITY;
  #stopTimer = () => {};

  constructor(bounds: Bounds, clock: Clock, pace: Pace<Leave>, random: Random = systemRandom) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.pace = pace;
    this.#recovery = new Recovery(() => pace.hasWindows === true, random);
  }

  get queued(): number {
    return this.#line.size + this.#nested.size;
  }

  /** Who waits, in no particular order. */
  get waiting(): Iterable<Place> {
    return this.#line;
  }

  /** How many permits could be used now. */
  get wanted(): number {
    const free = this.pace.learns ? Number.POSITIVE_INFINITY : this.#recovery.room;
    const room = Math.min(this.#bounds.maxConcurrent - this.#running, free);
    const first = this.#line.first?.weight ?? 0;
    return this.#nestedWorth + (room >= this.#line.size ? this.#worth : room * first);
  }

  get running(): number {
    return this.#running + this.#runningNested;
  }

  get isPaused(): boolean {
    return this.pace.pausedUntil() > this.#clock.now();
  }

  /** Whether this bucket may be forgotten. */
  get isIdle(): boolean {
    if (this.running > 0 || this.queued > 0) return false;
    const now = this.#clock.now();
    // Even what was learnt is not worth keeping for ever, or millions of keys would pile up.
    return this.pace.isFresh(now) || now - Math.max(this.#usedAt, this.pace.pausedUntil()) > FORGET_MS;
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    const now = this.#clock.now();
    const { signal, weight = 1, nested = false } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const wrong = this.#wrongWeight(weight);
    if (wrong !== undefined) return Promise.reject(wrong);
    this.#usedAt = now;
    this.#notice(now);
    const tooLong = this.#join(now, request);
    if (tooLong !== undefined) return Promise.reject(tooLong);
    if (this.#isFree(now, nested) && this.pace.nextAt(now, weight, weight, nested) <= now) {
      return this.#admit(now, weight, request.call, nested, false);
    }
    return this.#queue(now, request);
  }

  /** Nothing leaves before that instant, by the time of day. */
  pause(untilAt: number): void {
    this.hold(this.#onTheClock(untilAt));
  }

  /** The same, by an instant of the clock. */
  hold(until: number): void {
    const now = this.#clock.now();
    this.pace.pause(now, sane(until, now));
    if (this.#notice(now)) this.wake();
  }

  answered(permit: TurnstilePermit<Leave>, { throttled, untilAt, quota }: Answer): void {
    const now = this.#clock.now();
    const named = untilAt === undefined ? undefined : sane(this.#onTheClock(untilAt), now);
    // First, since the pause that follows makes it one that left before.
    const pauseMs = this.#recovery.answered(permit, throttled, named !== undefined && named > now);
    this.pace.answered(now, permit.leave, { throttled, untilAt: named, quota });
    if (pauseMs !== undefined && !this.pace.learns) this.pace.pause(now, now + pauseMs);
    if (this.#notice(now)) this.wake();
    // What was learnt besides may let somebody go: release() comes next and sees to that.
  }

  release(permit: TurnstilePermit<Leave>): void {
    this.#ended(permit);
    this.pace.ended(this.#clock.now(), permit.leave);
    this.wake();
  }

  drop(permit: TurnstilePermit<Leave>): void {
    this.#ended(permit);
    const now = this.#clock.now();
    if (this.pace.dropped === undefined) this.pace.ended(now, permit.leave);
    else this.pace.dropped(now, permit.leave);
    this.wake();
  }

  /** Lets through whoever may leave by now, and sets the timer for who is next. */
  readonly wake = (): void => {
    const now = this.#clock.now();
    this.#notice(now);
    if (this.#clampedAt(now) <= now) this.#resume(now);
    let wakeAt = Number.POSITIVE_INFINITY;
    for (let letThrough = 0; ; letThrough++) {
      const waiter = this.#next(now);
      if (waiter === undefined) {
        wakeAt = Number.POSITIVE_INFINITY;
        break;
      }
      wakeAt = letThrough < this.pace.atOnce ? this.#dueAt(now, waiter) : now + NEXT_TURN_MS;
      if (wakeAt > now) break;
      this.#takeOut(waiter);
      waiter.leave?.();
      waiter.resolve(this.#admit(now, waiter.weight, waiter.call, waiter.nested, true));
    }
    this.#wakeAt(Math.min(wakeAt, this.#clampedAt(now)), now);
  };

  /** Refuses everybody who waits, each with an error of its own. */
  refuseAll(reason: () => Error): void {
    for (const waiter of [...this.#nested, ...this.#line]) this.#refuse(waiter, reason());
  }

  /** Refuses that one or, if it waits no more, whoever is first. */
  refuse(place: Place, error: unknown): void {
    const refused = this.#line.has(place) ? (place as Waiter) : this.#line.first;
    if (refused !== undefined) this.#refuse(refused, error);
  }

  #admit(now: number, weight: number, call: PermitRequest['call'], nested: boolean, waited: boolean): Permit {
    if (nested) this.#runningNested += 1;
    else this.#running += 1;
    const permit = new TurnstilePermit(this, this.#recovery, this.pace.leave(now, weight, waited), call, nested);
    this.#recovery.left(now, nested);
    return permit;
  }

  #ended(departed: Departed): void {
    if (departed.nested) this.#runningNested -= 1;
    else this.#running -= 1;
    this.#recovery.ended(departed);
  }

  #wrongWeight(weight: number): RangeError | undefined {
    const { maxWeight = Number.POSITIVE_INFINITY } = this.#bounds;
    if (!(Number.isSafeInteger(weight) && weight >= 1)) {
      return new RangeError(`weight must be an integer of at least 1, got ${weight}`);
    }
    if (weight <= maxWeight) return undefined;
    return new RangeError(`weight must be at most ${maxWeight}, since no window ever holds more; got ${weight}`);
  }

  /** Whether nobody goes before a newcomer, and nobody's end is waited for. */
  #isFree(now: number, nested: boolean): boolean {
    if (nested) return this.#nested.size === 0;
    return this.#line.size === 0 && this.#running < this.#bounds.maxConcurrent && this.#openAt() <= now;
  }

  /** From when the next may leave after a pause, as far as the answers to those go that have left. */
  #openAt(): number {
    return this.pace.learns ? Number.NEGATIVE_INFINITY : this.#recovery.nextAt();
  }

  #dueAt(now: number, { weight, nested }: Waiter): number {
    const openAt = nested ? now : this.#openAt();
    return openAt > now ? openAt : this.pace.nextAt(now, this.wanted, weight, nested);
  }

  /** Who goes next, of those that there is room for. */
  #next(now: number): Waiter | undefined {
    if (this.#nested.size > 0) return this.#nested.first;
    if (this.#running >= this.#bounds.maxConcurrent) return undefined;
    const { first } = this.#line;
    const { shunned } = this.#recovery;
    if (first === undefined || shunned === undefined || first.call?.url !== shunned.url) return first;
    // Nobody leaves yet: so there is nobody to choose.
    if (this.pace.pausedUntil() > now) return first;
    let chosen = first;
    for (const waiter of this.#line) if (isPreferred(waiter, chosen, shunned)) chosen = waiter;
    return chosen;
  }

  #queue(now: number, request: PermitRequest): Promise<Permit> {
    const { weight = 1, signal, nested = false, maxPauseMs, clampsPause = false } = request;
    const { maxQueue } = this.#bounds;
    const line = nested ? this.#nested : this.#line;
    if (line.size >= maxQueue) {
      const message = `limit.maxQueue: ${maxQueue} sends are waiting already`;
      return Promise.reject(new LimitError('ERR_LIMIT_QUEUE_FULL', message));
    }
    const { maxWaitMs = this.#bounds.maxWaitMs, deadlineAt = Number.POSITIVE_INFINITY } = request;
    const bound = boundOf(now, maxWaitMs, this.#bounds.isOwn ? deadlineAt : this.#onTheClock(deadlineAt));
    const waiter = new Waiter(request, now, bound);
    if (
      bound !== undefined &&
      Math.min(this.pace.earliest(now, line.ahead(waiter)), this.#probeAt(now, waiter)) > bound.at
    ) {
      return Promise.reject(overdue(bound));
    }
    return new Promise<Permit>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
      line.push(waiter);
      if (nested) this.#nestedWorth += weight;
      else this.#worth += weight;
      if (clampsPause && maxPauseMs !== undefined) this.#clampMs = Math.min(this.#clampMs, maxPauseMs);
      this.pace.queued?.(now, waiter, line.size);
      if (bound !== undefined || signal !== undefined) waiter.leave = this.#watch(waiter, now, signal);
      request.queued?.(() => this.#standing(waiter));
      this.wake();
    });
  }

  /** Where somebody stands who waits, and what for. */
  #standing(waiter: Waiter): Standing {
    const now = this.#clock.now();
    const line = waiter.nested ? this.#nested : this.#line;
    const of = line.size;
    const before = line.before(waiter);
    const isFull = !waiter.nested && this.#running >= this.#bounds.maxConcurrent;
    const isUnanswered = !waiter.nested && this.#openAt() > now;
    // Nobody leaves before the first does, for whom the timer is set.
    const isUntimed = isFull || isUnanswered || this.#timerAt === Number.POSITIVE_INFINITY;
    const earliest = Math.max(isUntimed ? now : this.#timerAt, this.pace.earliest(now, before));
    const untilAt = earliest > now && earliest < Number.POSITIVE_INFINITY ? earliest : undefined;
    const why = `${this.#reason(now, isFull, isUnanswered, untilAt)}, place ${before + 1} of ${of} in the queue`;
    return { place: before + 1, of, untilAt: untilAt && this.#onTheWall(untilAt), why };
  }

  #reason(now: number, isFull: boolean, isUnanswered: boolean, untilAt: number | undefined): string {
    const pausedUntil = this.pace.pausedUntil();
    if (pausedUntil > now) return `paused until ${timeOf(this.#onTheWall(pausedUntil))}`;
    if (isFull) return `limit.maxConcurrent (${this.#bounds.maxConcurrent}) is reached`;
    if (isUnanswered) return 'after a pause those that have left have to be answered first';
    return untilAt === undefined
      ? 'others go first, or have to be answered'
      : `its turn comes at ${timeOf(this.#onTheWall(untilAt))} or later`;
  }

  #takeOut(waiter: Waiter): void {
    if (waiter.nested) {
      this.#nested.remove(waiter);
      this.#nestedWorth -= waiter.weight;
    } else {
      this.#line.remove(waiter);
      this.#worth -= waiter.weight;
    }
    if (this.queued === 0) this.#clampMs = Number.POSITIVE_INFINITY;
  }

  /** Why a newcomer is refused for a pause that it would not wait out. It may be time for a probe instead. */
  #join(now: number, { maxPauseMs, clampsPause = false }: PermitRequest): LimitError | undefined {
    const until = this.pace.pausedUntil();
    if (maxPauseMs === undefined || until - now <= maxPauseMs) return undefined;
    if (this.#recovery.probeAt(maxPauseMs) <= now) this.#resume(now);
    else if (!clampsPause) return this.#pausedTooLong(until, now, maxPauseMs);
    return undefined;
  }

  /** Looks whether a pause has begun, here or elsewhere. Who could only leave too late is told at once, the others later. */
  #notice(now: number): boolean {
    const until = this.pace.pausedUntil();
    if (until <= now || until <= this.#heldUntil) return false;
    this.#heldUntil = until;
    this.#recovery.paused(now);
    for (const waiter of [...this.#nested, ...this.#line]) {
      const { bound, maxPauseMs, clampsPause } = waiter;
      if (bound !== undefined && bound.at < Math.min(until, this.#probeAt(now, waiter)))
        this.#refuse(waiter, overdue(bound));
      else if (!clampsPause && until - now > maxPauseMs)
        this.#refuse(waiter, this.#pausedTooLong(until, now, maxPauseMs));
    }
    return true;
  }

  /** Ends the pause for a probe: if that is refused, its answer pauses the bucket again. */
  #resume(now: number): void {
    this.pace.resume(now);
    this.#heldUntil = now;
    this.#recovery.paused(now);
  }

  /** From when that one may be the probe of a pause that is on; `Infinity` where it waits for the end. */
  #probeAt(now: number, { clampsPause, maxPauseMs }: Waiter): number {
    const isOn = clampsPause && this.pace.pausedUntil() > now;
    return isOn ? this.#recovery.probeAt(maxPauseMs) : Number.POSITIVE_INFINITY;
  }

  /** From when somebody who waits would rather ask than wait for the end of the pause. */
  #clampedAt(now: number): number {
    const isPaused = this.#clampMs < Number.POSITIVE_INFINITY && this.pace.pausedUntil() > now;
    return isPaused ? this.#recovery.probeAt(this.#clampMs) : Number.POSITIVE_INFINITY;
  }

  /** Refuses one who waits when the time is up, or the signal aborts; gives the function that ends the watch. */
  #watch(waiter: Waiter, now: number, signal: AbortSignal | undefined): () => void {
    const { bound } = waiter;
    let stopTimer = () => {};
    if (bound !== undefined) {
      stopTimer = this.#clock.after(Math.ceil(bound.at - now), () => this.#refuse(waiter, overdue(bound)));
    }
    const abort = () => this.#refuse(waiter, signal?.reason);
    signal?.addEventListener('abort', abort);
    return () => {
      stopTimer();
      signal?.removeEventListener('abort', abort);
    };
  }

  #refuse(waiter: Waiter, reason: unknown): void {
    this.#takeOut(waiter);
    waiter.leave?.();
    waiter.reject(reason);
    // Nothing must keep the process alive for those who have left.
    if (this.queued === 0) this.#wakeAt(Number.POSITIVE_INFINITY);
  }

  #wakeAt(at: number, now = at): void {
    if (at === this.#timerAt) return;
    this.#stopTimer();
    this.#timerAt = at;
    if (at === Number.POSITIVE_INFINITY) return;
    const due = () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.wake();
    };
    // A retry that has waited for the end of the pause itself comes back at that instant, and its place is before the others.
    const afterRetries = () => {
      this.#stopTimer = this.#clock.after(0, due);
    };
    this.#stopTimer = this.#clock.after(Math.ceil(at - now), at === this.#heldUntil ? afterRetries : due);
  }

  #pausedTooLong(until: number, now: number, maxPauseMs: number): LimitError {
    const retryAt = Math.min(Math.ceil(this.#onTheWall(until)), LAST_DATE);
    const [rest, most] = [until - now, maxPauseMs].map((ms) => durationOf(ms).replace('.0 s', ' s'));
    const when = `until ${new Date(retryAt).toISOString()}, for ${rest}`;
    const message = `retry.retryAfter.maxMs: nothing may be sent ${when}, and the call waits ${most} at most`;
    return new LimitError('ERR_LIMIT_WAIT_TOO_LONG', message, { retryAt });
  }

  /** An instant by the time of day, which is what is handed in. */
  #onTheClock(at: number): number {
    return at - wallAheadMs(this.#clock);
  }

  /** An instant of the clock as it is handed out. */
  #onTheWall(at: number): number {
    return at + wallAheadMs(this.#clock);
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
  readonly since: number;
  readonly nested: boolean;
  readonly call: PermitRequest['call'];
  readonly maxPauseMs: number;
  readonly clampsPause: boolean;
  readonly bound: Bound | undefined;
  resolve!: (permit: Permit) => void;
  reject!: (reason: unknown) => void;
  /** Lets go of timer and listener. */
  leave: (() => void) | undefined = undefined;

  constructor(request: PermitRequest, now: number, bound: Bound | undefined) {
    const { weight = 1, priority = 0, since = now, nested = false, maxPauseMs, clampsPause = false } = request;
    this.weight = weight;
    this.priority = Number.isNaN(priority) ? 0 : priority;
    this.since = Number.isNaN(since) ? now : since;
    this.nested = nested;
    this.call = request.call;
    this.maxPauseMs = maxPauseMs ?? Number.POSITIVE_INFINITY;
    this.clampsPause = clampsPause;
    this.bound = bound;
  }
}

class TurnstilePermit<Leave> implements Permit, Departed {
  #turnstile: Turnstile<Leave> | undefined;
  readonly leave: Leave;
  readonly call: Departed['call'];
  readonly nested: boolean;
  readonly pauses: number;
  readonly isProbe: boolean;

  constructor(
    turnstile: Turnstile<Leave>,
    { pauses, isProbing }: Recovery,
    leave: Leave,
    call: Departed['call'],
    nested: boolean,
  ) {
    this.#turnstile = turnstile;
    this.leave = leave;
    this.call = call;
    this.nested = nested;
    this.pauses = pauses;
    this.isProbe = isProbing && !nested;
  }

  answered(answer: Answer): void {
    this.#turnstile?.answered(this, answer);
  }

  drop(): void {
    this.#end()?.drop(this);
  }

  release(): void {
    this.#end()?.release(this);
  }

  /** Either, and once. */
  #end(): Turnstile<Leave> | undefined {
    const turnstile = this.#turnstile;
    this.#turnstile = undefined;
    return turnstile;
  }
}

const sane = (untilAt: number, now: number): number => (untilAt > now ? Math.min(untilAt, now + LONGEST_MS) : now);

function boundOf(now: number, maxWaitMs: number, deadlineAt: number): Bound | undefined {
  if (now + maxWaitMs < deadlineAt) return { at: now + maxWaitMs, maxWaitMs };
  return deadlineAt === Number.POSITIVE_INFINITY ? undefined : { at: deadlineAt, maxWaitMs: undefined };
}

/** Whether one who waits makes the better probe, where that call's was refused: another path, else another call, else who is first. */
function isPreferred(a: Waiter, b: Waiter, shunned: { readonly url: string }): boolean {
  const rank = ({ call }: Waiter) => (call === shunned ? 2 : call?.url === shunned.url ? 1 : 0);
  const by = rank(a) - rank(b);
  return by === 0 ? goesBefore(a, b) : by < 0;
}

/** The last instant that a date can be. */
const LAST_DATE = 8.64e15;

function overdue({ maxWaitMs }: Bound): LimitError {
  return maxWaitMs === undefined
    ? new LimitError('ERR_LIMIT_DEADLINE', 'deadlineMs: no permit before the deadline of the call')
    : new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `limit.maxWaitMs: no permit within ${maxWaitMs} ms`);
}
