import type { InternalAxiosRequestConfig } from 'axios';
import { LimitError } from '../../failure/errors.ts';
import type { Limiter, LimiterStats, Permit, PermitRequest } from '../limiter.ts';
import type { LimitOptions } from '../options.ts';
import type { Bounds, Bucket } from './bucket.ts';

/** From so many buckets on, those that are idle are looked for, each time their number has doubled. */
const MANY = 1_000;

/** A limiter of one bucket for each key, made when it is first asked for, forgotten when it is idle. */
export class Buckets<Handle> implements Limiter {
  readonly key: LimitOptions['key'];
  readonly priority: ((config: InternalAxiosRequestConfig) => number) | undefined;
  readonly weight: LimitOptions['weight'];
  readonly settle: LimitOptions['settle'];
  readonly quota: LimitOptions['quota'];
  readonly takesNested = true;
  readonly #make: (key: string) => Bucket<Handle>;
  readonly #byKey = new Map<string, Bucket<Handle>>();
  #many = MANY;
  #closed = false;

  constructor(
    make: (key: string) => Bucket<Handle>,
    { key, priority, weight, settle, quota }: Pick<LimitOptions, 'key' | 'priority' | 'weight' | 'settle' | 'quota'>,
  ) {
    this.#make = make;
    this.key = key;
    this.priority = priority;
    this.weight = weight;
    this.settle = settle;
    this.quota = quota;
  }

  /** How many buckets are remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    return this.#closed ? Promise.reject(closed()) : this.bucketOf(request.key).acquire(request);
  }

  /** The bucket of a request, for one who asks several; or why it is refused. */
  bucketFor({ key }: PermitRequest): Bucket<Handle> | Error {
    return this.#closed ? closed() : this.bucketOf(key);
  }

  /** Other bounds hold for who comes; those that are made later have theirs already. */
  bound(bounds: Bounds): void {
    for (const bucket of this.buckets) bucket.update(bounds, (pacer) => pacer);
  }

  protected get buckets(): Iterable<Bucket<Handle>> {
    return this.#byKey.values();
  }

  protected get byKey(): ReadonlyMap<string, Bucket<Handle>> {
    return this.#byKey;
  }

  pause(key: string, untilAt: number): void {
    if (!this.#closed) this.bucketOf(key).pause(untilAt);
  }

  /** The same, by an instant of the clock. */
  hold(key: string, until: number): void {
    if (!this.#closed) this.bucketOf(key).hold(until);
  }

  /** Until when each bucket is paused that is, ms since the epoch. */
  pauses(): readonly (readonly [key: string, untilAt: number])[] {
    return Array.from(this.#byKey)
      .filter(([, bucket]) => bucket.isPaused)
      .map(([key, { pausedUntilAt }]) => [key, pausedUntilAt]);
  }

  /** Until when the bucket is paused, on the clock, if it is. */
  pausedUntil(key: string): number {
    return this.#byKey.get(key)?.pausedUntil ?? Number.NEGATIVE_INFINITY;
  }

  /** Refuses everybody who waits, each with an error of its own. */
  refuseAll(reason: () => Error): void {
    for (const bucket of this.#byKey.values()) bucket.refuseAll(reason);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.refuseAll(closed);
  }

  stats(): LimiterStats {
    let queued = 0;
    let running = 0;
    let paused = 0;
    for (const bucket of this.#byKey.values()) {
      queued += bucket.queued;
      running += bucket.running;
      if (bucket.isPaused) paused += 1;
    }
    return { queued, running, paused };
  }

  protected bucketOf(key: string): Bucket<Handle> {
    let bucket = this.#byKey.get(key);
    if (bucket === undefined) {
      if (this.#byKey.size >= this.#many) this.#forget();
      bucket = this.#make(key);
      this.#byKey.set(key, bucket);
    }
    return bucket;
  }

  #forget(): void {
    for (const [key, bucket] of this.#byKey) if (bucket.isIdle) this.#byKey.delete(key);
    this.#many = Math.max(MANY, 2 * this.#byKey.size);
  }
}

const closed = () => new LimitError('ERR_LIMIT_CLOSED', 'the limiter is closed');
