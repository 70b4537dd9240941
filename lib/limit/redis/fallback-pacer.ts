import type { Answer } from '../limiter.ts';
import type { LocalPacer } from '../local/local-pacer.ts';
import type { Pacer } from '../queue/pacer.ts';
import type { RedisPacer } from './redis-pacer.ts';
import { PROBE_MS, type StoredBucket } from './shared-store.ts';

/** A send, and who let it go. */
interface Granted {
  readonly pacer: Pacer<unknown>;
  readonly handle: unknown;
}

/** What happens while the store is lost. */
export interface Alone {
  /** The pacer of this process on its own, by what is known now; `undefined` where nothing leaves. Asked when it is lost, and how. */
  pacer(): LocalPacer | undefined;
  /** Then: refuses whoever waits. */
  refuse(): void;
}

/** The pacer that a fleet shares while its store can be reached, and one of this process's own while it cannot. */
export class FallbackPacer implements Pacer<Granted> {
  readonly isRemote = true;
  readonly #bucket: StoredBucket;
  readonly #shared: RedisPacer<unknown>;
  readonly #loss: Alone;
  #alone: LocalPacer | undefined;
  #isAlone = false;
  /** The store is there and refuses: nothing leaves, since that does not pass as an outage does. */
  #isRefused = false;
  #aloneSince = 0;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(bucket: StoredBucket, shared: RedisPacer<unknown>, loss: Alone) {
    this.#bucket = bucket;
    this.#shared = shared;
    this.#loss = loss;
  }

  get learns(): boolean {
    return this.#pacer.learns === true;
  }

  get hasWindows(): boolean {
    return this.#pacer.hasWindows === true;
  }

  /** By which it goes at present. */
  get #pacer(): Pacer<unknown> {
    return (this.#isAlone && this.#alone) || (this.#shared as Pacer<unknown>);
  }

  nextAt(nowMs: number, wanted: number, weight: number, nested = false): number {
    const wasAlone = this.#isAlone;
    this.#isAlone = this.#bucket.error !== undefined;
    if (!this.#isAlone) {
      // Redis did not see what was sent without it: so one interval is waited for, or a Redis that comes and goes doubles the rate. Windows that
      // are longer than it was away have been charged with that.
      const chargedMs = this.#shared.learns ? undefined : nowMs - this.#aloneSince;
      if (wasAlone) this.#notBefore = this.#lastSentAt + (this.#alone?.intervalMs(chargedMs) ?? 0);
      return Math.max(this.#shared.nextAt(nowMs, wanted, weight, nested), this.#notBefore);
    }
    if (!wasAlone) this.#aloneSince = nowMs;
    const wasRefused = this.#isRefused;
    this.#isRefused = this.#bucket.isRefused;
    if (!wasAlone || wasRefused !== this.#isRefused) this.#goAlone(nowMs);
    if (this.#bucket.isProbeDue()) {
      this.#shared.wasUnseen(nowMs - this.#aloneSince);
      this.#shared.ask();
    }
    // Whoever asks is in the queue only when this has returned.
    if (this.#alone === undefined) Promise.resolve().then(this.#loss.refuse);
    const nextAt = this.#alone?.nextAt(nowMs, wanted, weight, nested) ?? Number.POSITIVE_INFINITY;
    // Also to look for the store again.
    return nextAt <= nowMs ? nextAt : Math.min(nextAt, nowMs + PROBE_MS);
  }

  earliest(nowMs: number, ahead: number): number {
    return this.#isAlone && this.#alone !== undefined ? this.#alone.earliest(nowMs, ahead) : nowMs;
  }

  send(nowMs: number, weight: number, waited: boolean): Granted {
    const pacer = this.#pacer;
    this.#lastSentAt = nowMs;
    if (pacer === this.#alone) this.#shared.leftUnseen(weight);
    return { pacer, handle: pacer.send(nowMs, weight, waited) };
  }

  answered(nowMs: number, { pacer, handle }: Granted, answer: Answer): number | undefined {
    return pacer.answered(nowMs, handle, answer);
  }

  ended(nowMs: number, { pacer, handle }: Granted): void {
    pacer.ended(nowMs, handle);
  }

  dropped(nowMs: number, { pacer, handle }: Granted): void {
    pacer.dropped?.(nowMs, handle);
  }

  paused(nowMs: number, untilAt: number): void {
    this.#shared.paused(nowMs, untilAt);
    this.#alone?.paused(nowMs, untilAt);
  }

  resumed(nowMs: number): void {
    this.#shared.resumed();
    this.#alone?.resumed(nowMs);
  }

  reservedAt(weight: number): number | undefined {
    return this.#isAlone ? undefined : this.#shared.reservedAt(weight);
  }

  reservedBy(atMs: number): number {
    return this.#isAlone ? Number.POSITIVE_INFINITY : this.#shared.reservedBy(atMs);
  }

  heldUp(nowMs: number, untilAt: number): void {
    if (!this.#isAlone) this.#shared.heldUp(nowMs, untilAt);
  }

  isFresh(nowMs: number): boolean {
    return !this.#isAlone && this.#shared.isFresh(nowMs);
  }

  /** Other numbers hold, also for what leaves while the store is lost. */
  change(nowMs: number): void {
    if (this.#isAlone) this.#goAlone(nowMs);
  }

  /** By what is known now, of the fleet and of what it has learnt. The others may have used the burst. */
  #goAlone(nowMs: number): void {
    this.#alone = this.#loss.pacer();
    this.#alone?.continueAfter(nowMs, this.#lastSentAt, this.#shared.known);
  }
}
