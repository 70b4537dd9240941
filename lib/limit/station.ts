import type { InternalAxiosRequestConfig } from 'axios';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { isReentrant, trackReentrancy } from '../call/reentrancy.ts';
import { wholeMs } from '../call/time-shown.ts';
import type { Verdict } from '../call/verdict.ts';
import { kindOf } from '../check.ts';
import type { CallContext, Refusal } from '../context.ts';
import { codeOf } from '../failure/code.ts';
import { LimitError } from '../failure/errors.ts';
import { DEFAULTS } from '../policy/defaults.ts';
import type { ResolvedRetryAfter } from '../retry/options.ts';
import { keyOf } from '../send/key.ts';
import type { StreamedBody } from '../send/streamed-body.ts';
import { bounded } from '../time/bounded.ts';
import { heldSlotsOf } from './held-slots.ts';
import type { Limiter, Permit, PermitRequest, Standing } from './limiter.ts';
import { isLimiter } from './limiter.ts';
import { waitsForOthers } from './limiters.ts';
import type { ResolvedLimit } from './options.ts';
import { readQuota } from './quota/headers.ts';

/** One call's dealings with the limiter: a permit for each send, handed back as soon as that has ended. */
export class Admission {
  /** How long the permit of a send took, in ms. */
  queuedMs = 0;
  private readonly context: CallContext;
  private readonly limiter: Limiter;
  private readonly keyFor: Limiter['key'];
  /** The bucket of where the call itself would go. */
  private home: string;
  /** The bucket of where the send goes. */
  key: string;
  private readonly priority: number | undefined;
  private readonly maxWaitMs: number | undefined;
  /** Of when the call began, so that its retries keep its place. */
  private readonly since: number;
  /** Whether a send may have to wait for another's end. */
  readonly mayHoldUp: boolean;
  /** The limiter was handed in, so that it does not close with the attachment. */
  private readonly isShared: boolean;
  /** Another call of this limiter makes this one while it holds a permit. */
  private isNested = false;
  private permit: Permit | undefined;
  /** How many sends had been made when it was taken. */
  private sentBefore = 0;
  /** Whether the limiter knows that the last send was throttled, so that it paces the next. */
  paces = false;
  /** Says where the call stands in the limiter's line, where the limiter can. */
  private standing: (() => Standing) | undefined;
  private endScope = () => {};

  constructor(context: CallContext, limit: Limiter | ResolvedLimit) {
    const { config } = context.call;
    this.context = context;
    this.limiter = context.shared.limiter(limit);
    // The call's own policy may name them, and so may a limiter that was handed in.
    this.keyFor = limit.key;
    this.home = keyOf(limit.key, config, 'limit.key');
    this.key = this.home;
    this.priority = priorityOf(limit.priority?.(config));
    this.maxWaitMs = Object.hasOwn(limit, 'maxWaitMs') ? (limit as { maxWaitMs?: number }).maxWaitMs : undefined;
    this.since = inOrder(context.call.startedAt);
    this.isShared = isLimiter(limit);
    this.mayHoldUp = waitsForOthers(limit);
  }

  acquire(): Refusal | undefined | Promise<Refusal | undefined> {
    this.queuedMs = 0;
    this.key = this.home;
    return this.take();
  }

  /** The sends to come go there. */
  reroute(config: InternalAxiosRequestConfig): void {
    this.home = keyOf(this.keyFor, config, 'limit.key');
  }

  /** The send goes there: in place of the permit that it has, it takes one of that place. */
  moveTo(config: InternalAxiosRequestConfig): Refusal | undefined | Promise<Refusal | undefined> {
    const key = keyOf(this.keyFor, config, 'limit.key');
    if (key === this.key) return undefined;
    this.release();
    this.key = key;
    return this.take();
  }

  private take(): Refusal | undefined | Promise<Refusal | undefined> {
    const { call, cancellation } = this.context;
    this.sentBefore = call.sent;
    this.isNested = isReentrant(this.limiter, this.key);
    if (this.isNested && this.limiter.takesNested !== true) return undefined;
    // By which the place in the queue is given up.
    const aborter = cancellation || this.isShared ? new AbortController() : undefined;
    try {
      this.standing = undefined;
      const acquired = this.limiter.acquire(this.request(aborter?.signal));
      if (isPromise(acquired)) return this.queue(acquired, aborter);
      this.permit = requirePermit(acquired);
      return undefined;
    } catch (error) {
      return this.refused(error);
    }
  }

