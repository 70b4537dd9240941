import { isPlain } from '../../check.ts';
import { InvalidPolicyError } from '../../failure/errors.ts';
import { hasSameNumbers } from '../../group.ts';
import { type Clock, type Random, systemRandom } from '../../time/clock.ts';
import { TELLING } from '../adjusted-limiter.ts';
import {
  asBefore,
  boundsOf,
  fillIn,
  LIMIT,
  type LimitOptions,
  type ResolvedLimit,
  requireLimit,
  windowsOf,
} from '../options.ts';
import { type Bounds, Bucket } from '../queue/bucket.ts';
import { Buckets } from '../queue/buckets.ts';
import type { LimitWindow } from '../windows/gcra.ts';
import type { LocalLimiter } from './local-limiter.ts';
import { LocalPacer, type Sent } from './local-pacer.ts';

/** By whose numbers it has left, of each bucket. */
export type Left = ReadonlyMap<string, readonly LocalPacer[]>;

type LocalOptions = ResolvedLimit & Pick<Bounds, 'isOwn'>;

/** `localLimiter` with clock and chance in the caller's hand, and options that are known to be good. */
export const localLimiterWith = (clock: Clock, options: LocalOptions, random: Random = systemRandom): LocalBuckets =>
  new LocalBuckets(clock, options, random);

/** The limiter of one process. */
export class LocalBuckets extends Buckets<Sent> implements LocalLimiter {
  #options: LocalOptions;
  /** Of the options, made once for all buckets: there may be millions. */
  #bounds: Bounds;
  #windows: readonly LimitWindow[];

  constructor(clock: Clock, options: LocalOptions, random: Random) {
    // Those that are made later go by the numbers of then.
    super((): Bucket<Sent> => {
      const pacer = new LocalPacer(this.#windows, this.#options.adaptive);
      return new Bucket(this.#bounds, clock, pacer, random);
    }, options);
    this.#options = options;
    this.#windows = windowsOf(options);
    this.#bounds = boundsOf(options, this.#windows);
  }

  update(options: LimitOptions): void {
    const { isOwn, ...before } = this.#options;
    const given: unknown = isPlain(options) ? LIMIT.merge(before, options) : options;
    requireLimit(given);
    const moved = TELLING.filter((name) => options[name] !== undefined && options[name] !== this.#options[name]);
    if (moved.length > 0) throw new InvalidPolicyError(moved.map((name) => asBefore(name, options[name])));
    this.become({ ...fillIn(given), isOwn });
  }

  /**
   * The same with options that are known to be good, all of them.
   *
   * @param left what has left by other limits for the same calls: it counts where its own do not know of it
   */
  become(options: LocalOptions, left: Left = new Map()): void {
    const { adaptive: before } = this.#options;
    const windows = this.#windows;
    this.#options = options;
    this.#windows = windowsOf(options);
    this.#bounds = boundsOf(options, this.#windows);
    const { adaptive } = options;
    const isAsBefore = hasSameNumbers([windows, before], [this.#windows, adaptive]);
    const own = new Map(this.byKey);
    for (const key of new Set([...own.keys(), ...left.keys()])) {
      const others = left.get(key);
      this.bucketOf(key).update(this.#bounds, (pacer, nowMs) => {
        if (own.has(key) && isAsBefore) return pacer;
        const before = { own: own.has(key) ? (pacer as LocalPacer) : undefined, others, nowMs };
        return new LocalPacer(this.#windows, adaptive, before);
      });
    }
  }

  /** Adds what has left to what others know of it. */
  tellTo(left: Map<string, readonly LocalPacer[]>): void {
    for (const [key, { pacer }] of this.byKey) left.set(key, [...(left.get(key) ?? []), pacer as LocalPacer]);
  }
}
