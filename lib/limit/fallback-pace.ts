import type { Answer } from './limiter.ts';
import type { Pace } from './pace.ts';
import type { RedisPace } from './redis-pace.ts';
import { PROBE_MS, type SharedStore } from './shared-store.ts';

/** A send, and who let it go. */
interface Granted<Leave> {
  readonly pace: Pace<Leave>;
  readonly leave: Leave;
}

/** The pace that a fleet shares while its store can be reached, and one of this process's own while it cannot. */
export class FallbackPace<Leave> implements Pace<Granted<unknown>> {
  readonly atOnce = Number.POSITIVE_INFINITY;
  readonly #store: SharedStore;
  readonly #shared: RedisPace<unknown>;
  readonly #makeAlone: () => Pace<Leave>;
  #alone: Pace<Leave> | undefined;

  constructor(store: SharedStore, shared: RedisPace<unknown>, makeAlone: () => Pace<Leave>) {
    this.#store = store;
    this.#shared = shared;
    this.#makeAlone = makeAlone;
  }

  nextAt(nowMs: number, waiting: number): number {
    if (this.#store.error === undefined) {
      this.#alone = undefined;
      return this.#shared.nextAt(nowMs, waiting);
    }
    if (this.#alone === undefined) {
      this.#alone = this.#makeAlone();
      this.#alone.pause(nowMs, this.#shared.pausedUntil());
    }
    if (this.#store.probeDue(nowMs)) this.#shared.ask();
    // Also to look for the store again.
    const nextAt = this.#alone.nextAt(nowMs, waiting);
    return nextAt <= nowMs ? nextAt : Math.min(nextAt, nowMs + PROBE_MS);
  }

  earliest(nowMs: number, ahead: number): number {
    return this.#current.earliest(nowMs, ahead);
  }

  leave(nowMs: number, weight: number, waited: boolean): Granted<unknown> {
    const pace: Pace<unknown> = this.#current;
    return { pace, leave: pace.leave(nowMs, weight, waited) };
  }

  answered(nowMs: number, { pace, leave }: Granted<unknown>, answer: Answer): void {
    pace.answered(nowMs, leave, answer);
    if (answer.untilAt !== undefined) this.pause(nowMs, answer.untilAt);
  }

  ended(nowMs: number, { pace, leave }: Granted<unknown>): void {
    pace.ended(nowMs, leave);
  }

  pause(nowMs: number, untilAt: number): void {
    this.#shared.pause(nowMs, untilAt);
    this.#alone?.pause(nowMs, untilAt);
  }

  pausedUntil(): number {
    return this.#current.pausedUntil();
  }

  isFresh(nowMs: number): boolean {
    return this.#alone === undefined && this.#shared.isFresh(nowMs);
  }

  shift(byMs: number): void {
    this.#shared.shift(byMs);
    this.#alone?.shift(byMs);
  }

  get #current(): Pace<unknown> {
    return (this.#alone ?? this.#shared) as Pace<unknown>;
  }
}
