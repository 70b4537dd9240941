import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { LiveCall } from '../call/live-call.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { isReentrant, trackReentrancy } from '../call/reentrancy.ts';
import type { Refusal } from '../call/refusal.ts';
import type { Station } from '../call/station.ts';
import { wholeMs } from '../call/time-shown.ts';
import type { Judgement } from '../call/verdict.ts';
import { kindOf } from '../check.ts';
import { codeOf } from '../failure/code.ts';
import { LimitError } from '../failure/errors.ts';
import { keyOf } from '../send/key.ts';
import type { StreamedBody } from '../send/streamed-body.ts';
import type { Clock } from '../time/clock.ts';
import { withTimeout } from '../time/with-timeout.ts';
import { type HeldSlots, heldSlotsOf } from './held-slots.ts';
import { inOrder } from './in-order.ts';
import { Layers } from './layers.ts';
import type { Limiter, Permit, PermitRequest, Standing } from './limiter.ts';
import { isLimiter } from './limiter.ts';
import { isList, type OneLimit, type ResolvedLimits } from './options.ts';
import { readQuota } from './quota/headers.ts';
import { type ShownAnswer, TellingCode, TellingCodes, type Told } from './told.ts';

/** What is remembered of a call here. */
interface Slot {
  /** By whom its permit is asked for: another station may have taken the place of the plan's own. */
  readonly of: LimitStation;
  /** Where the call itself would go. */
  config: InternalAxiosRequestConfig;
  /** The bucket of where the call itself would go. */
  home: string;
  /** The bucket of where the send goes. */
  key: string;
  readonly priority: number | undefined;
  /** How many permits each of its sends needs. */
  readonly weight: number | undefined;
  /** Of several limits: for each. */
  readonly weights: readonly (number | undefined)[] | undefined;
  /** Of when the call began, so that its retries keep its place. */
  readonly since: number;
  /** How long the permit of this send took, in ms. */
  queuedMs: number;
  permit: Permit | undefined;
  /** How many sends had been made when it was taken. */
  sentBefore: number;
  /** Another call of this limiter makes this one while it holds a permit. */
  isNested: boolean;
  /** Whether the limiter knows that the last send was throttled, so that it paces the next. */
  paces: boolean;
  /** Says where the call stands in the limiter's line, and gives that place up, where the limiter can. */
  standing: (() => Standing) | undefined;
  leaveLine: (() => void) | undefined;
  /** Ends what is done while the permit is held. */
  endScope: (() => void) | undefined;
}

/** A call that waits while another limit takes the place of its own. */
export interface Waiting {
  readonly priority: number;
  /** Of when the call began. */
  readonly since: number;
  /** It leaves its line at once; the promise ends when it stands in the other. */
  readonly goOver: () => Promise<void>;
}

/** Who waits for one limit, whatever the policy says besides. */
interface Line {
  /** And how each goes over to what takes the place of that limit. */
  readonly waiting: Map<Slot, Waiting['goOver']>;
  /** Who asks for the permits now; `'free'`: there is no limit any more. */
  next: LimitStation | 'free' | undefined;
}

export interface LimitedCall extends LiveCall {
  limit: Slot | undefined;
}

/** What the station needs of its attachment. */
export interface LimitPorts {
  readonly clock: Clock;
  readonly wallAheadMs: () => number;
  readonly counters: { queued: number };
  /** How each call that waits for the limiter or for a token is refused when the attachment is closed. */
  readonly queue: Set<() => void>;
  /** While some go over to another limit: who comes meanwhile is to stand behind them. */
  readonly crossing: { ends: Promise<unknown> | undefined };
  /** What the policy's own code is shown of an answer. */
  evidence(call: LimitedCall, outcome: Outcome): ShownAnswer;
}

/** The pauses that the policy has its calls wait for. */
export interface Pauses {
  /** Whether a time that a server names counts. */
  readonly heeded: boolean;
  /** Whoever honours no named wait, or retries nothing, stands behind the pauses of others all the same: so long by default. */
  readonly bounds: { readonly maxMs: number; readonly whenLonger: 'fail' | 'clamp' };
}

