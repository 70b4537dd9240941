import { InvalidPolicyError } from '../failure/errors.ts';
import type { Random } from '../time/clock.ts';
import { isAdjusted } from './adjusted-limiter.ts';
import { type Layer, Layers } from './layers.ts';
import { isLimiter, type Limiter } from './limiter.ts';
import { type LocalBuckets, localLimiterWith } from './local/local-buckets.ts';
import { isList, LIMIT, type LimitOptions, type OneLimit, type ResolvedLimits } from './options.ts';
import { type LimitPorts, LimitStation, type Pauses } from './station.ts';

/** What they need of their attachment. */
export interface LimitersPorts extends LimitPorts {
  readonly random: Random;
  readonly storeLost: (key: string, error: unknown) => void;
}

/** The limiters of one attachment: those that it makes of its own numbers, which all its calls share, and those that were handed in. */
export class Limiters {
  readonly #ports: LimitersPorts;
  #attached: false | ResolvedLimits;
  /** Of the attachment's own numbers; of a list, each in its place. */
  #own: readonly (LocalBuckets | undefined)[];
  readonly #heard = new WeakSet<Limiter>();
  readonly #stopHearing: (() => void)[] = [];

  /** @param attached what the attachment was given: a call may turn on what it has not */
  constructor(attached: false | ResolvedLimits, ports: LimitersPorts) {
    const { clock, random } = ports;
    this.#ports = ports;
    this.#attached = attached;
    this.#own = isList(attached)
      ? attached.map((each) => (isLimiter(each) ? undefined : localLimiterWith(clock, each, random)))
      : [localLimiterWith(clock, { ...numbersOf(attached), isOwn: true }, random)];
  }

  /** The attachment has another limit: its own numbers are changed where they stand, so that who waits goes by the new ones. */
  update(attached: false | ResolvedLimits): void {
    if (attached === this.#attached) return;
    const [was, ports] = [this.#attached, this.#ports];
    this.#attached = attached;
    if (isList(attached)) {
      const before = isList(was) ? this.#own : [];
      this.#own = attached.map((each, n) => {
        if (isLimiter(each)) return undefined;
        const own = before[n] ?? localLimiterWith(ports.clock, each, ports.random);
        own.become(each);
        return own;
      });
    } else if (isList(was) || (attached !== false && isLimiter(attached))) {
      // Who waits for the old one, by a policy of its own, goes by the old numbers.
      this.#own = [localLimiterWith(ports.clock, { ...numbersOf(attached), isOwn: true }, ports.random)];
    } else {
      this.#own[0]?.become({ ...numbersOf(attached), isOwn: true });
    }
  }

  station(limit: ResolvedLimits, pauses: Pauses): LimitStation {
    return new LimitStation(this.#ports, this.of(limit), limit, pauses);
  }

  of(limit: ResolvedLimits): Limiter {
    if (isList(limit))
      return new Layers(
        limit.map((each, n) => this.#layerOf(each, n)),
        this.#ports.clock,
      );
    return isLimiter(limit) ? this.#given(limit) : (this.#own[0] as Limiter);
  }

  /** How many buckets are paused now. */
  paused(): number {
    const attached = this.#attached;
    const given = isList(attached) || (attached !== false && isLimiter(attached)) ? [attached].flat() : [];
    const all = [...this.#own, ...given.map((each) => (isLimiter(each) ? this.#given(each) : undefined))];
    return all.reduce((sum, limiter) => sum + (limiter?.stats().paused ?? 0), 0);
  }

  /** Closes what was made here; what was handed in may belong to others too. */
  async close(): Promise<void> {
    for (const stop of this.#stopHearing.splice(0)) stop();
    for (const limiter of this.#own) await limiter?.close();
  }

  #given(limit: Limiter): Limiter {
    const limiter = isAdjusted(limit) ? limit.limiter : limit;
    if (limiter.onStoreLost !== undefined && !this.#heard.has(limiter)) {
      this.#heard.add(limiter);
      this.#stopHearing.push(limiter.onStoreLost(this.#ports.storeLost));
    }
    return limiter;
  }

  /** @throws {InvalidPolicyError} where a call has numbers of its own */
  #layerOf(limit: OneLimit, n: number): Layer {
    const { key, priority } = limit;
    const maxWaitMs = Object.hasOwn(limit, 'maxWaitMs') ? (limit as { maxWaitMs?: number }).maxWaitMs : undefined;
    const limiter = isLimiter(limit) ? this.#given(limit) : this.#own[n];
    const attached = isList(this.#attached) ? this.#attached[n] : undefined;
    if (
      limiter === undefined ||
      (!isLimiter(limit) && (attached === undefined || isLimiter(attached) || numbersIn(limit) !== numbersIn(attached)))
    ) {
      const bound = 'a Limiter on a call, or as it is attached: make a localLimiter once, and give it here';
      throw new InvalidPolicyError([
        { path: `limit.${n}`, bound, value: limit, message: `limit.${n} must be ${bound}` },
      ]);
    }
    return { limiter, key, priority, maxWaitMs };
  }
}

/** The numbers of what an attachment makes itself: the defaults, where a call has to turn it on. */
const numbersOf = (attached: false | OneLimit) =>
  attached === false || isLimiter(attached) ? LIMIT.defaults : attached;

/** How fast, and how many: what a call may not say for itself. */
const numbersIn = ({ maxWaitMs: _, ...numbers }: LimitOptions = {}): string => JSON.stringify(numbers);
