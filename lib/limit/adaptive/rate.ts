import type { Answer } from '../limiter.ts';
import { burstOf, Gcra, type LimitWindow } from '../windows/gcra.ts';
import { Announced } from './announced.ts';
import { ABSURD_PER_MS, LONGEST_MS } from './bounds.ts';
import { Climb } from './climb.ts';
import { Stock, type StockMark } from './stock.ts';
import { Stretch } from './stretch.ts';

export interface AdaptiveOptions {
  /**
   * How many sends may be under way at once while nothing is known of the quota; one more with every two that are admitted. An
   * integer from 1 to 1,000,000. Default 8.
   */
  readonly startConcurrency?: number | undefined;
  /** Whether to heed RateLimit headers: what is left, what is stated, how many may be under way. Default true. */
  readonly headers?: boolean | undefined;
}

export const ADAPTIVE_DEFAULTS = { startConcurrency: 8, headers: true } as const;

export interface ResolvedAdaptive {
  readonly startConcurrency: number;
  readonly headers: boolean;
}

/** What the rate has to remember of one send. Nobody else's business. */
export interface AdaptiveSend {
  /** When it left. */
  readonly at: number;
  /** It left alone after a pause, to see whether the server admits again. */
  readonly isProbe: boolean;
  /** The number of the episode in which it left; the end of a pause begins a new one. */
  readonly episode: number;
  /** The limiter set the pace, not the caller: only then does its admission say that the rate is not too high. */
  readonly held: boolean;
  /** The rate at which it left, requests per ms. */
  readonly ratePerMs: number;
  /** What it weighed. */
  readonly weight: number;
  /** How far it moved the due time, in ms. */
  readonly intervalMs: number;
  /** What was known of what is left. */
  readonly stocks: readonly StockMark[];
  /** Its end was told. */
  ended: boolean;
}

const SECOND_MS = 1_000;

/** An answer that is out for so long may never come, in ms. */
const LOST_MS = 10_000;
/** The same where a server bounds what is under way: by then even a slow answer has come, and one too many is refused. */
const LOST_FOR_SURE_MS = 60_000;
/** How late a timer of Node may be and still be caught up with, in ms. */
const SLACK_MS = 10;
/** How many more at once for each that is admitted. With a whole one a burst of 20 would end with 28 under way, all of them refused. */
const MORE_AT_ONCE = 0.5;
/** After a gap this long, and longer than the pace asks for, the burst is full again: measure afresh. In ms. */
const IDLE_MS = 1_000;
/** How long one probe keeps the next from leaving, in ms; its answer may be lost. */
const PROBE_PATIENCE_MS = 1_000;

/**
 * How fast a bucket may send to a server whose quota nobody stated: learnt from its refusals, and from what its headers say.
 *
 * Nothing is sent before a time that the server named, so that every refusal costs about one Retry-After. Hence few refusals, and much
 * learnt from each. The life of a bucket: eight sends under way and one more with every two that are admitted, until the first refusal. A pause,
 * one probe, then a fast climb (`Climb`); the second refusal gives the quota within some 10 % (`Stretch`). From then on it climbs slowly,
 * and each refusal narrows the range; one soon after a release cuts the rate, since the quota has shrunk.
 *
 * Where headers tell what is left, none of this is needed (`Announced`). Refusals are still learnt from if no header explains them.
 *
 * Pure arithmetic: it is told the time, and has no timers. `sent` may be called only when `nextAt` has come, and every send ends with
 * `answered`, `lost` or `dropped`, in any order and however late. `nextAt` may change with every event. All instants are on one clock,
 * that of the process or that of Redis.
 *
 * It keeps its own pause and probe, unlike every other pacer: a fleet shares them with the rest as text.
 */
export class AdaptiveRate {
  readonly #options: ResolvedAdaptive;
  /** The user's own windows: what they let leave, a burst and all, is the most that is sent. */
  readonly #windows: readonly Gcra[];
  /** The pace that they allow while the long ones have credit, requests per ms: above it nothing is to be learnt. */
  readonly #givenPerMs: number;
  readonly climb = new Climb();
  readonly stretch = new Stretch();
  readonly announced = new Announced();

  phase: 'open' | 'paused' | 'probing' = 'open';
  /** Nothing leaves before. */
  pausedUntil = -Infinity;
  nextProbeAt = -Infinity;
  /** When the next is due by the pace that was learnt or stated. */
  dueAt = -Infinity;
  /** For each window of the user's: when everything that has left is paid for. */
  paidAt: number[];
  /** And how long each took to pay for one, in ms. */
  intervals: number[];
  episode = 0;
  /** Refusals in a row, for servers that name no time. */
  refusals = 0;
  inFlight = 0;
  /** What those weigh together. */
  outWeight = 0;
  concurrency: number;

