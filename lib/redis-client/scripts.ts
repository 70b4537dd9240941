import type { Clock } from '../time/clock.ts';
import { type Commands, commandsOf, type RedisClient } from './client.ts';
import { isReadOnly, refusalOf, stringsOf } from './refusal.ts';

/** How soon a client is asked again to make another connection, in ms: others use it, too. */
const RECONNECT_MS = 1_000;

/** Carries scripts out in a Redis. Whoever runs them needs the rights to EVAL, EVALSHA and what stands in them, and no others. */
export class RedisScripts {
  readonly #commands: Commands;
  readonly #clock: Pick<Clock, 'now'>;
  /** Of each script that has been run; `undefined` while it is being made. */
  readonly #digests = new Map<string, string | undefined>();
  #reconnectedAt = Number.NEGATIVE_INFINITY;

  constructor(client: RedisClient, clock: Pick<Clock, 'now'>) {
    this.#commands = commandsOf(client);
    this.#clock = clock;
  }

  /** One node may be lost while the others answer. */
  get isCluster(): boolean {
    return this.#commands.isCluster;
  }

  /**
   * Carries a script out, whose reply is an array of strings.
   *
   * Rejects with a `RedisRefusal` where that can never pass, else as the client does. Where a replica answers that was the master once,
   * the client is asked for another connection.
   */
  async run(script: string, keys: readonly string[], args: readonly string[]): Promise<readonly string[]> {
    try {
      return stringsOf(await this.#evaluate(script, keys, args));
    } catch (error) {
      if (isReadOnly(error)) this.#reconnect();
      throw refusalOf(error, this.isCluster) ?? error;
    }
  }

  /** By its digest from the second time on, since a script is longer than what it is told. A node that has forgotten it gets it again. */
  async #evaluate(script: string, keys: readonly string[], args: readonly string[]): Promise<unknown> {
    const { evalsha } = this.#commands;
    const digest = evalsha && this.#digestOf(script);
    if (digest === undefined || evalsha === undefined) return this.#commands.eval(script, keys, args);
    try {
      return await evalsha(digest, keys, args);
    } catch (error) {
      if (!/NOSCRIPT/.test(String((error as Error | undefined)?.message))) throw error;
      return this.#commands.eval(script, keys, args);
    }
  }

  /** Made here, since SCRIPT LOAD is a right of its own, and on a Cluster tells one node only. */
  #digestOf(script: string): string | undefined {
    if (!this.#digests.has(script)) {
      this.#digests.set(script, undefined);
      void sha1(script).then((digest) => this.#digests.set(script, digest));
    }
    return this.#digests.get(script);
  }

  #reconnect(): void {
    const now = this.#clock.now();
    if (now - this.#reconnectedAt < RECONNECT_MS) return;
    this.#reconnectedAt = now;
    this.#commands.reconnect?.();
  }
}

/** In hexadecimal; `undefined` where the platform has no WebCrypto, as some environments of tests. */
async function sha1(text: string): Promise<string | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (subtle === undefined) return undefined;
  const digest = new Uint8Array(await subtle.digest('SHA-1', new TextEncoder().encode(text)));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, '0')).join('');
}