/** The limiter on a call's way: a permit for each send, given back as soon as that has ended. */
export class LimitStation implements Station<LimitedCall> {
  /** Whether a send may have to wait for another's end. */
  readonly mayHoldUp: boolean;
  readonly #ports: LimitPorts;
  readonly #limiter: Limiter;
  readonly #options: Pick<OneLimit, 'key' | 'priority'>;
  readonly #code: TellingCode | TellingCodes;
  readonly #maxWaitMs: number | undefined;
  /** The limiter was handed in, so that it does not close with the attachment. */
  readonly #isShared: boolean;
  /** Whether the limiter may learn from what an answer says of the quota. */
  readonly #hearsQuota: boolean;
  readonly #pauses: Pauses;
  readonly #limit: ResolvedLimits;
  #line: Line = { waiting: new Map(), next: undefined };

  /** @param limiter what was made of `limit` */
  constructor(ports: LimitPorts, limiter: Limiter, limit: ResolvedLimits, pauses: Pauses) {
    // The policy may name them, and so may a limiter that was handed in.
    const options = isList(limit) ? limiter : limit;
    this.#ports = ports;
    this.#limit = limit;
    this.#limiter = limiter;
    this.#options = options;
    this.#code = isList(limit) ? new TellingCodes(limit) : new TellingCode(limit);
    this.#maxWaitMs = Object.hasOwn(options, 'maxWaitMs') ? (options as { maxWaitMs?: number }).maxWaitMs : undefined;
    this.#isShared = isLimiter(options);
    this.#hearsQuota = isLimiter(options) || options.adaptive !== false;
    this.#pauses = pauses;
    this.mayHoldUp = waitsForOthers(limit);
  }

  enter(call: LimitedCall): Refusal | undefined | Promise<Refusal | undefined> {
    const { ends } = this.#ports.crossing;
    return ends === undefined ? this.#enter(call) : ends.then(() => this.#enter(call));
  }

