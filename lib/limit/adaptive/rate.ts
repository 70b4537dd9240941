/**
 * How fast a bucket may send to a server whose quota nobody stated: learnt from its refusals.
 *
 * Three facts decide the design.
 *
 * 1. Nothing is sent before a time that the server named, so every episode of refusals costs about one Retry-After. Hence
 *    few episodes, and much learnt from each.
 * 2. What was admitted between two episodes says more than the rate that was being sent: it is burst + quota · time at a
 *    bucket, and the quota itself at a window.
 * 3. A paced climb through the quota fills the server's burst before the first refusal comes. So the quota can be
 *    computed back from the rate at which the refusal came, the slope of the climb and the burst.
 *
 * The life of a bucket: some sends in flight and one more with each that is admitted, until the first refusal. A pause,
 * one probe, an exponential climb; the second refusal gives the quota within some 10 %. From then on it climbs slowly
 * from the estimate to a ceiling, and each refusal narrows the two. If more is admitted above the ceiling than a burst
 * explains, the quota has grown and the climb quickens; a refusal soon after a release cuts, since the quota has shrunk.
 *
 * Where headers tell what is left, none of this is needed: that is a stock, which may leave at once (`Stock`). Where they only
 * state a quota, it is the pace. Refusals are still learnt from if no header explains them.
 */

import type { Answer } from '../limiter.ts';
import type { Partition, Quota, QuotaPolicy } from '../quota/headers.ts';
import { Gcra, type LimitWindow } from '../windows/gcra.ts';
import { Stock, type StockMark, type Told } from './stock.ts';

export interface AdaptiveOptions {
  /**
   * How many sends may be out at once while nothing is known of the quota; one more with each that is admitted. An
   * integer from 1. Default 8.
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
  /** By how much it moved the due time on, in ms. */
  readonly intervalMs: number;
  /** What was known of what is left. */
  readonly stocks: readonly StockMark[];
  /** Its end was told. */
  ended: boolean;
}

const SECOND = 1_000;

/** An answer that is out for so long may never come, in ms. */
const LOST = 10 * SECOND;
/** The same where a server bounds what is under way: by then even a slow answer has come, and one too many is refused. */
const LOST_FOR_SURE = 60 * SECOND;
/** Of how many quotas at once what is left is remembered: whoever tells of more invents names. */
const MOST_STOCKS = 8;

/** The part below the estimate at which is sent; also the smallest climb. */
const MARGIN = 0.01;
/** The first climb doubles the rate in this part of a pause: a faster one overshoots more, a slower one wastes the time. */
const DOUBLING = 0.35;
/** No episode leaves less than this part of the rate: one unlucky refusal must not destroy what was learnt. */
const KEEP = 0.7;
/** A climb from estimate to ceiling takes at most so many pauses, so that learning costs about 2 % of the time. */
const PAUSES_PER_CLIMB = 50;
/** How often a stretch may be as long as the one before, and under-use as costly as the pause that it avoids. */
const PATIENCE = 2;
/** The part of the gap between the estimate and the refused rate that is tried again: the estimate may be low. */
const REACH = 0.25;
/** The climb quickens so many times above the ceiling, and again with each proof that the ceiling is gone. */
const PUSH = 4;
/** How many requests above the ceiling two bursts leave unexplained, by the jitter of the way alone. */
const JITTER = 3;
/** The smallest climb in requests per pause. Without it a client that shares the quota with greedier ones starves. */
const GIVE = 0.1;
/** The shortest difference between two stretches that is worth dividing by, in ms. */
const GAP = 300;
/** How late a timer of Node may be and still be caught up with, in ms. */
const SLACK = 10;
/** After a gap this long, and longer than the pace asks for, the burst is full again: measure afresh. In ms. */
const IDLE = SECOND;
/** How long one probe keeps the next from leaving, in ms; its answer may be lost. */
const PROBE_PATIENCE = SECOND;
/**
 * No pause and no window counts for more than this, in ms. A thousand a day, spread evenly, is one in 86 seconds: nobody
 * wants that of the first two calls.
 */
const LONGEST = 60 * SECOND;
/** Requests per ms that nobody sends: a header that claims more states no limit, and no climb goes further. */
const ABSURD_RATE = 1_000;

