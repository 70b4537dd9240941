import { AdaptiveRate, type AdaptiveSend, type ResolvedAdaptive } from '../adaptive/rate.ts';
import type { Answer } from '../limiter.ts';
import { type Pace, UNNAMED_MS } from '../queue/pacer.ts';
import { Gcra, type LimitWindow } from '../windows/gcra.ts';
import { Travel } from '../windows/latency-spread.ts';

/** The least time that one turn of the event loop makes up for, in ms: timers are no finer than 1 ms, and late. */
const TURN_MS = 2;

/** What has to be known of a send when it is answered. */
export interface Sent {
  readonly at: number;
  readonly weight: number;
  /** From when each window charged it. */
  readonly from: readonly number[];
  /** How far the slots of each window had been moved on. */
  readonly movedMs: readonly number[];
  readonly learning: AdaptiveSend | undefined;
  answered: boolean;
}

/** What is known of the windows of a bucket: from when each would let the next send leave, and when that was so. */
export interface Known {
  readonly at: readonly number[];
  readonly heardAt: number;
}

const UNKNOWN: Known = { at: [], heardAt: Number.NEGATIVE_INFINITY };

/** When the sends of a bucket may leave, as far as this process knows. */
export class LocalPace implements Pace<Sent> {
  readonly atOnce: number;
  readonly #windows: readonly Gcra[];
  readonly #adaptive: AdaptiveRate | undefined;
  readonly #travel = new Travel();
  #until = Number.NEGATIVE_INFINITY;

  constructor(windows: readonly LimitWindow[], adaptive: false | ResolvedAdaptive) {
    this.#windows = windows.map((window) => new Gcra(window));
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

  /** Between two sends at least, in ms. */
  get intervalMs(): number {
    return Math.max(0, ...this.#windows.map(({ intervalMs }) => intervalMs));
  }

  nextAt(nowMs: number, _wanted = 1, _weight = 1, nested = false): number {
    let at = this.#until;
    for (const window of this.#windows) at = Math.max(at, window.nextAt());
    return this.#adaptive === undefined ? at : Math.max(at, this.#adaptive.nextAt(nowMs, nested));
  }

  earliest(_nowMs: number, ahead: number): number {
    let at = this.pausedUntil();
    for (const window of this.#windows) at = Math.max(at, window.nextAt() + ahead * window.intervalMs);
    return at;
  }

  leave(nowMs: number, weight: number, waited: boolean): Sent {
    const from = this.#windows.map((window) => window.take(nowMs, weight, waited));
    const movedMs = this.#windows.map((window) => window.movedMs);
    const learning = this.#adaptive?.sent(nowMs, waited);
    return { at: nowMs, weight, from, movedMs, learning, answered: false };
  }

  answered(nowMs: number, sent: Sent, answer: Answer): void {
    if (sent.answered) return;
    sent.answered = true;
    if (sent.learning !== undefined) this.#adaptive?.answered(nowMs, sent.learning, answer);
    const delay = this.#travel.note(nowMs, nowMs - sent.at);
    for (const [i, window] of this.#windows.entries()) {
      if (answer.throttled) window.refused();
      window.answered(sent.at, Number(sent.movedMs[i]), delay);
    }
    if (answer.untilAt !== undefined && answer.untilAt > nowMs) this.#hold(nowMs, answer.untilAt);
    // Refused without a time: at least no burst.
    else if (answer.throttled) this.#spend(nowMs, UNNAMED_MS);
  }

  ended(nowMs: number, { learning }: Sent): void {
    if (learning !== undefined) this.#adaptive?.lost(nowMs, learning);
  }

  dropped(nowMs: number, { from, weight, learning }: Sent): void {
    for (const [i, window] of this.#windows.entries()) window.giveBack(Number(from[i]), weight);
    if (learning !== undefined) this.#adaptive?.dropped(nowMs, learning);
  }

  pause(nowMs: number, untilAt: number): void {
    this.#hold(nowMs, untilAt);
    this.#adaptive?.pause(nowMs, untilAt);
  }

  resume(nowMs: number): void {
    this.#until = Math.min(this.#until, nowMs);
    for (const window of this.#windows) window.resume(nowMs);
    this.#adaptive?.resume(nowMs);
  }

  /**
   * Goes on where another pace has stopped, whose last send left then: at its own distance, and without a burst. But what was left of
   * the burst of a long window is left, as far as was known: in the time since then, less than that window, not all of it has gone.
   */
  follow(nowMs: number, lastLeftAt: number, { at, heardAt }: Known = UNKNOWN): void {
    for (const [i, window] of this.#windows.entries()) {
      const from = at[i];
      if (from !== undefined && window.burst > 1 && !window.isAsShortAs(nowMs - heardAt)) {
        window.spend(from);
      } else {
        window.spend(nowMs);
        window.follow(lastLeftAt);
      }
    }
  }

  pausedUntil(): number {
    return Math.max(this.#until, this.#adaptive?.pausedUntilMs ?? this.#until);
  }

  isFresh(nowMs: number): boolean {
    if (this.#until > nowMs || this.#adaptive?.hasLearnt) return false;
    return this.#windows.every((window) => window.isFresh(nowMs));
  }

  #hold(nowMs: number, untilAt: number): void {
    if (untilAt <= nowMs || untilAt <= this.#until) return;
    this.#until = untilAt;
    this.#spend(untilAt, untilAt - nowMs);
  }

  /** Gives up the bursts of the windows that are as short as a pause of so long. */
  #spend(atMs: number, pauseMs: number): void {
    for (const window of this.#windows) if (window.isAsShortAs(pauseMs)) window.spend(atMs);
  }
}
