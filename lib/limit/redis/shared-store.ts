import type { RedisClient } from '../../redis-client/client.ts';
import { isRedisError, RedisRefusal, unexpectedReply } from '../../redis-client/refusal.ts';
import { type Clock, randomId } from '../../time/clock.ts';
import { answerOf } from '../../time/with-timeout.ts';
import { TogetherScripts } from './together.ts';

/** How long between two attempts to reach a lost store, in ms. */
export const PROBE_MS = 250;

/** A Redis, and whether it can be reached. */
export class SharedStore {
  /** Names this process. */
  readonly member = randomId();
  readonly clock: Clock;
  /** How long an answer may take, in ms. */
  readonly timeoutMs: number;
  readonly scripts: TogetherScripts;
  readonly #listeners = new Set<(key: string, error: unknown) => void>();
  /** Why it was lost; `undefined` while it can be reached. */
  error: unknown;
  /** How many processes shared the bucket that was heard last. */
  members = 1;

  constructor(redis: RedisClient, clock: Clock, timeoutMs: number) {
    this.scripts = TogetherScripts.of(redis, clock);
    this.clock = clock;
    this.timeoutMs = timeoutMs;
  }

  onLost(listener: (key: string, error: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  lost(key: string, error: unknown): void {
    for (const listener of this.#listeners) listener(key, error);
  }
}

/** How long a process counts as one of the fleet after it last said that it is there, and how often it does, in ms. */
const MEMBER_MS = 5_000;
const BEAT_MS = 1_000;

/** Where one bucket is kept, and whether it can be got at. */
export class StoredBucket {
  readonly #store: SharedStore;
  readonly #key: string;
  readonly #place: string;
  readonly #keys: readonly string[];
  /** What Redis says of this bucket alone: that something else lies under its key, for instance. */
  #error: unknown;
  #members: number | undefined;
  #beatAt = Number.NEGATIVE_INFINITY;
  #probedAt = Number.NEGATIVE_INFINITY;
  /** What the clock of Redis is ahead of this process's, in ms, at least and at most; `undefined` before it was heard. */
  #skew: Skew | undefined;

  /** @param place what the names of all its keys begin with */
  constructor(store: SharedStore, key: string, place: string) {
    this.#store = store;
    this.#key = key;
    this.#place = place;
    this.#keys = [`${place}:slots`, `${place}:members`];
  }

  /** Why it was lost; `undefined` while it can be got at. */
  get error(): unknown {
    return this.#error ?? this.#store.error;
  }

  /** It can be reached, and refuses what it is asked: no outage that passes, so nobody goes on alone. */
  get isRefused(): boolean {
    return this.error instanceof RedisRefusal;
  }

  /** How many processes share it, as heard last; before that, how many shared any other. */
  get members(): number {
    return this.#members ?? this.#store.members;
  }

  set members(count: number) {
    this.#members = count;
    this.#store.members = count;
  }

  now(): number {
    return this.#store.clock.now();
  }

  /** What the clock of Redis is ahead of this process's, in ms; `undefined` before it was heard. */
  get skewMs(): number | undefined {
    return this.#skew && (this.#skew.least + this.#skew.most) / 2;
  }

  /** Whether it is time to try again. */
  isProbeDue(): boolean {
    const now = this.now();
    if (now - this.#probedAt < PROBE_MS) return false;
    this.#probedAt = now;
    return true;
  }

  /**
   * Runs a script, which is told first when it was asked and for how long that holds, both 0 where its clock is not known
   * yet: Redis carries out what it was sent before it stalled, when nobody waits for it any more. The script gives its time first;
   * `read` makes a value of what else it gives, or gives `undefined` where that is of no known form.
   *
   * Rejects when Redis answers with an error, or not in time. From then on the bucket counts as lost until it answers; if there was
   * no answer at all, all buckets do, except on a Cluster, where another node has them.
   */
  async run<T>(
    script: string,
    args: readonly (string | number)[],
    read: (rest: readonly string[]) => T | undefined,
    more: readonly string[] = [],
  ): Promise<T> {
    const store = this.#store;
    const { scripts, timeoutMs } = store;
    const askedAt = this.now();
    const told = this.#skew === undefined ? [0, 0] : toldOf(this.#skew, askedAt, timeoutMs);
    const answer = scripts
      .run(script, [...this.#keys, ...more.map((name) => `${this.#place}:${name}`)], [...told, ...args].map(String))
      .then((reply) => {
        const [time, ...rest] = reply;
        const value = Number(time) > 0 ? read(rest) : undefined;
        if (value === undefined) throw unexpectedReply(reply);
        this.#skew = narrowed(this.#skew, { least: Number(time) - this.now(), most: Number(time) - askedAt });
        this.#error = undefined;
        store.error = undefined;
        return value;
      });
    try {
      return await answerOf('Redis', answer, { ms: timeoutMs, clock: store.clock });
    } catch (thrown) {
      const error = thrown ?? new Error('Redis failed');
      const known = this.error;
      if (scripts.isCluster || error instanceof RedisRefusal || isRedisError(error)) this.#error = error;
      else store.error = error;
      const isNews = known === undefined || (this.isRefused && !(known instanceof RedisRefusal));
      if (isNews) store.lost(this.#key, error);
      throw error;
    }
  }

  /** Who this process is, and for how long that holds in ms; 0 where it has been said a moment ago. */
  beat(): readonly [string, number] {
    const now = this.now();
    const isDue = now - this.#beatAt >= BEAT_MS;
    if (isDue) this.#beatAt = now;
    return [this.#store.member, isDue ? MEMBER_MS : 0];
  }
}

/** Between when Redis was asked and when it was heard, it looked at its clock: by how much that is ahead lies between these, in ms. */
interface Skew {
  readonly least: number;
  readonly most: number;
}

/**
 * When it is asked, rather too late: a pause of which too much counts as over would let somebody go before its end. And for how long that
 * holds, by so much less: what is not waited for any more is not carried out.
 */
function toldOf({ least, most }: Skew, askedAt: number, timeoutMs: number): readonly [number, number] {
  return [askedAt + most, timeoutMs - (most - least) / 2];
}

/** By both answers. Where they contradict each other one of the clocks was set, and the later one holds. */
function narrowed(before: Skew | undefined, now: Skew): Skew {
  if (before === undefined || before.least > now.most || before.most < now.least) return now;
  return { least: Math.max(before.least, now.least), most: Math.min(before.most, now.most) };
}