/**
 * The rate of one bucket. Pure arithmetic: it is told the time, and has no timers.
 *
 * `sent` may be called only when `nextAt` has come, and every send ends with `answered` or `lost`, in any order and
 * however late. `nextAt` may change with every event. All instants are on one clock, that of the process or that of Redis.
 */
export class AdaptiveRate {
  private readonly options: ResolvedAdaptive;
  /** The user's own windows: what they let leave, a burst and all, is the most that is sent. */
  private readonly windows: readonly Gcra[];
  /** The pace that they allow while the long ones have credit, requests per ms: above it nothing is to be learnt. */
  private readonly given: number;
  private readonly announced = new Announced();
  /** What is left of each quota that the server tells of. */
  private stocks: Stock[] = [];
  /** Answers that were no refusals told what is left: so a refusal with nothing left is explained. */
  private isTold = false;
  /** Whose quota it is, where a server divides it (`pk`), and until when. */
  private partition: Partition | undefined;
  private partitionUntil = -Infinity;

  private phase: 'open' | 'paused' | 'probing' = 'open';
  private pausedUntil = -Infinity;
  private nextProbeAt = -Infinity;
  /** Of the send after this, at the pace that was learnt or stated. */
  private dueAt = -Infinity;
  /** For each window of the user's: when everything that has left is paid for. */
  private paidAt: number[];
  private episode = 0;
  /** Refusals in a row, for servers that name no time. */
  private refusals = 0;
  private inFlight = 0;
  private concurrency: number;

  /** What was learnt, requests per ms; Infinity until the first refusal. */
  private rate = Infinity;
  /** The rate above which a refusal is expected. */
  private ceiling = Infinity;
  /** The relative growth of the rate per ms, while the limiter sets the pace. */
  private slope = 0;
  private steepest = Math.LN2 / (DOUBLING * SECOND);
  /** Enough is known to be careful: the first climb is over. */
  private learnt = false;

  /** The stretch: what is sent from a release to the next refusal. */
  private startedAt = -Infinity;
  private lastSentAt = -Infinity;
  private admitted = 0;
  private startRate = 0;
  /** It ended with a refusal, at `hitRate`. */
  private hit = false;
  private hitRate = Infinity;
  /** All its refusals said that nothing was left. */
  private hitUsedUp = true;

  /** What was admitted above the ceiling in excess of it, in requests; since when; the ceiling and the slope of then. */
  private excess = 0;
  private passedAt = 0;
  private passed = 0;
  private slopeBelow = 0;
  /** A ceiling that was proven to be gone. */
  private proven = 0;

  /** The server's burst, in requests. */
  private burst = 1;
  /** The server's window in ms, if that is what it counts by. */
  private windowMs = 0;
  private shortest: Stretch | undefined;

  /** @param windows the user's own. Default: none. */
  constructor(options: ResolvedAdaptive, windows: readonly LimitWindow[] = []) {
    this.options = options;
    this.windows = windows.map((window) => new Gcra(window));
    this.given = givenBy(windows);
    this.paidAt = windows.map(() => -Infinity);
    this.concurrency = options.startConcurrency;
  }

