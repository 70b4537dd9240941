import type { Answer } from '../limiter.ts';
import type { LocalPace } from '../local/local-pacer.ts';
import type { Pace } from '../queue/pacer.ts';
import type { RedisPace } from './redis-pacer.ts';
import { PROBE_MS, type StoredBucket } from './shared-store.ts';

/** A send, and who let it go. */
interface Granted {
  readonly pace: Pace<unknown>;
  readonly leave: unknown;
}

/** What happens while the store cannot be reached. */
export interface Alone {
  /** The pace of this process on its own, by what is known now; `undefined` where nothing leaves. */
  pace(): LocalPace | undefined;
  /** Then: refuses whoever waits. */
  refuse(): void;
}

/** The pace that a fleet shares while its store can be reached, and one of this process's own while it cannot. */
export class FallbackPace implements Pace<Granted> {
  readonly atOnce = Number.POSITIVE_INFINITY;
  readonly #bucket: StoredBucket;
  readonly #shared: RedisPace<unknown>;
  readonly #loss: Alone;
  #alone: LocalPace | undefined;
  #isAlone = false;
  #aloneSince = 0;
  #lastLeftAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(bucket: StoredBucket, shared: RedisPace<unknown>, loss: Alone) {
    this.#bucket = bucket;
    this.#shared = shared;
    this.#loss = loss;
  }

  get learns(): boolean {
    return this.#pace.learns === true;
  }

  get hasWindows(): boolean {
    return this.#pace.hasWindows === true;
  }

  /** By which it goes at present. */
  get #pace(): Pace<unknown> {
    return (this.#isAlone && this.#alone) || (this.#shared as Pace<unknown>);
  }

  nextAt(nowMs: number, wanted: number, weight: number, nested = false): number {
    const wasAlone = this.#isAlone;
    this.#isAlone = this.#bucket.error !== undefined;
    if (!this.#isAlone) {
      // The store knows nothing of what left alone; where it comes and goes, twice as many would leave.
      if (wasAlone) this.#notBefore = this.#lastLeftAt + (this.#alone?.intervalMs ?? 0);
      return Math.max(this.#shared.nextAt(nowMs, wanted, weight, nested), this.#notBefore);
    }
    if (!wasAlone) this.#goAlone(nowMs);
    if (this.#bucket.isProbeDue()) {
      this.#shared.wasUnseen(nowMs - this.#aloneSince);
      this.#shared.ask();
    }
    // Whoever asks is in line only when this has returned.
    if (this.#alone === undefined) Promise.resolve().then(this.#loss.refuse);
    const nextAt = this.#alone?.nextAt(nowMs, wanted, weight, nested) ?? Number.POSITIVE_INFINITY;
    // Also to look for the store again.
    return nextAt <= nowMs ? nextAt : Math.min(nextAt, nowMs + PROBE_MS);
  }

  earliest(nowMs: number, ahead: number): number {
    return this.#isAlone ? (this.#alone?.earliest(nowMs, ahead) ?? nowMs) : this.#shared.earliest();
  }

  leave(nowMs: number, weight: number, waited: boolean): Granted {
    const pace = this.#pace;
    this.#lastLeftAt = nowMs;
    if (pace === this.#alone) this.#shared.leftUnseen(weight);
    return { pace, leave: pace.leave(nowMs, weight, waited) };
  }

  answered(nowMs: number, { pace, leave }: Granted, answer: Answer): void {
    pace.answered(nowMs, leave, answer);
    if (answer.untilAt !== undefined && answer.untilAt > nowMs) this.pause(nowMs, answer.untilAt);
  }

  ended(nowMs: number, { pace, leave }: Granted): void {
    pace.ended(nowMs, leave);
  }

  dropped(nowMs: number, { pace, leave }: Granted): void {
    pace.dropped?.(nowMs, leave);
  }

  pause(nowMs: number, untilAt: number): void {
    this.#shared.pause(nowMs, untilAt);
    this.#alone?.pause(nowMs, untilAt);
  }

  resume(nowMs: number): void {
    this.#shared.resume(nowMs);
    this.#alone?.resume(nowMs);
  }

  pausedUntil(): number {
    const shared = this.#shared.pausedUntil();
    return this.#isAlone ? Math.max(shared, this.#alone?.pausedUntil() ?? shared) : shared;
  }

  isFresh(nowMs: number): boolean {
    return !this.#isAlone && this.#shared.isFresh(nowMs);
  }

  /** By what is known now, of the fleet and of what it has learnt. The others may have used the burst. */
  #goAlone(nowMs: number): void {
    this.#alone = this.#loss.pace();
    this.#alone?.pause(nowMs, this.#shared.pausedUntil());
    this.#alone?.follow(nowMs, this.#lastLeftAt, this.#shared.known);
    this.#aloneSince = nowMs;
  }
}