  /** @param windows the user's own. Default: none. */
  constructor(options: ResolvedAdaptive, windows: readonly LimitWindow[] = []) {
    this.#options = options;
    this.#windows = windows.map((window) => new Gcra(window));
    this.#givenPerMs = givenBy(windows);
    this.paidAt = windows.map(() => -Infinity);
    this.intervals = this.#windows.map(({ intervalMs }) => intervalMs);
    this.concurrency = options.startConcurrency;
  }

  /** What it sends at most in the mean at present, requests per ms, more than 0; Infinity while nothing bounds it but what is left. */
  get ratePerMs(): number {
    return Math.min(this.#pacePerMs, this.#givenPerMs);
  }

  /** Whether anything was learnt that would be lost by forgetting this object. */
  get hasLearnt(): boolean {
    return this.climb.ratePerMs < Infinity || this.announced.isKnown || this.phase !== 'open';
  }

  /** The earliest instant at which the next send may leave. `nested`: it must not wait for the answer to another. */
  nextAt(nowMs: number, nested = false, weight = 1): number {
    this.#endStocks(nowMs);
    return Math.max(nowMs, nested ? this.#nestedAt(weight) : this.#nextAt(weight));
  }

  /** A send leaves now. `waited`: it would have left when it was due, had the timer been on time. */
  sent(nowMs: number, waited = false, weight = 1): AdaptiveSend {
    const isProbe = this.phase !== 'open';
    const { episode, ratePerMs } = this;
    const intervalMs = isProbe ? 0 : 1 / this.#pacePerMs;
    const held = !isProbe && this.#isHeld(nowMs, intervalMs);
    const stocks = this.announced.sent(weight);
    this.#windows.forEach((window, i) => {
      const from = waited ? nowMs - window.lateMs : nowMs;
      this.paidAt[i] = Math.max(Number(this.paidAt[i]), from) + weight * window.intervalMs;
    });
    this.inFlight += 1;
    this.outWeight += weight;
    if (isProbe) {
      this.phase = 'probing';
      this.nextProbeAt = nowMs + Math.min(Math.max(PROBE_PATIENCE_MS, 1 / ratePerMs), LONGEST_MS);
    } else {
      if (!held && nowMs - this.stretch.lastSentAt > IDLE_MS + 1 / ratePerMs) this.stretch.begin(nowMs);
      this.stretch.sent(nowMs);
    }
    return { at: nowMs, isProbe, episode, held, ratePerMs, weight, intervalMs, stocks, ended: false };
  }