  /** What it sends at most in the mean at present, requests per ms, more than 0; Infinity while nothing bounds it but what is left. */
  get ratePerMs(): number {
    return Math.min(this.#pacePerMs, this.given);
  }

  /** Whether anything was learnt that would be lost by forgetting this object. */
  get hasLearnt(): boolean {
    return this.rate < Infinity || this.announced.isKnown || this.#hasStock || this.phase !== 'open';
  }

  /** The earliest instant at which the next send may leave. `nested`: it must not wait for the answer to another. */
  nextAt(nowMs: number, nested = false): number {
    this.#endStocks(nowMs);
    return Math.max(nowMs, nested ? this.#nestedAt() : this.#nextAt());
  }

  /** A send leaves now. `waited`: it would have left when it was due, had the timer been on time. */
  sent(nowMs: number, waited = false): AdaptiveSend {
    const now = nowMs;
    const isProbe = this.phase !== 'open';
    const { ratePerMs } = this;
    const intervalMs = isProbe ? 0 : 1 / this.#pacePerMs;
    const held = !isProbe && this.#paced(now, intervalMs);
    const stocks = this.stocks.map((stock) => stock.sent());
    this.windows.forEach((window, i) => {
      const from = waited ? now - window.lateMs : now;
      this.paidAt[i] = Math.max(Number(this.paidAt[i]), from) + window.intervalMs;
    });
    this.inFlight += 1;
    if (isProbe) {
      this.phase = 'probing';
      this.nextProbeAt = now + Math.min(Math.max(PROBE_PATIENCE, 1 / ratePerMs), LONGEST);
    } else {
      this.#count(now, held);
    }
    return { at: now, isProbe, episode: this.episode, held, ratePerMs, intervalMs, stocks, ended: false };
  }

  /** It was answered. */
  answered(nowMs: number, send: AdaptiveSend, { throttled, untilAt, quota }: Answer): void {
    if (!this.#end(send)) return;
    const now = nowMs;
    this.#endStocks(now);
    const usedUpUntil = this.#hear(now, send, quota, throttled);
    const namedAt = isInstant(untilAt) ? untilAt : undefined;

    const isUsedUp = quota?.remaining === 0 || this.#isResetAt(namedAt);
    if (throttled) this.#refused(now, send, namedAt ?? usedUpUntil ?? now, isUsedUp);
    // Only the limiter's own answers say that it admitted; a 503 with Retry-After may come from in front of it.
    else if (namedAt === undefined) this.#welcomed(now, send);
    if (namedAt !== undefined && namedAt > now) this.#pauseUntil(namedAt);
    else if (usedUpUntil !== undefined) this.#pauseUntil(usedUpUntil);
  }

  /** It ended without an answer: a lost connection, an abort. */
  lost(nowMs: number, send: AdaptiveSend): void {
    if (!this.#end(send)) return;
    for (const stock of this.stocks) stock.endedUntold();
    if (!send.isProbe || send.episode !== this.episode) return;
    this.nextProbeAt = Math.min(this.nextProbeAt, Math.max(nowMs, send.at + PROBE_PATIENCE));
  }

  /** It has not left after all: as if `sent` had never been called. */
  dropped(nowMs: number, send: AdaptiveSend): void {
    if (!this.#end(send)) return;
    for (const stock of this.stocks) stock.notSent();
    this.windows.forEach((window, i) => {
      this.paidAt[i] = Number(this.paidAt[i]) - window.intervalMs;
    });
    if (send.episode !== this.episode) return;
    if (send.isProbe) {
      // Another may be the probe, and at once.
      if (this.phase === 'probing') this.nextProbeAt = Math.min(this.nextProbeAt, nowMs);
      return;
    }
    if (send.at >= this.startedAt) this.admitted = Math.max(0, this.admitted - 1);
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

  /** Nothing leaves before this instant. */
  get pausedUntilMs(): number {
    return this.pausedUntil;
  }

  /** All that is known, as text, for somebody else to go on from. */
  save(): string {
    const { options: _options, windows: _windows, given: _given, ...known } = this;
    return JSON.stringify(known, (_name, value) =>
      typeof value === 'number' && Math.abs(value) === Infinity ? `${value}` : value,
    );
  }

  /** Goes on from what another has saved; all that was known here is forgotten. */
  restore(saved: string): void {
    const known = JSON.parse(saved, (_name, value) => (/^-?Infinity$/.test(value) ? Number(value) : value));
    const announced = Object.assign(this.announced, known.announced);
    const stocks = (known.stocks ?? []).map((stock: Stock) => Object.assign(new Stock(stock.id), stock));
    const paidAt = this.paidAt.map((_, i) => known.paidAt?.[i] ?? -Infinity);
    Object.assign(this, { shortest: undefined, partition: undefined, ...known, announced, stocks, paidAt });
  }

  /** At which sends are spaced: what was learnt, or what the headers state; Infinity where neither is known. */
  get #pacePerMs(): number {
    return Math.min(this.rate, this.#announcedPerMs);
  }

  /** What is told to be left says more than the quota that it is left of. */
  get #announcedPerMs(): number {
    return this.#hasStock ? this.announced.untoldPerMs : this.announced.ratePerMs;
  }

  get #hasStock(): boolean {
    return this.stocks.some(({ isKnown }) => isKnown);
  }

  #nextAt(): number {
    if (this.phase === 'paused') return this.pausedUntil;
    if (this.phase === 'probing') return this.nextProbeAt;
    if (this.inFlight >= this.announced.concurrency) return this.lastSentAt + LOST_FOR_SURE;
    if (this.#pacePerMs < Infinity || this.windows.length > 0 || this.#hasStock) {
      const leftAt = this.stocks.map((stock) => stock.freeAt(this.inFlight, this.lastSentAt));
      return Math.max(this.#pacedAt, ...leftAt);
    }
    if (this.inFlight < this.concurrency) return -Infinity;
    // The process that waits for those answers may have been killed.
    return this.lastSentAt + LOST;
  }

  #nestedAt(): number {
    return this.phase === 'paused' ? this.pausedUntil : this.#pacedAt;
  }

  /** By the rate and the windows, whatever is under way. */
  get #pacedAt(): number {
    const windowsAt = this.windows.map((window, i) => Number(this.paidAt[i]) - window.toleranceMs);
    return Math.max(this.#pacePerMs < Infinity ? this.dueAt : -Infinity, ...windowsAt);
  }

  /**
   * What was left is no news any more once its reset has come. Then it begins as it did when nothing was known, but with no more at
   * once than were left: where the reset was told too early, that is what is left still.
   */
  #endStocks(now: number): void {
    if (!this.#hasStock) return;
    for (const stock of this.stocks) {
      if (!stock.isKnown || now < stock.resetAt) continue;
      stock.forget(now);
      if (!this.#hasStock) this.concurrency = Math.min(this.options.startConcurrency, Math.max(1, stock.remaining));
    }
  }

  /** Moves the due time on by one send (GCRA without a burst). Whether it was due, and not the caller who came late. */
  #paced(now: number, intervalMs: number): boolean {
    if (intervalMs === 0) return false;
    const held = now - this.dueAt <= SLACK + intervalMs;
    this.dueAt = Math.max(this.dueAt, now - SLACK) + intervalMs;
    return held;
  }

  #count(now: number, held: boolean): void {
    if (!held && now - this.lastSentAt > IDLE + 1 / this.ratePerMs) {
      this.startedAt = now;
      this.admitted = 0;
    }
    this.lastSentAt = now;
    this.admitted += 1;
  }

  /** False if its end was told before. */
  #end(send: AdaptiveSend): boolean {
    if (send.ended) return false;
    send.ended = true;
    this.inFlight = Math.max(0, this.inFlight - 1);
    return true;
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
      if (send.at >= this.startedAt) this.admitted -= 1;
      // Nor does what left before a header lowered the rate.
      if (send.ratePerMs <= this.ratePerMs) {
        if (!this.hit) this.hitRate = this.ratePerMs;
        this.hit = true;
        this.hitUsedUp &&= isUsedUp;
      }
    }
    const backoffMs = Math.min(LONGEST, 2 ** Math.max(0, this.refusals - 1) * SECOND);
    this.#pauseUntil(namedAt > now ? namedAt : now + backoffMs);
  }

