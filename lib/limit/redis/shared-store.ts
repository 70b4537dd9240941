import { type Clock, randomId } from '../../time/clock.ts';
import { answerOf } from '../../time/with-timeout.ts';

/** What the engine needs of a Redis client. An ioredis `Redis` or `Cluster` has it. */
export interface LimiterRedis {
  evalsha(sha: string, keyCount: number, ...keysThenArguments: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysThenArguments: string[]): Promise<unknown>;
  script(command: 'LOAD', script: string): Promise<unknown>;
}

/** How long between two attempts to reach a lost store, in ms. */
export const PROBE_MS = 250;

/** A Redis, and whether it can be reached. */
export class SharedStore {
  /** Names this process. */
  readonly member = randomId();
  readonly clock: Clock;
  /** How long an answer may take, in ms. */
  readonly timeoutMs: number;
  readonly #redis: LimiterRedis;
  readonly #listeners = new Set<(key: string, error: unknown) => void>();
  readonly #shas = new Map<string, Promise<string>>();
  /** Why it was lost; `undefined` while it can be reached. */
  error: unknown;

  constructor(redis: LimiterRedis, clock: Clock, timeoutMs: number) {
    this.#redis = redis;
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

  /** By its hash, since a script is longer than what it is told. A Redis that has forgotten it gets it again. */
  async evaluate(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const rest = [...keys, ...args];
    try {
      return await this.#redis.evalsha(await this.#shaOf(script), keys.length, ...rest);
    } catch (error) {
      if (!/NOSCRIPT/.test(String((error as Error | undefined)?.message))) throw error;
      return this.#redis.eval(script, keys.length, ...rest);
    }
  }

  #shaOf(script: string): Promise<string> {
    let sha = this.#shas.get(script);
    if (sha === undefined) {
      sha = Promise.resolve(this.#redis.script('LOAD', script)).then(String);
      sha.catch(() => this.#shas.delete(script));
      this.#shas.set(script, sha);
    }
    return sha;
  }
}

/** How long a process counts as one of the fleet after it last said that it is there, and how often it does, in ms. */
const MEMBER_MS = 5_000;
const BEAT_MS = 1_000;

/** Where one bucket is kept, and whether it can be got at. */
export class StoredBucket {
  readonly #store: SharedStore;
  readonly #key: string;
  readonly #keys: readonly string[];
  /** What Redis says of this bucket alone: that something else lies under its key, for instance. */
  #error: unknown;
  #beatAt = Number.NEGATIVE_INFINITY;
  #probedAt = Number.NEGATIVE_INFINITY;
  /** What the clock of Redis is ahead of this process's, in ms; `undefined` before it was heard. */
  skewMs: number | undefined;

  constructor(store: SharedStore, key: string, keys: readonly string[]) {
    this.#store = store;
    this.#key = key;
    this.#keys = keys;
  }

  /** Why it was lost; `undefined` while it can be got at. */
  get error(): unknown {
    return this.#error ?? this.#store.error;
  }

  now(): number {
    return this.#store.clock.now();
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
   * yet: Redis carries out what it was sent before it stalled, when nobody waits for it any more. The script gives its time first, and
   * this what else it gives.
   *
   * Rejects when Redis answers with an error, or not in time. From then on the bucket counts as lost until it answers; if there was
   * no answer at all, all buckets do.
   */
  async run(script: string, args: readonly (string | number)[]): Promise<readonly string[]> {
    const store = this.#store;
    const askedAt = this.now();
    const told = this.skewMs === undefined ? [0, 0] : [askedAt + this.skewMs, store.timeoutMs];
    const answer = store.evaluate(script, this.#keys, [...told, ...args].map(String)).then((reply) => {
      const [time, ...rest] = Array.isArray(reply) ? reply.map(String) : [];
      if (!(Number(time) > 0)) throw new TypeError(`Redis gave an unexpected answer: ${JSON.stringify(reply)}`);
      this.skewMs = Number(time) - (askedAt + this.now()) / 2;
      this.#error = undefined;
      store.error = undefined;
      return rest;
    });
    try {
      return await answerOf('Redis', answer, { ms: store.timeoutMs, clock: store.clock });
    } catch (thrown) {
      const error = thrown ?? new Error('Redis failed');
      const isKnown = this.error !== undefined;
      if (isReply(error)) this.#error = error;
      else store.error = error;
      if (!isKnown) store.lost(this.#key, error);
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

/** Redis begins its errors with a word in capitals, whatever the client. And what makes no sense was an answer, too. */
const isReply = (error: unknown): boolean =>
  error instanceof TypeError || /^[A-Z]{2,} /.test(String((error as Error | undefined)?.message));
