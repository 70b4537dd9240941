import { durationOf, timeOf } from '../../call/time-shown.ts';
import { LimitError } from '../../failure/errors.ts';
import { warn } from '../../observe/warn.ts';
import { type Clock, type Random, systemRandom, wallAheadMs } from '../../time/clock.ts';
import type { Answer, Permit, PermitRequest, Standing } from '../limiter.ts';
import type { ResolvedLimit } from '../options.ts';
import { type Joint, JointSend } from './joint.ts';
import { LanedQueue } from './laned-queue.ts';
import type { Pacer } from './pacer.ts';
import { PriorityQueue, type Waiter } from './priority-queue.ts';
import { type Bound, boundOf, isBetterProbe, overdue, QueuedSend } from './queued-send.ts';
import { type Departed, Recovery } from './recovery.ts';

/** How soon the next ones follow those that were let through in one turn, in ms. */
const NEXT_TURN_MS = 1;
/** How long what was learnt outlives its last use, in ms: not for ever, or millions of keys would pile up. */
const FORGET_MS = 600_000;
/** The longest pause, in ms: whoever names more means never, and nobody would ever send again to find out. */
const LONGEST_MS = 86_400_000;
/** The last instant that a date can be. */
const LAST_DATE = 8.64e15;

export type Bounds = Pick<ResolvedLimit, 'maxConcurrent' | 'maxQueue' | 'maxWaitMs'> & {
  /** The most that one send may need. Default `Infinity`. */
  readonly maxWeight?: number | undefined;
  /** What all windows let leave at once. Default `Infinity`. */
  readonly leastBurst?: number | undefined;
  /** Only an attachment asks, whose deadlines are on the clock and not by the time of day. */
  readonly isOwn?: boolean | undefined;
};

/**
 * One bucket: who waits for a permit of it, who has one, its pause, and the one timer for who is next. When the next may leave is the
 * pacer's affair, and what a pause means the recovery's.
 */
export class Bucket<Handle> {
  #pacer: Pacer<Handle>;
  #bounds: Bounds;
  readonly #clock: Clock;
  #queue: PriorityQueue<QueuedSend> | LanedQueue = new PriorityQueue<QueuedSend>();
  /** Those whose own call holds a permit until they are over: they go first, and wait for no room. */
  #nested: PriorityQueue<QueuedSend> | LanedQueue = new PriorityQueue<QueuedSend>();
  readonly #recovery: Recovery;
  #running = 0;
  #runningNested = 0;
  /** The shortest wait that somebody has cut a pause to, while anybody waits. */
  #clampMs = Number.POSITIVE_INFINITY;
  #usedAt = Number.NEGATIVE_INFINITY;
  #timerAt = Number.POSITIVE_INFINITY;
  #stopTimer = () => {};