  #welcomed(now: number, send: AdaptiveSend): void {
    if (this.ratePerMs === Infinity) this.concurrency += 1;
    if (send.episode !== this.episode) return;
    if (send.isProbe) {
      if (this.phase === 'probing') this.#release(now, send.at);
    } else if (this.phase === 'open' && send.held && this.rate < Infinity) {
      this.#grow(now, send.ratePerMs);
    }
  }

  /** The probe was admitted. */
  #release(now: number, probeAt: number): void {
    const isExplained = this.hitUsedUp && this.isTold;
    if (this.hit) this.#spendBursts(now, now - this.lastSentAt);
    if (this.hit && !isExplained) this.#learn(probeAt);
    else this.#forgetStretch(now);
    // It was admitted though nothing should have been left.
    for (const stock of this.stocks) if (stock.isUsedUp) stock.forget(now);
    this.phase = 'open';
    this.episode += 1;
    this.refusals = 0;
    this.hit = false;
    this.hitUsedUp = true;
    this.startedAt = this.lastSentAt = probeAt;
    this.admitted = 1;
    this.dueAt = now + 1 / this.#pacePerMs;
  }

  /** Gives up the bursts of the user's windows that are as short as a pause after a refusal. */
  #spendBursts(now: number, pauseMs: number): void {
    this.windows.forEach((window, i) => {
      if (window.isAsShortAs(pauseMs)) this.paidAt[i] = Math.max(Number(this.paidAt[i]), now + window.toleranceMs);
    });
  }

  /** After a pause that was no refusal: the burst has filled again meanwhile, so that what was counted explains nothing. */
  #forgetStretch(now: number): void {
    this.concurrency = this.options.startConcurrency;
    this.startRate = this.rate;
    this.excess = 0;
    this.passedAt = now;
  }

  /** A send was admitted that the limiter had held back: dr/dt = slope · r. */
  #grow(now: number, sentPerMs: number): void {
    const cap = Math.min(this.#announcedPerMs, this.given, ABSURD_RATE);
    if (this.rate < cap) this.rate = Math.min(this.rate * (1 + Math.min(1, this.slope / this.rate)), cap);
    if (sentPerMs <= this.ceiling) return;

    if (this.passed === 0) {
      this.passed = this.ceiling;
      this.passedAt = now;
      this.slopeBelow = this.slope;
      this.#quicken();
    }
    this.excess += 1 - this.ceiling / sentPerMs;
    if (this.excess > 2 * this.burst + JITTER && now - this.passedAt >= this.windowMs) this.#dropCeiling(now);
  }

  #quicken(): void {
    this.slope = Math.min(PUSH * this.slope, this.steepest);
  }

  /** More was admitted above it than any burst explains: the quota has grown. */
  #dropCeiling(now: number): void {
    this.proven = this.ceiling;
    this.#quicken();
    this.ceiling = this.slope < this.steepest ? this.rate : Infinity;
    this.excess = this.passed = 0;
    this.startRate = this.rate;
    this.startedAt = now;
    this.admitted = 0;
  }

  /** Draws the conclusion from the stretch and the pause that have just ended with an admitted probe. */
  #learn(probeAt: number): void {
    const sendingMs = Math.max(0, this.lastSentAt - this.startedAt);
    const pausedMs = Math.min(Math.max(1, probeAt - this.startedAt - sendingMs), LONGEST);
    const stretch = { admitted: Math.max(1, this.admitted), sendingMs, wholeMs: sendingMs + pausedMs };
    const shortest = this.shortest;
    const isLonger = shortest !== undefined && sendingMs - shortest.sendingMs >= GAP;
    if (isLonger && sameCount(stretch, shortest)) this.windowMs = Math.min(stretch.wholeMs, shortest.wholeMs);

    const measured = this.#measure(stretch, pausedMs);
    const floor = Math.max(this.proven, this.learnt ? KEEP * this.startRate : 0);
    const estimate = Math.min(this.hitRate, Math.max(measured, floor));
    this.proven = this.excess = this.passed = 0;

    if (!shortest || sendingMs <= shortest.sendingMs || stretch.admitted <= shortest.admitted) this.shortest = stretch;
    if (isLonger || this.windowMs > 0) this.learnt = true;
    this.#climbFrom(estimate, sendingMs, pausedMs);
  }

  /** The quota in requests per ms, as the stretch shows it. */
  #measure(stretch: Stretch, pausedMs: number): number {
    const { admitted, sendingMs, wholeMs } = stretch;
    if (this.windowMs > 0) {
      this.burst = 1;
      return admitted / Math.max(sendingMs, this.windowMs);
    }
    const shortest = this.shortest;
    if (shortest === undefined) return admitted / wholeMs;
    // Two points of the line burst + quota · time: their difference is free of the burst.
    const more = sendingMs - shortest.sendingMs;
    const slope = more >= GAP ? (admitted - shortest.admitted) / more : 0;
    const atLeast = Math.max(admitted / wholeMs, slope);
    this.burst = Math.max(1, Math.min(shortest.admitted - atLeast * shortest.sendingMs, atLeast * pausedMs));
    const passedThrough = this.hitRate < Infinity ? this.#rateOfOvershoot() : 0;
    return passedThrough >= this.startRate ? Math.max(atLeast, passedThrough) : atLeast;
  }

  /** The quota through which the climb must have passed to fill the burst just where the refusal came. By bisection. */
  #rateOfOvershoot(): number {
    let low = this.hitRate / 10;
    let high = this.hitRate;
    for (let i = 0; i < 40; i++) {
      const middle = (low + high) / 2;
      if (this.#filled(middle) > this.burst) low = middle;
      else high = middle;
    }
    return low;
  }

  /** How much of a burst is filled by a climb to `#hitRate` if the quota is `quota`: the climb from there on, less the quota. */
  #filled(quota: number): number {
    const over = (rate: number) => rate - quota - quota * Math.log(rate / quota);
    if (this.passed <= quota) return over(this.hitRate) / this.slope;
    return (over(this.hitRate) - over(this.passed)) / this.slope + over(this.passed) / this.slopeBelow;
  }

  #climbFrom(estimate: number, sendingMs: number, pausedMs: number): void {
    const rate = (1 - MARGIN) * estimate;
    this.rate = this.startRate = rate;
    // Scaled by the pause, since that is what a climb that fails costs.
    this.steepest = Math.LN2 / (DOUBLING * Math.max(SECOND, pausedMs));
    if (!this.learnt) {
      this.ceiling = Infinity;
      this.slope = this.steepest;
      return;
    }
    const reach = (estimate + REACH * (this.hitRate - estimate)) / rate - 1;
    const climb = Math.max(reach, MARGIN, GIVE / (rate * pausedMs));
    const climbMs = Math.min(
      Math.max((PATIENCE * pausedMs) / climb, PATIENCE * sendingMs),
      PAUSES_PER_CLIMB * pausedMs,
    );
    this.ceiling = rate * (1 + climb);
    this.slope = Math.min(this.steepest, climb / climbMs);
  }

  /**
   * What the headers say. Gives until when nothing is left, if they say so.
   *
   * A server may divide a quota, by the customer for example, and name the part (`pk`). The part that was first heard is ours, and
   * what is told of another one is ignored until ours has been refilled: a used up quota of somebody else must not stop this
   * bucket, and one that nobody has drawn on must not let it go.
   */
  #hear(now: number, send: AdaptiveSend, quota: Quota | undefined, throttled: boolean): number | undefined {
    if (!this.options.headers) return undefined;
    if (this.#isOfAnother(now, quota?.partition)) {
      for (const stock of this.stocks) stock.notSent();
      return undefined;
    }
    const before = this.#announcedPerMs;
    const told = toldIn(quota);
    for (const each of told) this.#stockOf(each.id)?.hear(now, each, send.at, markOf(send, each.id), this.inFlight);
    for (const stock of this.stocks) if (!told.some(({ id }) => id === stock.id)) stock.endedUntold();
    this.announced.hear(now, quota, told);
    if (!throttled && told.length > 0) this.isTold = true;

    const isUsedUp = ({ id, isUsedUp: is }: Stock) => is && told.some((each) => each.id === id && each.remaining === 0);
    const usedUp = this.stocks.filter(isUsedUp).map(({ resetAt }) => resetAt);
    if (quota?.partition !== undefined) {
      this.partition = quota.partition;
      this.partitionUntil = now + Math.max(this.announced.validMs, ...told.map(({ resetMs }) => resetMs));
    }
    this.#adopt(before);
    return usedUp.length > 0 ? Math.max(...usedUp) : undefined;
  }

  #isOfAnother(now: number, partition: Partition | undefined): boolean {
    if (partition === undefined || this.partition === undefined || now >= this.partitionUntil) return false;
    return partition.policy === this.partition.policy && partition.key !== this.partition.key;
  }

  /** Whether a pause lasts until what is left is reset, so that somebody else has used that up. */
  #isResetAt(at = -Infinity): boolean {
    return this.stocks.some(({ isKnown, resetAt }) => isKnown && at >= resetAt - SECOND);
  }

  #stockOf(id: string): Stock | undefined {
    const known = this.stocks.find((stock) => stock.id === id);
    if (known !== undefined) return known;
    if (this.stocks.length >= MOST_STOCKS) this.stocks = this.stocks.filter(({ isKnown }) => isKnown);
    if (this.stocks.length >= MOST_STOCKS) return undefined;
    const made = new Stock(id);
    this.stocks.push(made);
    return made;
  }

  /** Goes on at the pace that is announced now. */
  #adopt(beforePerMs: number): void {
    if (this.#announcedPerMs > beforePerMs) {
      // The last interval may have been that of a far lower cap.
      this.dueAt = Math.min(this.dueAt, this.lastSentAt + 1 / this.ratePerMs);
    }
    if (this.announced.ratePerMs === Infinity && !this.#hasStock && beforePerMs < Infinity && this.rate === Infinity) {
      // The headers have vanished. What they stated was good until now, and is where the climb begins.
      this.learnt = true;
      this.hitRate = beforePerMs;
      this.#climbFrom(beforePerMs, Math.max(0, this.lastSentAt - this.startedAt), SECOND);
    }
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
  const bounding = windows.filter(({ perMs, burst = 1 }) => burst <= 1 || perMs <= shortest);
  return Math.min(...bounding.map(({ requests, perMs }) => requests / perMs));
}