  /**
   * Whoever comes goes over to another station; `undefined`: they need no permit any more.
   *
   * @returns who waits, and has to be told to go over
   */
  replaceBy(next: LimitStation | undefined): readonly Waiting[] {
    const there = this.#line.next;
    if (there instanceof LimitStation) return there.replaceBy(next);
    if (next !== undefined && (isSame(next.#limit, this.#limit) || next.#limiter === this.#limiter)) {
      // What takes its place takes the place of this one, too.
      next.#line = this.#line;
      return [];
    }
    this.#line.next = next ?? 'free';
    return Array.from(this.#line.waiting, ([{ priority = 0, since }, goOver]) => ({ priority, since, goOver }));
  }

  reroute(call: LimitedCall, config: InternalAxiosRequestConfig): undefined {
    const slot = this.#slotOf(call);
    slot.config = config;
    slot.home = slot.of.#keyOf(config);
  }

  /** In place of the permit that the send has, it takes one of where it goes. */
  moveTo(call: LimitedCall, config: InternalAxiosRequestConfig): Refusal | undefined | Promise<Refusal | undefined> {
    const slot = this.#slotOf(call);
    if (slot.of !== this) return slot.of.moveTo(call, config);
    const key = this.#keyOf(config);
    if (key === slot.key) return undefined;
    this.leave(call);
    slot.key = key;
    return this.#take(call, slot);
  }

  /** How long the permit of this send was waited for, in ms; 0 where it was there at once. */
  queuedMs({ limit }: LimitedCall): number {
    return limit?.queuedMs ?? 0;
  }

  /** The bucket of where this send goes. */
  bucketOf(call: LimitedCall): string {
    return this.#slotOf(call).key;
  }

  /** Whether the limiter paces the retry of what was refused for its rate. */
  paces({ limit }: LimitedCall): boolean {
    return limit?.paces === true;
  }

  /**
   * Tells the limiter what an answer said, and gives the permit back.
   *
   * @param isStreaming the answer has begun, and its body will go on: where others wait for its end, the permit is kept
   * @returns until when the answer pauses the bucket, on the clock, if it does
   */
  arrive(
    call: LimitedCall,
    outcome: Outcome,
    { kind, retryAfterMs, final = false }: Judgement,
    nowMs: number,
    isStreaming: boolean,
  ): number | undefined {
    const slot = this.#slotOf(call);
    if (slot.of !== this) return slot.of.arrive(call, outcome, { kind, retryAfterMs, final }, nowMs, isStreaming);
    const { key, permit } = slot;
    slot.endScope?.();
    if (permit === undefined && !slot.isNested) return undefined;
    slot.permit = undefined;
    slot.paces = kind === 'throttled' && permit?.answered !== undefined;
    const response = responseOf(outcome);
    // A 503 that names a time speaks for the whole server, as a 429 does. What no wait can change is no matter of rate.
    const throttled = kind === 'throttled' && !final;
    const speaks = this.#pauses.heeded && (throttled || (response?.status === 503 && !final));
    const named = speaks ? retryAfterMs : undefined;
    // In full: each that waits compares it with its own `maxMs`. A time that has come is none.
    const untilAt = named ? nowMs + named : undefined;
    // Where no permit can be told of it, the limiter itself is.
    if (untilAt !== undefined && permit?.answered === undefined) {
      quietly(() => this.#limiter.pause(key, this.#onTheWall(untilAt)));
    }
    if (permit === undefined) return untilAt;
    // Without an answer nothing was learnt of the server, unless a judge knows better.
    if (response !== undefined || throttled) {
      const told = response && this.#code.readsAnswers ? this.#read(call, outcome, response, slot) : undefined;
      const headers = this.#hearsQuota && told?.quota === undefined ? response?.headers : undefined;
      const quota = headers === undefined ? told?.quota : readQuota(headers, this.#ports.clock);
      const { cost, each } = told ?? NOTHING;
      quietly(() => permit.answered?.({ throttled, untilAt: untilAt && this.#onTheWall(untilAt), quota, cost, each }));
    }
    if (isStreaming && this.mayHoldUp) slot.permit = permit;
    else release(permit);
    return untilAt;
  }

  /** Keeps the permit while that body goes on; gives the function that says that it is over. */
  holdFor(call: LimitedCall, body: StreamedBody): () => void {
    const slot = this.#slotOf(call);
    if (slot.of !== this) return slot.of.holdFor(call, body);
    const { key, permit } = slot;
    slot.permit = undefined;
    if (permit === undefined) return () => {};
    const { method, url } = call;
    let isHeld = true;
    const giveBack = () => {
      if (isHeld) release(permit);
      isHeld = false;
    };
    const letGo = this.#heldIn(key).map((held) => held.hold({ method, url, body, giveBack }));
    return () => {
      for (const end of letGo) end();
      giveBack();
    };
  }

  /**
   * Does something while the permit is held: a call that it makes would wait for that very permit. What it leaves running takes
   * permits of its own, once this one is given back.
   */
  holding<T>(call: LimitedCall, body: () => T): T {
    const slot = this.#slotOf(call);
    if (slot.of !== this) return slot.of.holding(call, body);
    const started = (end: () => void) => {
      slot.endScope = end;
    };
    const limiter = this.#limiter;
    if (limiter instanceof Layers) return limiter.within(slot.key, body, started);
    return trackReentrancy(limiter, body, slot.key, started);
  }

  /** Gives back the permit, if there is one: as if it had never been taken where nothing was sent with it. */
  leave(call: LimitedCall): void {
    const { limit: slot } = call;
    if (slot === undefined) return;
    const { permit } = slot;
    slot.endScope?.();
    slot.permit = undefined;
    if (permit === undefined) return;
    if (call.sent > slot.sentBefore) release(permit);
    else drop(permit);
  }

  #enter(call: LimitedCall): Refusal | undefined | Promise<Refusal | undefined> {
    const { next } = this.#line;
    if (next !== undefined) return next === 'free' ? undefined : next.#enter(call);
    const slot = this.#renewed(call);
    slot.queuedMs = 0;
    slot.key = slot.home;
    return this.#take(call, slot);
  }

  #slotOf(call: LimitedCall): Slot {
    call.limit ??= this.#newSlot(call, call.config, inOrder(call.startedAt));
    return call.limit;
  }

  /** Where another station had it, in the same place, and by this one's key and weights. */
  #renewed(call: LimitedCall): Slot {
    const slot = this.#slotOf(call);
    if (slot.of === this) return slot;
    call.limit = this.#newSlot(call, slot.config, slot.since);
    return call.limit;
  }

  #newSlot({ config: own }: LimitedCall, config: InternalAxiosRequestConfig, since: number): Slot {
    const home = this.#keyOf(config);
    return {
      of: this,
      config,
      home,
      key: home,
      priority: priorityOf(this.#options.priority?.(own)),
      weight: this.#code.weightOf(own),
      weights: this.#code.weightsOf(own),
      since,
      queuedMs: 0,
      permit: undefined,
      sentBefore: 0,
      isNested: false,
      paces: false,
      standing: undefined,
      leaveLine: undefined,
      endScope: undefined,
    };
  }

  /** What the policy's own code says of an answer. */
  #read(call: LimitedCall, outcome: Outcome, response: AxiosResponse, { weight, weights }: Slot): Told {
    return this.#code.read(response, this.#ports.evidence(call, outcome), weights ?? weight, this.#hearsQuota);
  }

  #keyOf(config: InternalAxiosRequestConfig): string {
    return keyOf(this.#options.key, config, 'limit.key');
  }

  #take(call: LimitedCall, slot: Slot): Refusal | undefined | Promise<Refusal | undefined> {
    slot.sentBefore = call.sent;
    slot.isNested = isReentrant(this.#limiter, slot.key);
    if (slot.isNested && this.#limiter.takesNested !== true) return undefined;
    // By which the place in the queue is given up.
    const aborter = call.cancellation || this.#isShared ? new AbortController() : undefined;
    try {
      slot.standing = undefined;
      slot.leaveLine = undefined;
      const acquired = this.#limiter.acquire(this.#request(call, slot, aborter?.signal));
      if (isPromise(acquired)) return this.#queue(call, slot, acquired, aborter);
      slot.permit = requirePermit(acquired);
      return undefined;
    } catch (error) {
      return this.#refused(call, slot, error);
    }
  }

  /** Where streamed bodies hold slots that this key needs. */
  #heldIn(key: string): readonly HeldSlots[] {
    const { clock } = this.#ports;
    const limiter = this.#limiter;
    if (!(limiter instanceof Layers)) return [heldSlotsOf(limiter, key, clock)];
    return limiter.placesOf(key).map(([each, its]) => heldSlotsOf(each, its, clock));
  }

  #request(call: LimitedCall, slot: Slot, signal: AbortSignal | undefined): PermitRequest {
    const { isNested: nested, key, weight, weights, priority, since } = slot;
    const { maxMs: maxPauseMs, whenLonger } = this.#pauses.bounds;
    // All of them are its own: a polluted prototype must not speak for one that is left out.
    return {
      key,
      weight,
      weights,
      priority,
      since,
      nested,
      call,
      signal,
      // What is this attachment's own goes by its clock, whoever else made it by the time of day.
      deadlineAt: this.#isShared ? this.#onTheWall(call.deadlineAt) : call.deadlineAt,
      maxWaitMs: this.#maxWaitMs,
      maxPauseMs,
      clampsPause: whenLonger === 'clamp',
      queued: (standing: () => Standing, leave?: () => void) => {
        slot.standing = standing;
        slot.leaveLine = leave;
      },
    };
  }

  /** An instant of the clock for those who go by the time of day. */
  #onTheWall(at: number): number {
    return at === Number.POSITIVE_INFINITY ? at : at + this.#ports.wallAheadMs();
  }

  /** Waits for a permit here, or wherever it is to be asked for meanwhile. */
  async #queue(
    call: LimitedCall,
    slot: Slot,
    acquired: Promise<Permit>,
    aborter?: AbortController,
  ): Promise<Refusal | undefined> {
    let arrived = () => {};
    const hasArrived = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    let elsewhere: Refusal | undefined | Promise<Refusal | undefined>;
    try {
      const refusal = await this.#stand(call, slot, acquired, hasArrived, aborter);
      if (refusal !== ELSEWHERE) return refusal;
      elsewhere = this.#enter(call);
    } finally {
      arrived();
    }
    const refusal = await elsewhere;
    if (call.limit !== undefined && call.limit !== slot) call.limit.queuedMs += slot.queuedMs;
    return refusal;
  }

  /** Waits for a permit, no longer than the call may last: a limiter may be deaf to the signal or the deadline. */
  async #stand(
    call: LimitedCall,
    slot: Slot,
    acquired: Promise<Permit>,
    hasArrived: Promise<void>,
    aborter?: AbortController,
  ): Promise<Refusal | undefined | typeof ELSEWHERE> {
    const { clock, counters, queue } = this.#ports;
    const asked = clock.now();
    let refuse = () => {};
    const closed = new Promise<never>((_, reject) => {
      refuse = () => reject(new LimitError('ERR_LIMIT_CLOSED', 'the attachment was closed'));
    });
    queue.add(refuse);
    counters.queued += 1;
    const held = this.mayHoldUp ? this.#heldIn(slot.key) : [];
    const stopWaiting = held.map((slots) => slots.wait());
    const giveUp = () => {
      aborter?.abort();
      slot.leaveLine?.();
    };
    this.#tell(call, slot, () => held.find(({ unread }) => unread.length > 0)?.unread[0]);
    try {
      const patientUntil = asked + (this.#maxWaitMs ?? Number.POSITIVE_INFINITY);
      const boundAt = Math.min(call.deadlineAt, patientUntil);
      const bound = { ...call.timeout(clock), ms: boundAt - asked };
      const goesOver = new Promise<typeof ELSEWHERE>((resolve) => {
        this.#line.waiting.set(slot, () => {
          resolve(ELSEWHERE);
          giveUp();
          return hasArrived;
        });
      });
      const result = await withTimeout(Promise.race([acquired, closed, goesOver]), bound);
      if (result.kind === 'cancelled') return call.cancelled();
      if (result.kind === 'done') {
        if (result.value === ELSEWHERE) return ELSEWHERE;
        slot.permit = requirePermit(result.value);
        return undefined;
      }
      if (boundAt < call.deadlineAt) {
        throw new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `limit.maxWaitMs: no permit within ${this.#maxWaitMs} ms`);
      }
      const ms = wholeMs(call.terms.deadlineMs);
      throw new LimitError('ERR_LIMIT_DEADLINE', `deadlineMs: no permit within the call's ${ms} ms`);
    } catch (error) {
      return this.#refused(call, slot, error);
    } finally {
      for (const stop of stopWaiting) stop();
      this.#line.waiting.delete(slot);
      queue.delete(refuse);
      counters.queued -= 1;
      const queuedMs = call.waited();
      slot.queuedMs += queuedMs;
      call.queuedMs += queuedMs;
      if (slot.permit === undefined) {
        // The place in the queue is given up; a permit that comes all the same goes straight back.
        acquired.then(drop).catch(() => {});
        giveUp();
      }
    }
  }

  /** Whoever asks is told where the call stands, and so is who listens. */
  #tell(
    call: LimitedCall,
    { key: all, standing }: Slot,
    unread: () => { method: string; url: string } | undefined,
  ): void {
    // Of several the one that keeps it.
    const key = () => standing?.().key ?? all;
    const why = () => {
      const slow = unread();
      const behind = slow && `behind a stream that nobody reads: ${slow.method} ${slow.url}`;
      return [standing?.().why ?? (behind ? [] : 'its limiter says no more'), behind ?? []].flat().join(', ');
    };
    call.waits({
      phase: 'limit',
      until: () => {
        const untilAt = standing?.().untilAt;
        return untilAt && untilAt - this.#ports.wallAheadMs();
      },
      why: () => `waits for a permit of ${key()}: ${why()}`,
    });
    if (!call.terms.hears.queued()) return;
    const { place, of, untilAt } = standing?.() ?? {};
    call.tell('queued', { key: key(), why: why(), place, of, untilAt: untilAt && Math.ceil(untilAt) });
  }

  #refused(call: LimitedCall, { key }: Slot, reason: unknown): Refusal {
    if (call.cancellation?.requested) return call.cancelled();
    const error = ownError(reason);
    const code = codeOf(error);
    call.tell('limited', { key: (error instanceof LimitError ? error.key : undefined) ?? key, code });
    const outcome = call.outcome ?? { error };
    if (error instanceof LimitError && error.retryAt !== undefined) {
      const pausedMs = Math.max(0, error.retryAt - this.#ports.clock.wall());
      call.refusedWait = { waitedMs: 0, maxMs: this.#pauses.bounds.maxMs, pausedMs };
      return { outcome, why: call.outcome === undefined ? 'limited' : 'wait-too-long' };
    }
    return { outcome, why: code === 'ERR_LIMIT_DEADLINE' ? 'deadline' : 'limited' };
  }
}

