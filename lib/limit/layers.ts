import type { InternalAxiosRequestConfig } from 'axios';
import { isReentrant, trackReentrancy } from '../call/reentrancy.ts';
import { LimitError } from '../failure/errors.ts';
import { keyOf } from '../send/key.ts';
import type { Clock } from '../time/clock.ts';
import { withTimeout } from '../time/with-timeout.ts';
import { inOrder } from './in-order.ts';
import type { Answer, Limiter, LimiterStats, Permit, PermitRequest, Standing } from './limiter.ts';
import type { Bucket } from './queue/bucket.ts';
import { Buckets } from './queue/buckets.ts';
import { Joint, type Lane } from './queue/joint.ts';

/** How long the permits of the others are held for a limiter of another kind that cannot say whether it would give one, in ms. */
const PATIENCE_MS = 20;

/** One of the limits. */
export interface Layer {
  readonly limiter: Limiter;
  readonly key: Limiter['key'];
  readonly priority: Limiter['priority'];
  readonly maxWaitMs: number | undefined;
}

/**
 * Several limits, each with its own key: a send leaves when all of them let it go, and holds nothing of any meanwhile.
 *
 * It waits in the queues of all at once, with its place and the bounds of each. Of those that could leave the oldest goes; who waits for one
 * key holds up nobody who does not. That goes for limiters of our own. One of another kind can only be asked for a permit: it is asked when
 * the others have given theirs; if none comes within 20 ms these are given back, until it has one.
 *
 * An answer does not say which of them it speaks for, so a pause that it names holds all of them.
 */
export class Layers implements Limiter {
  readonly layers: readonly Layer[];
  readonly takesNested = true;
  readonly priority: Limiter['priority'];
  readonly #clock: Clock;
  /** Our own, which can be waited for together, and those of other kinds. Each with its place in the list. */
  readonly #own: readonly (readonly [number, Buckets<unknown>])[];
  readonly #others: readonly (readonly [number, Limiter])[];
  readonly #lanes = new Map<string, Lane>();
  #queued = 0;
  #running = 0;

  constructor(layers: readonly Layer[], clock: Clock) {
    this.layers = layers;
    this.#clock = clock;
    this.priority = layers.find(({ priority }) => priority !== undefined)?.priority;
    const limiters = layers.map(({ limiter }, n) => [n, limiter] as const);
    this.#own = limiters.filter((each): each is readonly [number, Buckets<unknown>] => each[1] instanceof Buckets);
    this.#others = limiters.filter(([, limiter]) => !(limiter instanceof Buckets));
  }

  /** The keys of all, as JSON: `["https://api.example.com","/orders"]`; `false` for a limit that is not of such sends. */
  readonly key = (config: InternalAxiosRequestConfig): string =>
    JSON.stringify(this.layers.map(({ key }, n) => ownKey(key, config, `limit.${n}.key`)));

  acquire(asked: PermitRequest): Permit | Promise<Permit> {
    const { signal, since = inOrder(this.#clock.now()) } = asked;
    // One that is asked for later than another's, or again, has the place of when the send came.
    const request = { ...asked, since };
    if (signal?.aborted) return Promise.reject(signal.reason);
    const lane = this.#laneOf(request.key);
    const acquired = this.#others.length === 0 ? this.#together(lane, request) : this.#inTurn(lane, request);
    if (!(acquired instanceof Promise)) return this.#given(acquired);
    this.#queued += 1;
    lane.waiting += 1;
    this.#lanes.set(request.key, lane);
    const left = () => {
      this.#queued -= 1;
      lane.waiting -= 1;
      if (lane.waiting === 0) this.#lanes.delete(request.key);
    };
    return acquired.then(
      (permit) => {
        left();
        return this.#given(permit);
      },
      (error) => {
        left();
        throw error;
      },
    );
  }

  pause(key: string, untilAt: number): void {
    for (const [limiter, each] of this.placesOf(key)) limiter.pause(each, untilAt);
  }

  async close(): Promise<void> {
    await Promise.all(this.layers.map(({ limiter }) => limiter.close()));
  }

  stats(): LimiterStats {
    const paused = this.layers.reduce((sum, { limiter }) => sum + (limiter.stats().paused ?? 0), 0);
    return { queued: this.#queued, running: this.#running, paused };
  }

  /** The bucket of each limit that a send draws on. */
  placesOf(key: string): readonly (readonly [Limiter, string])[] {
    const { keys } = this.#laneOf(key);
    return this.layers.flatMap(({ limiter }, n) => (keys[n] === false ? [] : [[limiter, String(keys[n])] as const]));
  }

  /** As `trackReentrancy`, for all of them. */
  within<T>(key: string, body: () => T, started: (end: () => void) => void): T {
    const ends: (() => void)[] = [];
    started(() => {
      for (const end of ends) end();
    });
    const inside = this.placesOf(key).reduce(
      (inner, [limiter, each]) =>
        () =>
          trackReentrancy(limiter, inner, each, (end) => ends.push(end)),
      body,
    );
    return inside();
  }

  /** Those that wait for the same are in the same lane, as long as anybody does. */
  #laneOf(key: string): Lane {
    return this.#lanes.get(key) ?? { keys: JSON.parse(key) as Lane['keys'], waiting: 0 };
  }

  #given(permit: Permits): Permit {
    this.#running += 1;
    permit.ended = () => {
      this.#running -= 1;
    };
    return permit;
  }

  #requestOf(request: PermitRequest, lane: Lane, n: number): PermitRequest {
    const key = String(lane.keys[n]);
    const { limiter, maxWaitMs = request.maxWaitMs } = this.layers[n] as Layer;
    // Not all of them need be held by the call that this one is made within.
    const nested = request.nested === true || isReentrant(limiter, key);
    return { ...request, key, weight: request.weights?.[n] ?? request.weight, maxWaitMs, nested };
  }