/** What was admitted while sending, and until the pause after it had ended. */
interface Stretch {
  readonly admitted: number;
  readonly sendingMs: number;
  readonly wholeMs: number;
}

/** The same count in a far longer time: the server counts by a window, not by a bucket. */
function sameCount(stretch: Stretch, shorter: Stretch): boolean {
  return (
    stretch.sendingMs > 3 * shorter.sendingMs &&
    stretch.admitted > 20 &&
    Math.abs(stretch.admitted - shorter.admitted) <= 0.1 * shorter.admitted
  );
}

/** What a server tells to be left, quota by quota; less is told of those that are not believed. */
function toldIn(quota: Quota | undefined): readonly Told[] {
  const { limit, remaining, resetMs } = quota ?? {};
  const counters = quota?.counters ?? [{ name: undefined, limit, remaining, resetMs }];
  return counters.flatMap(({ name = '', limit: of, remaining: left, resetMs: inMs }) => {
    // What is reset now tells nothing of the time to come.
    const isStock = isCount(left) && isCount(inMs) && inMs > 0 && left / inMs < ABSURD_RATE;
    return isStock ? [{ id: name, limit: of, remaining: Math.floor(left), resetMs: inMs }] : [];
  });
}

function isCount(value: number | undefined): value is number {
  return Number.isFinite(value) && Number(value) >= 0;
}