/** A list is copied for each policy; the limiters in it are not. */
const isSame = (one: ResolvedLimits, other: ResolvedLimits): boolean =>
  one === other ||
  (isList(one) && isList(other) && one.length === other.length && one.every((each, n) => each === other[n]));

/** Another limit holds now: the permit is to be asked for there. */
const ELSEWHERE = Symbol('elsewhere');

const NOTHING: Told = { cost: undefined, quota: undefined };

const told = new WeakSet<object>();

/** A limiter of somebody's own may refuse several calls with one error, but each has a story of its own to tell. */
function ownError(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason;
  if (!told.has(reason)) {
    told.add(reason);
    return reason;
  }
  const { message, name, cause } = reason;
  if (reason instanceof LimitError) {
    const { code, retryAt, key } = reason;
    return new LimitError(code, message, { retryAt, key, cause });
  }
  return Object.assign(new Error(message, { cause: reason }), { name, code: codeOf(reason) });
}

const isPromise = (acquired: Permit | Promise<Permit> | undefined): acquired is Promise<Permit> =>
  typeof (acquired as Partial<Promise<Permit>> | undefined)?.then === 'function';

/**
 * What cannot be handed back would be held for ever, and nobody would know.
 *
 * @throws {TypeError}
 */
function requirePermit(acquired: Permit | undefined): Permit {
  if (typeof acquired?.release === 'function') return acquired;
  throw new TypeError(`the limiter's acquire must give a permit, { release() }, got ${kindOf(acquired)}`);
}

const release = (permit: Permit): void => quietly(() => permit.release());

/** Nothing was sent with it. */
function drop(permit: Permit): void {
  quietly(() => (permit.drop === undefined ? permit.release() : permit.drop()));
}

/** A limiter that fails after the send must not take the place of the server's answer. */
export function quietly(body: () => void): void {
  try {
    body();
  } catch {
    // Its stock-taking is its own affair.
  }
}

/** @throws {TypeError} where it is no number: a promise would put the whole line in disorder, and nobody would know */
function priorityOf(given: unknown): number | undefined {
  if (given === undefined || typeof given === 'number') return given;
  throw new TypeError(`limit.priority must return a number, got ${kindOf(given)}`);
}

/** Whether a send may have to wait for another's end, and so for the one that makes it. */
export const waitsForOthers = (limit: ResolvedLimits): boolean =>
  isList(limit)
    ? limit.some(waitsForOthers)
    : isLimiter(limit) || limit.maxConcurrent < Number.POSITIVE_INFINITY || limit.adaptive !== false;
