import { AdaptiveRate, type AdaptiveSend, type ResolvedAdaptive } from '../adaptive/rate.ts';
import type { Answer } from '../limiter.ts';
import { type Pacer, UNNAMED_MS } from '../queue/pacer.ts';
import type { Gcra, LimitWindow } from '../windows/gcra.ts';
import { LatencySpread } from '../windows/latency-spread.ts';
import { windowsAfter } from '../windows/window.ts';

/** The least time that one turn of the event loop makes up for, in ms: timers are no finer than 1 ms, and late. */
const TURN_MS = 2;

/** What has to be known of a send when it is answered. */
export interface Sent {
  readonly at: number;
  readonly weight: number;
  /** From when each window charged it. */
  readonly from: readonly number[];
  /** How far the slots of each window had been shifted. */
  readonly shiftMs: readonly number[];
  readonly learning: AdaptiveSend | undefined;
  /** Whose numbers it left by: others may hold by the time that it ends. */
  readonly by: LocalPacer;
  answered: boolean;
}

/** What is known of the windows of a bucket: from when each would let the next send leave, and when that was so. */
export interface Known {
  readonly at: readonly number[];
  readonly heardAt: number;
}

/** What a pacer goes on from. */
export interface Before {
  /** By whose numbers it went until now. */
  readonly own?: LocalPacer | undefined;
  /** Those of other limits for the same bucket. */
  readonly others?: readonly LocalPacer[] | undefined;
  readonly nowMs: number;
}

/** When the sends of a bucket may leave, as far as this process knows. */
export class LocalPacer implements Pacer<Sent> {
  readonly atOnce: number;
  readonly #windows: readonly Gcra[];
  readonly #adaptive: AdaptiveRate | undefined;
  readonly #latency: LatencySpread;

  /** @param before what has left counts in the new windows as well */
  constructor(
    windows: readonly LimitWindow[],
    adaptive: false | ResolvedAdaptive,
    { own, others = [], nowMs }: Before = { nowMs: 0 },
  ) {
    this.#latency = own === undefined ? new LatencySpread() : own.#latency;
    const besides = others.flatMap((other) => other.#windows);
    this.#windows = windowsAfter(own === undefined ? [] : own.#windows, besides, windows, nowMs);
    this.#adaptive = adaptive === false ? undefined : new AdaptiveRate(adaptive, windows);
    this.atOnce = Math.min(
      ...this.#windows.map(({ burst, intervalMs }) => Math.max(burst, Math.ceil(TURN_MS / intervalMs))),
    );
  }

  get learns(): boolean {
    return this.#adaptive !== undefined;
  }

  get hasWindows(): boolean {
    return this.#windows.length > 0;
  }

  /** Between two sends at least, in ms; by windows that are as short as that. */
  intervalMs(shortMs = Number.POSITIVE_INFINITY): number {
    const short = this.#windows.filter((window) => window.isAsShortAs(shortMs));
    return Math.max(0, ...short.map(({ intervalMs }) => intervalMs));
  }

  nextAt(nowMs: number, _wanted = 1, weight = 1, nested = false): number {
    let at = this.#adaptive === undefined ? Number.NEGATIVE_INFINITY : this.#adaptive.nextAt(nowMs, nested, weight);
    for (const window of this.#windows) at = Math.max(at, window.nextAt(weight));
    return at;
  }

  earliest(_nowMs: number, ahead: number): number {
    let at = Number.NEGATIVE_INFINITY;
    for (const window of this.#windows) at = Math.max(at, window.earliest(ahead));
    return at;
  }

  send(nowMs: number, weight: number, waited: boolean): Sent {
    const from = this.#windows.map((window) => window.take(nowMs, weight, waited));
    const shiftMs = this.#windows.map((window) => window.shiftMs);
    const learning = this.#adaptive?.sent(nowMs, waited, weight);
    return { at: nowMs, weight, from, shiftMs, learning, by: this, answered: false };
  }

  answered(nowMs: number, sent: Sent, answer: Answer): number | undefined {
    if (sent.answered) return undefined;
    sent.answered = true;
    const { cost } = answer;
    const { by } = sent;
    if (cost !== undefined)
      for (const [i, window] of by.#windows.entries()) window.settle(Number(sent.from[i]), sent.weight, cost, sent.at);
    if (sent.learning !== undefined) by.#adaptive?.answered(nowMs, sent.learning, answer);
    const delay = by.#latency.note(nowMs, nowMs - sent.at);
    for (const [i, window] of by.#windows.entries()) {
      if (answer.throttled) window.refused();
      window.answered(sent.at, Number(sent.shiftMs[i]), delay);
    }
    const isNamed = answer.untilAt !== undefined && answer.untilAt > nowMs;
    if (answer.throttled && !isNamed) by.#dropBursts(nowMs, UNNAMED_MS);
    return by.#adaptive?.pausedUntil;
  }

  ended(nowMs: number, { learning, by }: Sent): void {
    if (learning !== undefined) by.#adaptive?.lost(nowMs, learning);
  }

  dropped(nowMs: number, { at, from, weight, learning, by }: Sent): void {
    for (const [i, window] of by.#windows.entries()) window.refund(Number(from[i]), weight, at);
    if (learning !== undefined) by.#adaptive?.dropped(nowMs, learning);
  }

  paused(nowMs: number, untilAt: number): void {
    this.#dropBursts(untilAt, untilAt - nowMs);
    this.#adaptive?.pause(nowMs, untilAt);
  }

  resumed(nowMs: number): void {
    for (const window of this.#windows) window.resume(nowMs);
    this.#adaptive?.resume(nowMs);
  }

  /**
   * Goes on where another pacer has stopped, whose last send left then: an interval after it, and without a burst. But of a window that is
   * longer than what is known of it is old, what was left of the burst then is left still: of 5,000 an hour, heard of 2 s ago, not all can
   * have gone since.
   */
  continueAfter(nowMs: number, lastSentAt: number, { at, heardAt }: Known): void {
    for (const [i, window] of this.#windows.entries()) {
      const from = at[i];
      if (from !== undefined && window.burst > 1 && !window.isAsShortAs(nowMs - heardAt)) {
        window.dropBurst(from);
      } else {
        window.dropBurst(nowMs);
        window.continueAfter(lastSentAt);
      }
    }
  }

  isFresh(nowMs: number): boolean {
    return !this.#adaptive?.hasLearnt && this.#windows.every((window) => window.isFresh(nowMs));
  }

  /** Of the windows that are as short as a pause of so long. */
  #dropBursts(atMs: number, pauseMs: number): void {
    for (const window of this.#windows) if (window.isAsShortAs(pauseMs)) window.dropBurst(atMs);
  }
}
