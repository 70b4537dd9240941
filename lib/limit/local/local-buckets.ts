import { isPlain } from '../../check.ts';
import { InvalidPolicyError } from '../../failure/errors.ts';
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

  /** The same with options that are known to be good, all of them. */
  become(options: LocalOptions): void {
    this.#options = options;
    this.#windows = windowsOf(this.#options);
    this.#bounds = boundsOf(this.#options, this.#windows);
    const { adaptive } = this.#options;
    for (const bucket of this.buckets) {
      bucket.update(
        this.#bounds,
        (before, nowMs) => new LocalPacer(this.#windows, adaptive, { pacer: before as LocalPacer, nowMs }),
      );
    }
  }
}