  /** It was answered. */
  answered(nowMs: number, send: AdaptiveSend, answer: Answer): void {
    if (!this.#end(send)) return;
    const { throttled, untilAt, quota, cost } = answer;
    if (cost !== undefined) this.#charge(Math.min(cost, this.#most) - send.weight);
    this.#endStocks(nowMs);
    const usedUpUntil = this.#options.headers ? this.#hear(nowMs, send, answer) : undefined;
    const namedAt = isInstant(untilAt) ? untilAt : undefined;

    const isUsedUp = quota?.remaining === 0 || this.announced.isResetAt(namedAt);
    if (throttled) this.#refused(nowMs, send, namedAt ?? usedUpUntil ?? nowMs, isUsedUp);
    // Only the limiter's own answers say that it admitted; a 503 with Retry-After may come from in front of it.
    else if (namedAt === undefined) this.#welcomed(nowMs, send);
    if (namedAt !== undefined && namedAt > nowMs) this.#pauseUntil(namedAt);
    else if (usedUpUntil !== undefined) this.#pauseUntil(usedUpUntil);
  }

  /** It ended without an answer: a lost connection, an abort. */
  lost(nowMs: number, send: AdaptiveSend): void {
    if (!this.#end(send)) return;
    this.announced.lost(send.weight);
    if (!send.isProbe || send.episode !== this.episode) return;
    this.nextProbeAt = Math.min(this.nextProbeAt, Math.max(nowMs, send.at + PROBE_PATIENCE_MS));
  }

  /** It has not left after all: as if `sent` had never been called. */
  dropped(nowMs: number, send: AdaptiveSend): void {
    if (!this.#end(send)) return;
    this.announced.notSent(send.weight);
    this.#charge(-send.weight);
    if (send.episode !== this.episode) return;
    if (send.isProbe) {
      // Another may be the probe, and at once.
      if (this.phase === 'probing') this.nextProbeAt = Math.min(this.nextProbeAt, nowMs);
      return;
    }
    this.stretch.uncount(send.at);
    this.dueAt -= send.intervalMs;
  }

  /** Nothing may leave before that instant. The release is paced as after a refusal, but nothing is learnt from it. */
  pause(nowMs: number, untilAt: number): void {
    if (isInstant(untilAt) && untilAt > nowMs) this.#pauseUntil(untilAt);
  }

  /** The pause is over before its time: a probe is to leave. */
  resume(nowMs: number): void {
    this.pausedUntil = Math.min(this.pausedUntil, nowMs);
  }

  /** All that is known, which is what stands in public fields, as text for somebody else to go on from. */
  save(): string {
    return JSON.stringify(this, (_name, value) =>
      typeof value === 'number' && Math.abs(value) === Infinity ? `${value}` : value,
    );
  }

  /** Goes on from what another has saved; all that was known here is forgotten. What is unpaid by other numbers is paid at the rate of these. */
  restore(saved: string, nowMs = -Infinity): void {
    const known = JSON.parse(saved, (_name, value) => (/^-?Infinity$/.test(value) ? Number(value) : value));
    const climb = Object.assign(this.climb, known.climb);
    const stretch = Object.assign(this.stretch, { shortest: undefined }, known.stretch);
    const announced = Object.assign(this.announced, { partition: undefined }, known.announced);
    announced.stocks = announced.stocks.map((stock: Stock) => Object.assign(new Stock(stock.id), stock));
    const { intervals } = this;
    const paidAt = this.#windows.map(({ intervalMs, most }, i) => {
      const at: number = known.paidAt?.[i] ?? -Infinity;
      const before: number = known.intervals?.[i] ?? intervalMs;
      if (before === intervalMs || at <= nowMs) return at;
      return nowMs + Math.min((at - nowMs) / before, most) * intervalMs;
    });
    Object.assign(this, known, { climb, stretch, announced, paidAt, intervals });
  }

  /** At which sends are spaced: what was learnt, or what the headers state; Infinity where neither is known. */
  get #pacePerMs(): number {
    return Math.min(this.climb.ratePerMs, this.announced.ratePerMs);
  }

  #nextAt(weight: number): number {
    const { announced, inFlight } = this;
    const { lastSentAt } = this.stretch;
    if (this.phase === 'paused') return this.pausedUntil;
    if (this.phase === 'probing') return this.nextProbeAt;
    if (inFlight >= announced.concurrency) return lastSentAt + LOST_FOR_SURE_MS;
    if (this.#pacePerMs < Infinity || this.#windows.length > 0 || announced.hasStock) {
      return Math.max(this.#pacedAt(weight), announced.freeAt(this.#out, lastSentAt, weight));
    }
    if (inFlight < this.concurrency) return -Infinity;
    // The process that waits for those answers may have been killed.
    return lastSentAt + LOST_MS;
  }

