import type { Answer } from './limiter.ts';
import type { LocalPace, Sent } from './local-pace.ts';
import type { Pace } from './pace.ts';
import type { RedisPace } from './redis-pace.ts';
import { PROBE_MS, type StoredBucket } from './shared-store.ts';

/** A send, as those know it who have to be told of it again. */
interface Granted {
  readonly shared: { readonly leave: unknown } | undefined;
  readonly alone: Sent | undefined;
}

/** The pace that a fleet shares while its store can be reached, and one of this process's own while it cannot. */
export class FallbackPace implements Pace<Granted> {
  readonly atOnce = Number.POSITIVE_INFINITY;
  readonly #bucket: StoredBucket;
  readonly #shared: RedisPace<unknown>;
  readonly #makeAlone: () => LocalPace | undefined;
  /** From the first loss on: it is told of all sends, or a store that comes and goes would let twice as many out. */
  #alone: LocalPace | undefined;
  #isAlone = false;

  /** @param makeAlone `undefined`: nothing leaves meanwhile, and it has refused whoever waits */
  constructor(bucket: StoredBucket, shared: RedisPace<unknown>, makeAlone: () => LocalPace | undefined) {
    this.#bucket = bucket;
    this.#shared = shared;
    this.#makeAlone = makeAlone;
  }

  nextAt(nowMs: number, wanted: number, weight: number): number {
    const wasAlone = this.#isAlone;
    this.#isAlone = this.#bucket.error !== undefined;
    if (!this.#isAlone) return this.#shared.nextAt(nowMs, wanted, weight);
    if (this.#bucket.isProbeDue()) this.#shared.ask();
    if (!wasAlone) this.#goAlone(nowMs);
    // Whoever asks is in line only when this has returned.
    if (this.#alone === undefined) Promise.resolve().then(this.#makeAlone);
    const nextAt = this.#alone?.nextAt(nowMs) ?? Number.POSITIVE_INFINITY;
    // Also to look for the store again.
    return nextAt <= nowMs ? nextAt : Math.min(nextAt, nowMs + PROBE_MS);
  }

  earliest(nowMs: number, ahead: number): number {
    return this.#isAlone ? (this.#alone?.earliest(nowMs, ahead) ?? nowMs) : this.#shared.earliest();
  }

  leave(nowMs: number, weight: number, waited: boolean): Granted {
    const shared = this.#isAlone ? undefined : { leave: this.#shared.leave(nowMs, weight) };
    return { shared, alone: this.#alone?.leave(nowMs, weight, waited) };
  }

  answered(nowMs: number, { shared, alone }: Granted, answer: Answer): void {
    if (alone !== undefined) this.#alone?.answered(nowMs, alone, answer);
    if (shared !== undefined) this.#shared.answered(nowMs, shared.leave as never, answer);
    else if (answer.untilAt !== undefined) this.#shared.pause(nowMs, answer.untilAt);
  }

  ended(nowMs: number, { shared, alone }: Granted): void {
    if (alone !== undefined) this.#alone?.ended(nowMs, alone);
    if (shared !== undefined) this.#shared.ended(nowMs, shared.leave as never);
  }

  pause(nowMs: number, untilAt: number): void {
    this.#shared.pause(nowMs, untilAt);
    this.#alone?.pause(nowMs, untilAt);
  }

  pausedUntil(): number {
    return this.#isAlone ? (this.#alone?.pausedUntil() ?? Number.NEGATIVE_INFINITY) : this.#shared.pausedUntil();
  }

  isFresh(nowMs: number): boolean {
    return (this.#alone?.isFresh(nowMs) ?? true) && this.#shared.isFresh(nowMs);
  }

  shift(byMs: number): void {
    this.#shared.shift(byMs);
    this.#alone?.shift(byMs);
  }

  #goAlone(nowMs: number): void {
    this.#alone ??= this.#makeAlone();
    this.#alone?.pause(nowMs, this.#shared.pausedUntil());
    // The others may have used it.
    this.#alone?.spend(nowMs);
  }
}