function markOf({ stocks }: AdaptiveSend, id: string): StockMark | undefined {
  return stocks.find((mark) => mark.id === id);
}

/** What RateLimit headers announce as a rule, whatever is left of it. */
class Announced {
  /** The lowest rate that is stated, requests per ms; Infinity without a header. */
  ratePerMs = Infinity;
  /** The same over those quotas of which it is not told what is left. */
  untoldPerMs = Infinity;
  /** How many sends may be under way at once. */
  concurrency = Infinity;
  validMs = 0;
  private heardAt = 0;
  private boundedAt = 0;

  get isKnown(): boolean {
    return this.ratePerMs < Infinity || this.concurrency < Infinity;
  }

  hear(now: number, quota: Quota | undefined, told: readonly Told[]): void {
    const policies = quota?.policies ?? [];
    if (quota?.concurrency !== undefined) {
      this.concurrency = Math.max(1, quota.concurrency);
      this.boundedAt = now;
    } else if (policies.length > 0 || now - this.boundedAt > LONGEST) {
      this.concurrency = Infinity;
    }

    const smallest = smallestOf(policies);
    if (smallest.ratePerMs < Infinity) {
      this.ratePerMs = smallest.ratePerMs;
      this.untoldPerMs = smallestOf(policies.filter((policy) => !isToldOf(policy, policies, told))).ratePerMs;
      this.heardAt = now;
      this.validMs = smallest.windowMs;
    } else if (now - this.heardAt > 2 * this.validMs) {
      this.ratePerMs = this.untoldPerMs = Infinity;
      this.validMs = 0;
    }
  }
}