  #nestedAt(weight: number): number {
    return this.phase === 'paused' ? this.pausedUntil : this.#pacedAt(weight);
  }

  /** By the rate and the windows, whatever is under way. */
  #pacedAt(weight: number): number {
    const windowsAt = this.#windows.map(
      ({ toleranceMs, intervalMs }, i) => Number(this.paidAt[i]) - toleranceMs + (weight - 1) * intervalMs,
    );
    return Math.max(this.#pacePerMs < Infinity ? this.dueAt : -Infinity, ...windowsAt);
  }

  /** Where nothing is known any more of what is left, it begins as it did, but with no more at once than were left. */
  #endStocks(now: number): void {
    const left = this.announced.endStocks(now);
    if (left !== undefined) this.concurrency = Math.min(this.#options.startConcurrency, Math.max(1, left));
  }

  /** Moves the due time on by one send (GCRA without a burst). Whether the limiter held it back, and not the caller who came late. */
  #isHeld(now: number, intervalMs: number): boolean {
    if (intervalMs === 0) return false;
    const held = now - this.dueAt <= SLACK_MS + intervalMs;
    this.dueAt = Math.max(this.dueAt, now - SLACK_MS) + intervalMs;
    return held;
  }

  /** False if its end was told before. */
  #end(send: AdaptiveSend): boolean {
    if (send.ended) return false;
    send.ended = true;
    this.inFlight = Math.max(0, this.inFlight - 1);
    this.outWeight = Math.max(0, this.outWeight - send.weight);
    return true;
  }

  /** How much is under way, in what is told to be left. */
  get #out(): number {
    return this.announced.ofWeights ? this.outWeight : this.inFlight;
  }

  /** So much more is paid to the user's windows than was; below 0, less. */
  #charge(weight: number): void {
    this.#windows.forEach(({ intervalMs }, i) => {
      this.paidAt[i] = Number(this.paidAt[i]) + weight * intervalMs;
    });
  }

  /** What their smallest window holds at most. */
  get #most(): number {
    return Math.min(...this.#windows.map(({ most }) => most));
  }

  #pauseUntil(at: number): void {
    this.phase = 'paused';
    // A refusal that arrives late names an earlier time than one that left after it.
    this.pausedUntil = Math.max(this.pausedUntil, at);
  }

  #refused(now: number, send: AdaptiveSend, namedAt: number, isUsedUp: boolean): void {
    if (this.phase === 'open' || send.isProbe) this.refusals += 1;
    // What left before the last pause says nothing about the stretch since; a probe belongs to no stretch.
    if (send.episode === this.episode && !send.isProbe) {
      this.stretch.uncount(send.at);
      // Nor does what left before a header lowered the rate.
      if (send.ratePerMs <= this.ratePerMs) this.stretch.hit(this.ratePerMs, isUsedUp);
    }
    const backoffMs = Math.min(LONGEST_MS, 2 ** Math.max(0, this.refusals - 1) * SECOND_MS);
    this.#pauseUntil(namedAt > now ? namedAt : now + backoffMs);
  }

  #welcomed(now: number, send: AdaptiveSend): void {
    if (this.ratePerMs === Infinity) this.concurrency += MORE_AT_ONCE;
    if (send.episode !== this.episode) return;
    if (send.isProbe) {
      if (this.phase === 'probing') this.#release(now, send.at);
    } else if (this.phase === 'open' && send.held && this.climb.ratePerMs < Infinity) {
      const capPerMs = Math.min(this.announced.ratePerMs, this.#givenPerMs, ABSURD_PER_MS);
      const { burst, windowMs } = this.stretch;
      if (this.climb.grow(now, send.ratePerMs, capPerMs, burst, windowMs)) this.stretch.grown(now);
    }
  }

  /** The probe was admitted. */
  #release(now: number, probeAt: number): void {
    const { announced, climb, stretch } = this;
    if (stretch.isHit) this.#dropBursts(now, now - stretch.lastSentAt);
    const isExplained = stretch.isUsedUp && announced.isTold;
    if (stretch.isHit && !isExplained) {
      stretch.conclude(probeAt, climb);
    } else {
      this.concurrency = this.#options.startConcurrency;
      climb.rested(now);
    }
    announced.refuteUsedUp(now);
    stretch.release(probeAt);
    this.phase = 'open';
    this.episode += 1;
    this.refusals = 0;
    this.dueAt = now + 1 / this.#pacePerMs;
  }

  /** Of the user's windows that are as short as a pause after a refusal. */
  #dropBursts(now: number, pauseMs: number): void {
    this.#windows.forEach((window, i) => {
      if (window.isAsShortAs(pauseMs)) this.paidAt[i] = Math.max(Number(this.paidAt[i]), now + window.toleranceMs);
    });
  }

  /** Goes on at the pace that the headers announce now. Gives until when nothing is left, if they say so. */
  #hear(now: number, send: AdaptiveSend, answer: Answer): number | undefined {
    const { announced, climb, stretch } = this;
    const before = announced.ratePerMs;
    if (answer.quota !== undefined) announced.ofWeights = answer.quota.ofWeights === true;
    const usedUpUntil = announced.hear(now, answer, send, this.#out);
    if (announced.ratePerMs > before) {
      // The last interval may have been that of a far lower cap.
      this.dueAt = Math.min(this.dueAt, stretch.lastSentAt + 1 / this.ratePerMs);
    }
    const hasVanished = announced.statedPerMs === Infinity && !announced.hasStock && before < Infinity;
    if (hasVanished && climb.ratePerMs === Infinity) {
      stretch.hitRate = before;
      climb.fromStated(before, stretch.sendingMs);
    }
    return usedUpUntil;
  }
}

/** Infinity is none: nothing would ever leave again. */
function isInstant(at: number | undefined): at is number {
  return Number.isFinite(at);
}

/**
 * Evenly spaced windows bound the pace at any time, and so does the shortest of all. What is left of a longer burst may leave as fast as
 * one likes: of 50 a second and 5,000 an hour (burst 5,000) the pace is 50 a second, and not that of the hour, one in 0.72 s.
 */
function givenBy(windows: readonly LimitWindow[]): number {
  const shortest = Math.min(...windows.map(({ perMs }) => perMs));
  const bounding = windows.filter((window) => burstOf(window) <= 1 || window.perMs <= shortest);
  return Math.min(...bounding.map(({ requests, perMs }) => requests / perMs));
}
