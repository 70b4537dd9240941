import type { Clock, Random } from '../time/clock.ts';
import { isAdjusted } from './adjusted-limiter.ts';
import { isLimiter, type Limiter } from './limiter.ts';
import { localLimiterWith } from './local/local-limiter.ts';
import { LIMIT, type ResolvedLimit } from './options.ts';

/** Whether a send may have to wait for another's end, and so for the one that makes it. */
export const waitsForOthers = (limit: Limiter | ResolvedLimit): boolean =>
  isLimiter(limit) || limit.maxConcurrent < Number.POSITIVE_INFINITY || limit.adaptive !== false;

interface LimitersPorts {
  readonly clock: Clock;
  readonly random: Random;
  storeLost(key: string, error: unknown): void;
}

/** The limiters of one attachment: the one that it makes of its own numbers, which all its calls share, and those that were handed in. */
export class Limiters {
  readonly #own: Limiter;
  readonly #storeLost: (key: string, error: unknown) => void;
  readonly #heard = new WeakSet<Limiter>();
  readonly #stopHearing: (() => void)[] = [];

  /** @param attached what the attachment was given: a call may turn on what it has not */
  constructor(attached: false | Limiter | ResolvedLimit, { clock, random, storeLost }: LimitersPorts) {
    const numbers = attached === false || isLimiter(attached) ? LIMIT.defaults : attached;
    this.#own = localLimiterWith(clock, { ...numbers, isOwn: true }, random);
    this.#storeLost = storeLost;
  }

  of(limit: Limiter | ResolvedLimit): Limiter {
    if (!isLimiter(limit)) return this.#own;
    const limiter = isAdjusted(limit) ? limit.limiter : limit;
    if (limiter.onStoreLost !== undefined && !this.#heard.has(limiter)) {
      this.#heard.add(limiter);
      this.#stopHearing.push(limiter.onStoreLost(this.#storeLost));
    }
    return limiter;
  }

  /** How many buckets are paused now. */
  paused(): number {
    return this.#own.stats().paused ?? 0;
  }

  /** Closes what was made here; what was handed in may belong to others too. */
  async close(): Promise<void> {
    for (const stop of this.#stopHearing.splice(0)) stop();
    await this.#own.close();
  }
}
