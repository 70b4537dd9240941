import { InvalidPolicyError } from '../failure/errors.ts';
import type { Random } from '../time/clock.ts';
import { isAdjusted } from './adjusted-limiter.ts';
import { type Layer, Layers } from './layers.ts';
import { isLimiter, type Limiter } from './limiter.ts';
import { type Left, type LocalBuckets, localLimiterWith } from './local/local-buckets.ts';
import type { LocalPacer } from './local/local-pacer.ts';
import { isList, LIMIT, type LimitOptions, type OneLimit, type ResolvedLimit, type ResolvedLimits } from './options.ts';
import { Buckets } from './queue/buckets.ts';
import { type LimitPorts, LimitStation, type Pauses, quietly } from './station.ts';

/** What they need of their attachment. */
export interface LimitersPorts extends Omit<LimitPorts, 'crossing'> {
  readonly random: Random;
  readonly storeLost: (key: string, error: unknown) => void;
}

/** A limiter that is made of the attachment's own numbers, and those. */
interface Own {
  readonly limit: ResolvedLimit;
  readonly limiter: LocalBuckets;
}

/** A limiter that holds, and for whom. */
interface InUse {
  readonly key: Limiter['key'];
  readonly limiter: Limiter;
}

/** The limiters of one attachment: those that it makes of its own numbers, which all its calls share, and those that were handed in. */
export class Limiters {
  readonly #ports: LimitersPorts & LimitPorts;
  #attached: false | ResolvedLimits;
  /** Of the attachment's own numbers; of a list, each in its place. */
  #own: readonly (Own | undefined)[];
  readonly #heard = new WeakSet<Limiter>();
  readonly #stopHearing: (() => void)[] = [];

  /** @param attached what the attachment was given: a call may turn on what it has not */
  constructor(attached: false | ResolvedLimits, ports: LimitersPorts) {
    this.#ports = { ...ports, crossing: { ends: undefined } };
    this.#attached = attached;
    this.#own = inPlaces(attached).map((limit) => limit && { limit, limiter: this.#made(limit) });
  }

  /**
   * The attachment has another limit. Each of its own numbers goes on from the limit before that was for the same calls and as fast, or else
   * bounded their concurrency, or else stood in its place. What left by any of them counts in all that are for the same calls. A server that
   * has asked for a pause has asked no limiter: so a limiter that comes begins with the pauses of the one that it comes after.
   *
   * @returns has the new numbers hold: to be called when those who are to wait elsewhere have left their lines, with their ways there
   */
  update(attached: false | ResolvedLimits): (crossing: readonly Promise<void>[]) => void {
    const before = this.#inUse();
    const become = this.#changeTo(attached);
    return (crossing) => {
      become();
      for (const each of this.#inUse()) pauseAs(before, each);
      const { crossing: now } = this.#ports;
      if (crossing.length === 0) return;
      const ends = Promise.all([now.ends, ...crossing]).then(() => {
        if (now.ends === ends) now.ends = undefined;
      });
      now.ends = ends;
    };
  }

  #changeTo(attached: false | ResolvedLimits): () => void {
    // A Limiter has the place of the numbers, which may come back.
    if (attached === this.#attached || (attached !== false && isLimiter(attached))) {
      this.#attached = attached;
      return () => {};
    }
    const before = this.#own;
    const limits = inPlaces(attached);
    const from = successors(before, limits);
    this.#attached = attached;
    this.#own = limits.map((limit, n) => limit && { limit, limiter: from[n]?.limiter ?? this.#made(limit) });
    const isOwn = !isList(attached);
    return () => {
      const lefts = limits.map((limit) => leftBy(before, limit));
      for (const [n, own] of this.#own.entries()) own?.limiter.become({ ...own.limit, isOwn }, lefts[n]);
    };
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
    return isLimiter(limit) ? this.#given(limit) : (this.#own[0] as Own).limiter;
  }

  /** How many buckets are paused now. */
  paused(): number {
    return this.#inUse().reduce((sum, { limiter }) => sum + (limiter.stats().paused ?? 0), 0);
  }

  /** Closes what was made here; what was handed in may belong to others too. */
  async close(): Promise<void> {
    for (const stop of this.#stopHearing.splice(0)) stop();
    for (const own of this.#own) await own?.limiter.close();
  }

  #made(limit: ResolvedLimit): LocalBuckets {
    const { clock, random } = this.#ports;
    return localLimiterWith(clock, { ...limit, isOwn: !isList(this.#attached) }, random);
  }

  /** The limiters that hold now. */
  #inUse(): readonly InUse[] {
    const attached = this.#attached;
    const limits: readonly OneLimit[] = isList(attached) ? attached : [attached === false ? LIMIT.defaults : attached];
    return limits.map((limit, n) => ({
      key: limit.key,
      limiter: isLimiter(limit) ? this.#given(limit) : (this.#own[n] as Own).limiter,
    }));
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
    const limiter = isLimiter(limit) ? this.#given(limit) : this.#own[n]?.limiter;
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

/** The own numbers of an attachment, in their places: the defaults, where a call has to turn it on. */
const inPlaces = (attached: false | ResolvedLimits): readonly (ResolvedLimit | undefined)[] =>
  isList(attached)
    ? attached.map((each) => (isLimiter(each) ? undefined : each))
    : [attached === false || isLimiter(attached) ? LIMIT.defaults : attached];

/** From which limit each goes on. */
function successors(
  before: readonly (Own | undefined)[],
  limits: readonly (ResolvedLimit | undefined)[],
): readonly (Own | undefined)[] {
  const free = new Set(before);
  const from: (Own | undefined)[] = limits.map(() => undefined);
  const isBound = ({ maxConcurrent }: ResolvedLimit) => maxConcurrent < Number.POSITIVE_INFINITY;
  const suits: ((old: ResolvedLimit, now: ResolvedLimit, isInPlace: boolean) => boolean)[] = [
    (old, now) => isForSame(old, now) && numbersIn(old) === numbersIn(now),
    (old, now) => isForSame(old, now) && isBound(old) && isBound(now),
    (_old, _now, isInPlace) => isInPlace,
  ];
  for (const isSuited of suits) {
    for (const [n, now] of limits.entries()) {
      if (now === undefined || from[n] !== undefined) continue;
      from[n] = before.find((old, at) => old !== undefined && free.has(old) && isSuited(old.limit, now, at === n));
      free.delete(from[n]);
    }
  }
  return from;
}

/** What left by limits for the same calls. */
function leftBy(before: readonly (Own | undefined)[], now: ResolvedLimit | undefined): Left {
  const left = new Map<string, readonly LocalPacer[]>();
  for (const old of before)
    if (old !== undefined && now !== undefined && isForSame(old.limit, now)) old.limiter.tellTo(left);
  return left;
}

/** Has one that was not among those before begin with their pauses. */
function pauseAs(before: readonly InUse[], now: InUse): void {
  if (before.some(({ limiter }) => limiter === now.limiter)) return;
  for (const old of before) {
    if (!isForSame(old, now) || !(old.limiter instanceof Buckets)) continue;
    for (const [key, untilAt] of old.limiter.pauses()) quietly(() => now.limiter.pause(key, untilAt));
  }
}

/** Whether they are for the same calls: a function that is written anew for each policy is the same where its text is. */
const isForSame = ({ key: one }: Pick<Limiter, 'key'>, { key: other }: Pick<Limiter, 'key'>): boolean =>
  one === other || String(one) === String(other);

/** How fast, and how many: what a call may not say for itself. */
const numbersIn = ({ maxWaitMs: _, ...numbers }: LimitOptions = {}): string => JSON.stringify(numbers);
