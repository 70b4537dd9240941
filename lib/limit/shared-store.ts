import { type Clock, randomId } from '../wait/clock.ts';
import { inTime } from '../wait/in-time.ts';

/** What the engine needs of a Redis client. An ioredis `Redis` or `Cluster` has it. */
export interface LimiterRedis {
  evalsha(sha: string, keyCount: number, ...keysThenArguments: string[]): Promise<unknown>;
  eval(script: string, keyCount: number, ...keysThenArguments: string[]): Promise<unknown>;
  script(command: 'LOAD', script: string): Promise<unknown>;
}

/** How long between two attempts to reach a lost store, in ms. */
export const PROBE_MS = 250;

/** A script in Redis, and whether Redis can be reached. */
export class SharedStore {
  /** Names this process. */
  readonly member = randomId();
  readonly #redis: LimiterRedis;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #listeners = new Set<(key: string, error: unknown) => void>();
  readonly #shas = new Map<string, Promise<string>>();
  #error: unknown;
  #probedAt = Number.NEGATIVE_INFINITY;

  constructor(redis: LimiterRedis, clock: Clock, timeoutMs: number) {
    this.#redis = redis;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
  }

  /** Why it was lost; `undefined` while it can be reached. */
  get error(): unknown {
    return this.#error;
  }

  onLost(listener: (key: string, error: unknown) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Whether it is time to try again. */
  probeDue(nowMs: number): boolean {
    if (Math.abs(nowMs - this.#probedAt) < PROBE_MS) return false;
    this.#probedAt = nowMs;
    return true;
  }

  /** Looks, now and then, whether a lost store is back. */
  probe(key: string, keys: readonly string[]): void {
    if (this.probeDue(this.#clock.now())) this.run('return { 1 }', key, keys, []).catch(() => {});
  }

  /**
   * Runs a script on a bucket's keys. Rejects when Redis answers with an error, or not in time; from then on the store counts as
   * lost, until it answers: also with what it was asked before.
   */
  async run(
    script: string,
    key: string,
    keys: readonly string[],
    args: readonly string[],
  ): Promise<readonly unknown[]> {
    const answer = this.#evaluate(script, keys, args).then((reply) => {
      this.#error = undefined;
      return reply as readonly unknown[];
    });
    try {
      return await inTime(answer, { ms: this.#timeoutMs, clock: this.#clock, who: 'Redis' });
    } catch (error) {
      const known = this.#error !== undefined;
      this.#error = error ?? new Error('Redis failed');
      if (!known) for (const listener of this.#listeners) listener(key, this.#error);
      throw error;
    }
  }

  /** By its hash, since a script is longer than what it is told. A Redis that has forgotten it gets it again. */
  async #evaluate(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
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
      sha = this.#redis.script('LOAD', script).then(String);
      sha.catch(() => this.#shas.delete(script));
      this.#shas.set(script, sha);
    }
    return sha;
  }
}

/** How long a process counts as one of the fleet after it last said that it is there, and how often it does, in ms. */
const MEMBER_MS = 5_000;
const BEAT_MS = 1_000;

/** Where one bucket is kept. */
export class Place {
  readonly clock: Clock;
  readonly #store: SharedStore;
  readonly #key: string;
  readonly #keys: readonly string[];
  #beatAt = Number.NEGATIVE_INFINITY;

  constructor(store: SharedStore, clock: Clock, key: string, keys: readonly string[]) {
    this.clock = clock;
    this.#store = store;
    this.#key = key;
    this.#keys = keys;
  }

  run(script: string, args: readonly (string | number)[]): Promise<readonly unknown[]> {
    return this.#store.run(script, this.#key, this.#keys, args.map(String));
  }

  /** Who this process is, and for how long that holds in ms; 0 where it has been said a moment ago. */
  beat(): readonly [string, number] {
    const now = this.clock.now();
    const isDue = Math.abs(now - this.#beatAt) >= BEAT_MS;
    if (isDue) this.#beatAt = now;
    return [this.#store.member, isDue ? MEMBER_MS : 0];
  }
}