  private request(signal: AbortSignal | undefined): PermitRequest {
    const { key, priority, since, maxWaitMs, isNested: nested } = this;
    const { call } = this.context;
    const { maxMs: maxPauseMs, whenLonger } = this.namedWaits;
    // What is this attachment's own goes by its clock, whoever else made it by the time of day.
    const deadlineAt = this.isShared ? this.onTheWall(call.deadlineAt) : call.deadlineAt;
    const clampsPause = whenLonger === 'clamp';
    const queued = (standing: () => Standing) => {
      this.standing = standing;
    };
    // All of them are its own: a polluted prototype must not speak for one that is left out.
    const weight = undefined;
    return {
      key,
      weight,
      priority,
      since,
      nested,
      call,
      signal,
      deadlineAt,
      maxWaitMs,
      maxPauseMs,
      clampsPause,
      queued,
    };
  }

  /** An instant of the clock for those who go by the time of day. */
  private onTheWall(at: number): number {
    return at === Number.POSITIVE_INFINITY ? at : at + this.context.shared.wallAheadMs();
  }

  /** Whoever honours no named wait, or retries nothing, stands behind the pauses of others all the same: so long by default. */
  private get namedWaits(): ResolvedRetryAfter {
    const { retryAfter } = this.context.policy.retry || DEFAULTS.retry;
    return retryAfter || DEFAULTS.retry.retryAfter;
  }

  /**
   * Tells the limiter what an answer said, and hands the permit back.
   *
   * @param isStreaming the answer has begun, and its body will go on: where others wait for its end, the permit is kept
   * @returns until when the answer pauses the bucket, on the clock, if it does
   */
  answered(
    outcome: Outcome,
    { kind, retryAfterMs, final = false }: Verdict,
    nowMs: number,
    isStreaming: boolean,
  ): number | undefined {
    const { permit } = this;
    this.endScope();
    if (permit === undefined && !this.isNested) return undefined;
    this.permit = undefined;
    this.paces = kind === 'throttled' && permit?.answered !== undefined;
    const response = responseOf(outcome);
    // A 503 that names a time speaks for the whole server, as a 429 does. What no wait can change is no matter of rate.
    const throttled = kind === 'throttled' && !final;
    const { retryAfter } = this.context.policy.retry || DEFAULTS.retry;
    const speaks = retryAfter !== false && (throttled || (response?.status === 503 && !final));
    const named = speaks ? retryAfterMs : undefined;
    // In full: each that waits compares it with its own `maxMs`. A time that has come is none.
    const untilAt = named ? nowMs + named : undefined;
    // Where no permit can be told of it, the limiter itself is.
    if (untilAt !== undefined && permit?.answered === undefined) {
      quietly(() => this.limiter.pause(this.key, this.onTheWall(untilAt)));
    }
    if (permit === undefined) return untilAt;
    const quota = response && readQuota(response.headers, this.context.shared.clock);
    // Without an answer nothing was learnt of the server, unless a judge knows better.
    if (response !== undefined || throttled)
      quietly(() => permit.answered?.({ throttled, untilAt: untilAt && this.onTheWall(untilAt), quota }));
    if (isStreaming && this.mayHoldUp) this.permit = permit;
    else quietly(() => permit.release());
    return untilAt;
  }

  /** Keeps the permit while that body goes on; gives the function that says that it is over. */
  holdFor(body: StreamedBody): () => void {
    const { context, key, limiter, permit } = this;
    this.permit = undefined;
    if (permit === undefined) return () => {};
    const { method, url } = context.call;
    let isHeld = true;
    const giveBack = () => {
      if (isHeld) quietly(() => permit.release());
      isHeld = false;
    };
    const letGo = heldSlotsOf(limiter, key, context.shared.clock).hold({ method, url, body, giveBack });
    return () => {
      letGo();
      giveBack();
    };
  }

  /**
   * Does something while the permit is held: a call that it makes would wait for that very permit. What it leaves running takes
   * permits of its own, once this one is handed back.
   */
  within<T>(body: () => T): T {
    return trackReentrancy(this.limiter, body, this.key, (end) => {
      this.endScope = end;
    });
  }

  /** Hands back the permit, if there is one: as if it had never been taken where nothing was sent with it. */
  release(): void {
    const { permit } = this;
    this.endScope();
    this.permit = undefined;
    if (permit === undefined) return;
    if (this.context.call.sent > this.sentBefore) quietly(() => permit.release());
    else drop(permit);
  }