  /** Permits of all that are our own. */
  #together(lane: Lane, request: PermitRequest): Permits | Promise<Permits> {
    const asked: [number, Bucket<unknown>, PermitRequest][] = [];
    for (const [n, limiter] of this.#own) {
      if (lane.keys[n] === false) continue;
      const own = this.#requestOf(request, lane, n);
      const bucket = limiter.bucketFor(own);
      const refusal = bucket instanceof Error ? bucket : bucket.refusal(own);
      if (refusal !== undefined) return Promise.reject(refusedBy(own.key, refusal));
      asked.push([n, bucket as Bucket<unknown>, own]);
    }
    // Those that answer at once come first.
    asked.sort(([, a], [, b]) => Number(a.isRemote) - Number(b.isRemote));
    if (asked.every(([, bucket, own]) => bucket.isOpen(own))) {
      return new Permits(asked.map(([n, bucket, own]) => ({ n, permit: bucket.admit(own) })));
    }
    return new Promise((resolve, reject) => {
      const joint = new Joint(lane, {
        resolve: (permits) => resolve(new Permits(permits.map((permit, i) => ({ n: Number(asked[i]?.[0]), permit })))),
        reject: (reason, n) => reject(refusedBy(String(asked[n]?.[2].key), reason)),
      });
      for (const [i, [, bucket, own]] of asked.entries()) {
        const refusal = bucket.join(own, joint);
        if (refusal !== undefined) return joint.refused(refusal, i);
      }
      request.queued?.(() => {
        const now = this.#clock.now();
        const dueAt = joint.sends.map((send) => send.bucket.dueAt(now, send, 1));
        const last = dueAt.indexOf(Math.max(...dueAt));
        const [, bucket, own] = asked[last] as (typeof asked)[number];
        return { ...bucket.standing(joint.sends[last] as (typeof joint.sends)[number]), key: own.key };
      });
      joint.isComplete = true;
      for (const [, bucket] of asked) bucket.wake();
    });
  }

  /** Permits of all, where some are of other kinds. */
  async #inTurn(lane: Lane, request: PermitRequest): Promise<Permits> {
    const others = this.#others.filter(([n]) => lane.keys[n] !== false);
    const asks = others.map(([n, limiter]) => async (): Promise<Permits> => {
      const own = this.#requestOf(request, lane, n);
      if (own.nested === true && limiter.takesNested !== true) return new Permits([]);
      const standing = (where: () => Standing) => request.queued?.(() => ({ ...where(), key: own.key }));
      const permit = await limiter.acquire({ ...own, queued: standing });
      return new Permits([{ n, permit, pause: (untilAt) => limiter.pause(own.key, untilAt) }]);
    });
    if (this.#own.length > 0 || others.length === 0) asks.unshift(async () => this.#together(lane, request));
    let at = 0;
    let waitedFor = (asks[0] as (typeof asks)[number])();
    for (;;) {
      const held = [await waitedFor];
      const later = await this.#hold(asks, at, held);
      if (later === undefined) return new Permits(held.flatMap(({ permits }) => permits));
      for (const permit of held) permit.drop();
      [at, waitedFor] = later;
    }
  }

  /** Asks all but one for permits to go with those that are held; gives the one that does not come soon, and its promise. */
  async #hold(
    asks: readonly (() => Promise<Permits>)[],
    but: number,
    held: Permits[],
  ): Promise<[number, Promise<Permits>] | undefined> {
    try {
      for (const [n, ask] of asks.entries()) {
        if (n === but) continue;
        const asked = ask();
        const soon = await withTimeout(asked, { ms: PATIENCE_MS, clock: this.#clock });
        if (soon.kind !== 'done') return [n, asked];
        held.push(soon.value);
      }
      return undefined;
    } catch (error) {
      for (const permit of held) permit.drop();
      throw error;
    }
  }
}

/** @throws {TypeError} */
function ownKey(key: Limiter['key'], config: InternalAxiosRequestConfig, option: string): string | false {
  const own = key?.(config);
  return own === false ? own : keyOf(own === undefined ? undefined : () => own, config, option);
}

/** The permit of the n-th limit, and how that is paused where the permit cannot be told. */
interface Given {
  readonly n: number;
  readonly permit: Permit;
  readonly pause?: (untilAt: number) => void;
}

/** The permits of one send. */
class Permits implements Permit {
  readonly permits: Given[];
  ended = (): void => {};

  constructor(permits: Given[]) {
    this.permits = permits;
  }

  answered({ each, ...answer }: Answer): void {
    const { untilAt } = answer;
    for (const { n, permit, pause } of this.permits) {
      const { quota = answer.quota, cost = answer.cost } = each?.[n] ?? {};
      if (permit.answered !== undefined) permit.answered({ ...answer, quota, cost });
      else if (untilAt !== undefined) pause?.(untilAt);
    }
  }

  release(): void {
    this.#end((permit) => permit.release());
  }

  drop(): void {
    this.#end((permit) => (permit.drop === undefined ? permit.release() : permit.drop()));
  }

  /** Either, and once. */
  #end(end: (permit: Permit) => void): void {
    this.ended();
    this.ended = () => {};
    for (const { permit } of this.permits.splice(0)) end(permit);
  }
}

/** Which of the limits it was, in the error. */
function refusedBy(key: string, reason: unknown): unknown {
  if (!(reason instanceof LimitError)) return reason;
  const { code, message, retryAt, cause } = reason;
  return new LimitError(code, message, { retryAt, key, cause });
}