  constructor(bounds: Bounds, clock: Clock, pacer: Pacer<Handle>, random: Random = systemRandom) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#pacer = pacer;
    this.#recovery = new Recovery(() => this.#pacer.hasWindows === true, random);
  }

  get queued(): number {
    return this.#queue.size + this.#nested.size;
  }

  /** Who waits, in no particular order. */
  get waiting(): Iterable<Waiter> {
    return this.#queue;
  }

  /** How many of them could leave now, if the pacer let them. */
  get wanted(): number {
    const free = this.#pacer.learns ? Number.POSITIVE_INFINITY : this.#recovery.room;
    return this.#nested.ready + Math.min(this.#queue.ready, this.#bounds.maxConcurrent - this.#running, free);
  }

  get running(): number {
    return this.#running + this.#runningNested;
  }

  get pacer(): Pacer<Handle> {
    return this.#pacer;
  }

  /** The end of its last pause, on the clock. */
  get pausedUntil(): number {
    return this.#recovery.pausedUntil;
  }

  /** The same by the time of day. */
  get pausedUntilAt(): number {
    return this.#onTheWall(this.pausedUntil);
  }

  get isPaused(): boolean {
    return this.pausedUntil > this.#clock.now();
  }

  /** Whether this bucket may be forgotten. */
  get isIdle(): boolean {
    if (this.running > 0 || this.queued > 0) return false;
    const now = this.#clock.now();
    const restedMs = now - Math.max(this.#usedAt, this.pausedUntil);
    return restedMs > FORGET_MS || (this.pausedUntil <= now && this.#pacer.isFresh(now));
  }

  /** Whether it is asked last. */
  get isRemote(): boolean {
    return this.#pacer.isRemote === true;
  }

  reservedAt(weight: number): number | undefined {
    return this.#pacer.reservedAt?.(weight);
  }

  reservedBy(atMs: number): number {
    return this.#pacer.reservedBy?.(atMs) ?? Number.POSITIVE_INFINITY;
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    const now = this.#clock.now();
    const { signal, weight = 1, nested = false } = request;
    if (signal?.aborted) return Promise.reject(signal.reason);
    const refusal = this.#refusal(now, request);
    if (refusal !== undefined) return Promise.reject(refusal);
    if (this.#isFree(nested) && this.#dueAt(now, 1, weight, nested) <= now) {
      return this.#admit(now, weight, request.call, nested, false);
    }
    return this.#wait(now, request);
  }

  /** Why it would be refused at once. */
  refusal(request: PermitRequest): Error | undefined {
    return this.#refusal(this.#clock.now(), request);
  }

  /** Whether a newcomer may leave now. */
  isOpen({ weight = 1, nested = false }: PermitRequest): boolean {
    const now = this.#clock.now();
    return this.#isFree(nested) && this.#dueAt(now, 1, weight, nested) <= now;
  }

  /** Lets a newcomer go, for whom it is open. */
  admit({ weight = 1, nested = false, call }: PermitRequest): Permit {
    return this.#admit(this.#clock.now(), weight, call, nested, false);
  }

  /** Has a send wait here that waits in others as well; gives why it cannot. */
  join(request: PermitRequest, joint: Joint): Error | undefined {
    const now = this.#clock.now();
    if (request.nested === true) this.#nested = this.#laned(this.#nested);
    else this.#queue = this.#laned(this.#queue);
    const bound = this.#boundOf(now, request);
    const refusal = this.#full(request) ?? this.#late(now, new QueuedSend(request, now, bound));
    if (refusal !== undefined) return refusal;
    this.#enter(now, request, new JointSend(joint, this, request, now, bound));
    return undefined;
  }

  /** The instant from which that one may leave, as far as this bucket goes. */
  dueAt(now: number, { weight, nested }: QueuedSend, wanted: number): number {
    if (!nested && this.#running >= this.#bounds.maxConcurrent) return Number.POSITIVE_INFINITY;
    return this.#dueAt(now, wanted, weight, nested);
  }

  isNext(waiter: QueuedSend): boolean {
    const now = this.#clock.now();
    return this.#next(now) === waiter && waiter.leavesAt(now, this, 1) <= now;
  }

  take(waiter: QueuedSend): Permit {
    this.leave(waiter);
    return this.#admit(this.#clock.now(), waiter.weight, waiter.call, waiter.nested, true);
  }

  leave(waiter: QueuedSend): void {
    this.#takeOut(waiter);
    waiter.stopWatching?.();
    // Nothing must keep the process alive for those who have left.
    if (this.queued === 0) this.#wakeAt(Number.POSITIVE_INFINITY);
  }

  /** Other numbers hold from now, also for who waits: each keeps its place, and as long as it would wait. */
  update(bounds: Bounds, pacerAfter: (pacer: Pacer<Handle>, now: number) => Pacer<Handle>): void {
    const now = this.#clock.now();
    this.#bounds = bounds;
    this.#pacer = pacerAfter(this.#pacer, now);
    for (const waiter of [...this.#nested, ...this.#queue]) {
      const wrong = this.#wrongWeight(waiter.weight);
      if (wrong !== undefined) this.#refuse(waiter, wrong);
    }
    this.wake();
  }

  /** Nothing leaves before that instant, by the time of day. */
  pause(untilAt: number): void {
    this.hold(this.#onTheClock(untilAt));
  }

  /** The same, by an instant of the clock. */
  hold(until: number): void {
    const now = this.#clock.now();
    if (this.#pause(now, sane(until, now))) this.wake();
  }

  /** The same, where it was the pacer that met the pause. */
  heldByPacer(until: number): void {
    if (this.#notePause(this.#clock.now(), until)) this.wake();
  }

  answered(permit: BucketPermit<Handle>, { throttled, untilAt, quota, cost }: Answer): void {
    const now = this.#clock.now();
    const named = untilAt === undefined ? undefined : sane(this.#onTheClock(untilAt), now);
    // First, since the pause that follows makes it one that left before.
    const backoffMs = this.#recovery.answered(permit, throttled, named !== undefined && named > now);
    const learntUntil = this.#pacer.answered(now, permit.handle, { throttled, untilAt: named, quota, cost });
    const pauseUntil = backoffMs === undefined || this.#pacer.learns ? named : now + backoffMs;
    const isPaused = pauseUntil !== undefined && this.#pause(now, pauseUntil);
    const isLonger = learntUntil !== undefined && this.#notePause(now, learntUntil);
    if (isPaused || isLonger || cost !== undefined) this.wake();
    // What was learnt besides may let somebody go: release() comes next and sees to that.
  }

  release(permit: BucketPermit<Handle>): void {
    this.#ended(permit);
    this.#pacer.ended(this.#clock.now(), permit.handle);
    this.wake();
  }

  drop(permit: BucketPermit<Handle>): void {
    this.#ended(permit);
    const now = this.#clock.now();
    if (this.#pacer.dropped === undefined) this.#pacer.ended(now, permit.handle);
    else this.#pacer.dropped(now, permit.handle);
    this.wake();
  }

  /** Lets through whoever may leave by now, and sets the timer for who is next. */
  readonly wake = (): void => {
    const now = this.#clock.now();
    if (this.#clampedAt(now) <= now) this.#resume(now);
    const { atOnce = Number.POSITIVE_INFINITY } = this.#pacer;
    let wakeAt = Number.POSITIVE_INFINITY;
    for (let letThrough = 0; ; letThrough++) {
      const waiter = this.#next(now);
      if (waiter === undefined) {
        wakeAt = Number.POSITIVE_INFINITY;
        break;
      }
      wakeAt = letThrough < atOnce ? waiter.leavesAt(now, this, this.wanted) : now + NEXT_TURN_MS;
      if (wakeAt > now) break;
      if (waiter.givesWay()) continue;
      this.#takeOut(waiter);
      waiter.stopWatching?.();
      waiter.resolve(this.#admit(now, waiter.weight, waiter.call, waiter.nested, true));
    }
    if (this.isRemote && wakeAt > now && wakeAt < Number.POSITIVE_INFINITY && this.wanted === 0) {
      this.#pacer.heldUp?.(now, wakeAt);
    }
    this.#wakeAt(Math.min(wakeAt, this.#clampedAt(now)), now);
  };

  /** Refuses everybody who waits, each with an error of its own. */
  refuseAll(reason: () => Error): void {
    for (const waiter of [...this.#nested, ...this.#queue]) this.#refuse(waiter, reason());
  }

  /** Refuses that one or, if it waits no more, who goes next. */
  refuse(waiter: Waiter, error: unknown): void {
    const refused = this.#queue.has(waiter) ? (waiter as QueuedSend) : this.#queue.first;
    if (refused !== undefined) this.#refuse(refused, error);
  }

  #admit(now: number, weight: number, call: PermitRequest['call'], nested: boolean, waited: boolean): Permit {
    if (nested) this.#runningNested += 1;
    else this.#running += 1;
    const permit = new BucketPermit(this, this.#recovery, this.#pacer.send(now, weight, waited), call, nested);
    this.#recovery.sent(now, nested);
    return permit;
  }

  #ended(departed: Departed): void {
    if (departed.nested) this.#runningNested -= 1;
    else this.#running -= 1;
    this.#recovery.ended(departed);
  }

  #refusal(now: number, request: PermitRequest): Error | undefined {
    const wrong = this.#wrongWeight(request.weight ?? 1);
    if (wrong !== undefined) return wrong;
    this.#usedAt = now;
    return this.#join(now, request);
  }

  #laned(queue: PriorityQueue<QueuedSend> | LanedQueue): LanedQueue {
    if (queue instanceof LanedQueue) return queue;
    const now = () => this.#clock.now();
    const nested = queue === this.#nested;
    return new LanedQueue({ now, isOpen: () => this.isRemote || this.#dueAt(now(), 1, 1, nested) <= now() }, queue);
  }

  #wrongWeight(weight: number): RangeError | undefined {
    if (weight === 1) return undefined;
    const { maxWeight = Number.POSITIVE_INFINITY, leastBurst = Number.POSITIVE_INFINITY } = this.#bounds;
    if (!(Number.isSafeInteger(weight) && weight >= 1)) {
      return new RangeError(`weight must be an integer of at least 1, got ${weight}`);
    }
    if (weight > leastBurst && weight <= maxWeight) warnOfHeavy(this.#bounds, weight, leastBurst);
    if (weight <= maxWeight) return undefined;
    return new RangeError(`weight must be at most ${maxWeight}, since no window ever holds more; got ${weight}`);
  }

  /** Whether there is room for a newcomer, and nobody goes before it. */
  #isFree(nested: boolean): boolean {
    if (nested) return this.#nested.size === 0;
    return this.#queue.size === 0 && this.#running < this.#bounds.maxConcurrent;
  }

  #dueAt(now: number, wanted: number, weight: number, nested: boolean): number {
    const { pausedUntil } = this;
    if (pausedUntil > now) return pausedUntil;
    const rampedAt = nested ? now : this.#rampedAt();
    return rampedAt > now ? rampedAt : this.#pacer.nextAt(now, wanted, weight, nested);
  }

  /** From when the next may leave after a pause, as far as the answers to those go that have left. */
  #rampedAt(): number {
    return this.#pacer.learns ? Number.NEGATIVE_INFINITY : this.#recovery.nextAt();
  }

  #earliest(now: number, ahead: number): number {
    return Math.max(this.pausedUntil, this.#pacer.earliest?.(now, ahead) ?? now);
  }

  /** Who goes next, of those that there is room for. */
  #next(now: number): QueuedSend | undefined {
    if (this.#nested.size > 0) return this.#nested.first;
    if (this.#running >= this.#bounds.maxConcurrent) return undefined;
    const { first } = this.#queue;
    const { shunned } = this.#recovery;
    if (first === undefined || shunned === undefined || first.call?.url !== shunned.url) return first;
    // Nobody leaves yet: so there is nobody to choose.
    if (this.pausedUntil > now) return first;
    let chosen = first;
    for (const waiter of this.#queue) if (isBetterProbe(waiter, chosen, shunned)) chosen = waiter;
    return chosen;
  }

  #wait(now: number, request: PermitRequest): Promise<Permit> {
    const full = this.#full(request);
    if (full !== undefined) return Promise.reject(full);
    const waiter = new QueuedSend(request, now, this.#boundOf(now, request));
    const late = this.#late(now, waiter);
    if (late !== undefined) return Promise.reject(late);
    return new Promise<Permit>((resolve, reject) => {
      waiter.resolve = resolve;
      waiter.reject = reject;
      this.#enter(now, request, waiter);
      const leave = () => {
        if (this.#queueOf(waiter.nested).has(waiter)) this.#refuse(waiter, undefined);
      };
      request.queued?.(() => this.standing(waiter), leave);
      this.wake();
    });
  }

  #queueOf(nested: boolean): PriorityQueue<QueuedSend> | LanedQueue {
    return nested ? this.#nested : this.#queue;
  }

  #full({ nested = false }: PermitRequest): LimitError | undefined {
    const { maxQueue } = this.#bounds;
    if (this.#queueOf(nested).size < maxQueue) return undefined;
    return new LimitError('ERR_LIMIT_QUEUE_FULL', `limit.maxQueue: ${maxQueue} sends are waiting already`);
  }

  #boundOf(now: number, request: PermitRequest): Bound | undefined {
    const { maxWaitMs = this.#bounds.maxWaitMs, deadlineAt = Number.POSITIVE_INFINITY } = request;
    return boundOf(now, maxWaitMs, this.#bounds.isOwn ? deadlineAt : this.#onTheClock(deadlineAt));
  }

  /** Why it is refused where it could only leave too late. */
  #late(now: number, waiter: QueuedSend): LimitError | undefined {
    const { bound, nested } = waiter;
    if (bound === undefined) return undefined;
    const ahead = this.#queueOf(nested).ahead(waiter);
    const earliest = Math.min(this.#earliest(now, ahead), this.#probeAt(now, waiter));
    return earliest > bound.at ? overdue(bound) : undefined;
  }

  #enter(now: number, { signal }: PermitRequest, waiter: QueuedSend): void {
    const queue = this.#queueOf(waiter.nested);
    queue.push(waiter);
    if (waiter.clampsPause) this.#clampMs = Math.min(this.#clampMs, waiter.maxPauseMs);
    this.#pacer.queued?.(now, waiter, queue.size);
    if (waiter.bound !== undefined || signal !== undefined) waiter.stopWatching = this.#watch(waiter, now, signal);
  }

  /** Where somebody stands who waits, and what for. */
  standing(waiter: QueuedSend): Standing {
    const now = this.#clock.now();
    const queue = this.#queueOf(waiter.nested);
    const of = queue.size;
    const before = queue.before(waiter);
    const isFull = !waiter.nested && this.#running >= this.#bounds.maxConcurrent;
    const isUnanswered = !waiter.nested && this.#rampedAt() > now;
    // Nobody leaves before the first does, for whom the timer is set.
    const isUntimed = isFull || isUnanswered || this.#timerAt === Number.POSITIVE_INFINITY;
    const earliest = Math.max(isUntimed ? now : this.#timerAt, this.#earliest(now, before));
    const untilAt = earliest > now && earliest < Number.POSITIVE_INFINITY ? earliest : undefined;
    const why = `${this.#reason(now, isFull, isUnanswered, untilAt)}, place ${before + 1} of ${of} in the queue`;
    return { place: before + 1, of, untilAt: untilAt && this.#onTheWall(untilAt), why };
  }

  #reason(now: number, isFull: boolean, isUnanswered: boolean, untilAt: number | undefined): string {
    const { pausedUntil } = this;
    if (pausedUntil > now) return `paused until ${timeOf(this.#onTheWall(pausedUntil))}`;
    if (isFull) return `limit.maxConcurrent (${this.#bounds.maxConcurrent}) is reached`;
    if (isUnanswered) return 'after a pause those that have left have to be answered first';
    return untilAt === undefined
      ? 'others go first, or have to be answered'
      : `its turn comes at ${timeOf(this.#onTheWall(untilAt))} or later`;
  }

  #takeOut(waiter: QueuedSend): void {
    this.#queueOf(waiter.nested).remove(waiter);
    if (this.queued === 0) this.#clampMs = Number.POSITIVE_INFINITY;
  }

  /** Why a newcomer is refused for a pause that it would not wait out. It may be time for a probe instead. */
  #join(now: number, { maxPauseMs, clampsPause = false }: PermitRequest): LimitError | undefined {
    if (maxPauseMs === undefined || this.pausedUntil - now <= maxPauseMs) return undefined;
    if (this.#recovery.probeAt(maxPauseMs) <= now) this.#resume(now);
    else if (!clampsPause) return this.#pausedTooLong(now, maxPauseMs);
    return undefined;
  }

  /** Begins a pause, or makes it longer; false where that changes nothing. */
  #pause(now: number, until: number): boolean {
    if (!this.#notePause(now, until)) return false;
    this.#pacer.paused(now, until);
    return true;
  }

  /** The same, where the pacer knows of it. Who could only leave too late is told at once. */
  #notePause(now: number, until: number): boolean {
    if (!this.#recovery.pause(now, until)) return false;
    for (const waiter of [...this.#nested, ...this.#queue]) {
      const { bound, maxPauseMs, clampsPause } = waiter;
      if (bound !== undefined && bound.at < Math.min(until, this.#probeAt(now, waiter)))
        this.#refuse(waiter, overdue(bound));
      else if (!clampsPause && until - now > maxPauseMs) this.#refuse(waiter, this.#pausedTooLong(now, maxPauseMs));
    }
    return true;
  }

  /** Ends the pause for a probe: if that is refused, its answer pauses the bucket again. */
  #resume(now: number): void {
    this.#recovery.resume(now);
    this.#pacer.resumed(now);
  }

  /** From when that one may be the probe of a pause that is on; `Infinity` where it waits for the end. */
  #probeAt(now: number, { clampsPause, maxPauseMs }: QueuedSend): number {
    const isOn = clampsPause && this.pausedUntil > now;
    return isOn ? this.#recovery.probeAt(maxPauseMs) : Number.POSITIVE_INFINITY;
  }

  /** From when somebody who waits would rather ask than wait for the end of the pause. */
  #clampedAt(now: number): number {
    const isPaused = this.#clampMs < Number.POSITIVE_INFINITY && this.pausedUntil > now;
    return isPaused ? this.#recovery.probeAt(this.#clampMs) : Number.POSITIVE_INFINITY;
  }

  /** Refuses one who waits when the time is up, or the signal aborts; gives the function that ends the watch. */
  #watch(waiter: QueuedSend, now: number, signal: AbortSignal | undefined): () => void {
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

  #refuse(waiter: QueuedSend, reason: unknown): void {
    this.leave(waiter);
    waiter.reject(reason);
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
    this.#stopTimer = this.#clock.after(Math.ceil(at - now), at === this.pausedUntil ? afterRetries : due);
  }

  #pausedTooLong(now: number, maxPauseMs: number): LimitError {
    const until = this.pausedUntil;
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

const warned = new WeakSet<Bounds>();

/** Once for each limiter: nothing fails, and nobody would know why half of the limit is unused. */
function warnOfHeavy(bounds: Bounds, weight: number, burst: number): void {
  if (warned.has(bounds)) return;
  warned.add(bounds);
  const why = 'it waits for as much before it as it leaves free after it, and about half of the limit is used';
  warn(
    'HOLDFAST_HEAVY_SEND',
    `A send weighs ${weight}, and limit.burst is ${burst}: so ${why}. Give a burst of at least the heaviest weight.`,
  );
}

class BucketPermit<Handle> implements Permit, Departed {
  #bucket: Bucket<Handle> | undefined;
  readonly handle: Handle;
  readonly call: Departed['call'];
  readonly nested: boolean;
  readonly pauses: number;
  readonly isProbe: boolean;

  constructor(
    bucket: Bucket<Handle>,
    { pauses, isProbing }: Recovery,
    handle: Handle,
    call: Departed['call'],
    nested: boolean,
  ) {
    this.#bucket = bucket;
    this.handle = handle;
    this.call = call;
    this.nested = nested;
    this.pauses = pauses;
    this.isProbe = isProbing && !nested;
  }

  answered(answer: Answer): void {
    this.#bucket?.answered(this, answer);
  }

  drop(): void {
    this.#end()?.drop(this);
  }

  release(): void {
    this.#end()?.release(this);
  }

  /** Either, and once. */
  #end(): Bucket<Handle> | undefined {
    const bucket = this.#bucket;
    this.#bucket = undefined;
    return bucket;
  }
}

/** An instant to pause until: none that is past, and none in the far future. */
const sane = (untilAt: number, now: number): number => (untilAt > now ? Math.min(untilAt, now + LONGEST_MS) : now);