  /** Waits for a permit, no longer than the call may last: a limiter may be deaf to the signal or the deadline. */
  private async queue(acquired: Promise<Permit>, aborter?: AbortController): Promise<Refusal | undefined> {
    const { context, key } = this;
    const { call, cancellation, policy, shared } = context;
    const asked = shared.clock.now();
    let refuse = () => {};
    const closed = new Promise<never>((_, reject) => {
      refuse = () => reject(new LimitError('ERR_LIMIT_CLOSED', 'the attachment was closed'));
    });
    shared.queue.add(refuse);
    shared.tally.queued += 1;
    const held = this.mayHoldUp ? heldSlotsOf(this.limiter, key, shared.clock) : undefined;
    const stopWaiting = held?.wait();
    const { standing } = this;
    const why = () => {
      const [unread] = held?.unread ?? [];
      const behind = unread && `behind a stream that nobody reads: ${unread.method} ${unread.url}`;
      return [standing?.().why ?? (behind ? [] : 'its limiter says no more'), behind ?? []].flat().join(', ');
    };
    context.waits({
      phase: 'limit',
      until: () => {
        const untilAt = standing?.().untilAt;
        return untilAt && untilAt - shared.wallAheadMs();
      },
      why: () => `waits for a permit of ${key}: ${why()}`,
    });
    if (context.heard('queued')) {
      const { place, of, untilAt } = standing?.() ?? {};
      context.tell('queued', { key, why: why(), place, of, untilAt: untilAt && Math.ceil(untilAt) });
    }
    try {
      const patientUntil = asked + (this.maxWaitMs ?? Number.POSITIVE_INFINITY);
      const boundAt = Math.min(call.deadlineAt, patientUntil);
      const result = await bounded(Promise.race([acquired, closed]), shared.clock, boundAt, cancellation);
      if (result.kind === 'done') this.permit = requirePermit(result.value);
      if (result.kind === 'cancelled') return context.cancelled();
      if (result.kind !== 'deadline') return undefined;
      if (boundAt < call.deadlineAt) {
        throw new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `limit.maxWaitMs: no permit within ${this.maxWaitMs} ms`);
      }
      throw new LimitError(
        'ERR_LIMIT_DEADLINE',
        `deadlineMs: no permit within the call's ${wholeMs(policy.deadlineMs)} ms`,
      );
    } catch (error) {
      return this.refused(error);
    } finally {
      stopWaiting?.();
      shared.queue.delete(refuse);
      shared.tally.queued -= 1;
      const queuedMs = context.waited();
      this.queuedMs += queuedMs;
      call.queuedMs += queuedMs;
      if (this.permit === undefined) {
        // The place in the queue is given up; a permit that comes all the same goes straight back.
        acquired.then(drop).catch(() => {});
        aborter?.abort();
      }
    }
  }

  private refused(reason: unknown): Refusal {
    const { context, key } = this;
    const { call } = context;
    if (context.cancellation?.requested) return context.cancelled();
    const error = ownError(reason);
    const code = codeOf(error);
    context.tell('limited', { key, code });
    const outcome = call.outcome ?? { error };
    if (error instanceof LimitError && error.retryAt !== undefined) {
      const pausedMs = Math.max(0, error.retryAt - context.shared.clock.wall());
      call.refusedWait = { waitedMs: 0, maxMs: this.namedWaits.maxMs, pausedMs };
      return { outcome, why: call.outcome === undefined ? 'limited' : 'wait-too-long' };
    }
    return { outcome, why: code === 'ERR_LIMIT_DEADLINE' ? 'deadline' : 'limited' };
  }
}

/** Of calls that began in one ms; the smallest part of one that an instant tells apart for a while yet. */
const APART_MS = 2 ** -10;
let last = Number.NEGATIVE_INFINITY;

/** An instant that is later than that of every call before: also those that begin in the same ms have an order. */
function inOrder(at: number): number {
  last = at > last ? at : last + APART_MS;
  return last;
}

const told = new WeakSet<object>();

/** A limiter of somebody's own may refuse several calls with one error, but each has a story of its own to tell. */
function ownError(reason: unknown): unknown {
  if (!(reason instanceof Error)) return reason;
  if (!told.has(reason)) {
    told.add(reason);
    return reason;
  }
  const { message, name, cause } = reason;
  if (reason instanceof LimitError) return new LimitError(reason.code, message, { retryAt: reason.retryAt, cause });
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

/** Nothing was sent with it. */
function drop(permit: Permit): void {
  quietly(() => (permit.drop === undefined ? permit.release() : permit.drop()));
}

/** A limiter that fails after the send must not take the place of the server's answer. */
function quietly(body: () => void): void {
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