/** Whether it is told what is left of a quota: by its name, by its size, or because there is no other. */
function isToldOf({ name, quota }: QuotaPolicy, policies: readonly QuotaPolicy[], told: readonly Told[]): boolean {
  if (policies.length === 1) return told.length > 0;
  return told.some(({ id, limit }) => (id !== '' && id === name) || limit === quota);
}

interface StatedRate {
  readonly ratePerMs: number;
  readonly windowMs: number;
}

const NOTHING_STATED: StatedRate = { ratePerMs: Infinity, windowMs: 0 };

function smallestOf(policies: readonly QuotaPolicy[]): StatedRate {
  return policies.map(statedRate).reduce((a, b) => (b.ratePerMs < a.ratePerMs ? b : a), NOTHING_STATED);
}

/** A quota of 0 is not believed: a server that wants nothing sends a 429. What is more than 0 is at least one request. */
function statedRate({ quota, windowMs = 0 }: QuotaPolicy): StatedRate {
  if (!(quota > 0 && windowMs > 0)) return NOTHING_STATED;
  const pacedMs = Math.min(windowMs, LONGEST);
  const ratePerMs = ((1 - MARGIN) * Math.max(1, quota)) / pacedMs;
  return ratePerMs < ABSURD_RATE ? { ratePerMs, windowMs: pacedMs } : NOTHING_STATED;
}
