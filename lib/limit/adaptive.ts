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
 */
import type { Answer } from './limiter.ts';
import type { Quota, QuotaPolicy } from './quota-headers.ts';

export interface AdaptiveOptions {
  /**
   * How many sends may be out at once while nothing is known of the quota; one more with each that is admitted. An
   * integer from 1. Default 8.
   */
  readonly startConcurrency?: number | undefined;
  /** Whether what RateLimit headers announce caps the rate. Default true. */
  readonly headers?: boolean | undefined;
}

export const ADAPTIVE_DEFAULTS = { startConcurrency: 8, headers: true } as const;

export interface ResolvedAdaptive {
  readonly startConcurrency: number;
  readonly headers: boolean;
}

/** What the rate has to remember of one send. Nobody else's business. */
export interface AdaptiveSend {
  /** When it left, on the rate's own time. */
  readonly at: number;
  /** It left alone after a pause, to see whether the server admits again. */
  readonly isProbe: boolean;
  /** The number of the episode in which it left; the end of a pause begins a new one. */
  readonly episode: number;
  /** The limiter set the pace, not the caller: only then does its admission say that the rate is not too high. */
  readonly held: boolean;
  /** The rate at which it left, requests per ms. */
  readonly ratePerMs: number;
  /** Its end was told. */
  ended: boolean;
}

const SECOND = 1_000;

/** An answer that is out for so long may never come, in ms. */
const LOST = 10 * SECOND;

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
 * however late. `nextAt` may change with every event. All instants are ms since the epoch.
 */
export class AdaptiveRate {
  private readonly options: ResolvedAdaptive;
  /** What the user's own numbers allow, requests per ms. */
  private readonly given: number;
  private readonly announced = new Announced();

  /** What is kept as instants is kept on a time of its own, which no correction of the clock moves. */
  private skewMs = 0;
  private phase: 'open' | 'paused' | 'probing' = 'open';
  private pausedUntil = -Infinity;
  private nextProbeAt = -Infinity;
  /** Of the send after this, while open. */
  private dueAt = -Infinity;
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

  /**
   * @param capPerMs what the user's own numbers allow, requests per ms: the smallest over all windows. Default Infinity.
   */
  constructor(options: ResolvedAdaptive, capPerMs = Infinity) {
    this.options = options;
    this.given = capPerMs > 0 ? capPerMs : Infinity;
    this.concurrency = options.startConcurrency;
  }

  /** What it sends at most at present, requests per ms, more than 0; Infinity while nothing is known. */
  get ratePerMs(): number {
    return Math.min(this.rate, this.#capPerMs);
  }

  /** Whether anything was learnt that would be lost by forgetting this object. */
  get hasLearnt(): boolean {
    return this.rate < Infinity || this.announced.ratePerMs < Infinity || this.phase !== 'open';
  }

  /** The earliest instant at which the next send may leave. */
  nextAt(nowMs: number): number {
    return Math.max(nowMs, this.#nextAt() + this.skewMs);
  }

  /** A send leaves now. */
  sent(nowMs: number): AdaptiveSend {
    const now = nowMs - this.skewMs;
    const isProbe = this.phase !== 'open';
    const ratePerMs = this.ratePerMs;
    const held = !isProbe && this.#paced(now);
    this.inFlight += 1;
    if (isProbe) {
      this.phase = 'probing';
      this.nextProbeAt = now + Math.min(Math.max(PROBE_PATIENCE, 1 / ratePerMs), LONGEST);
    } else {
      this.#count(now, held);
    }
    return { at: now, isProbe, episode: this.episode, held, ratePerMs, ended: false };
  }

  /** It was answered. */
  answered(nowMs: number, send: AdaptiveSend, { throttled, untilAt, quota }: Answer): void {
    if (!this.#end(send)) return;
    const now = nowMs - this.skewMs;
    if (this.options.headers) this.#hear(now, quota);
    const usedUpMs = this.options.headers && quota?.remaining === 0 ? quota.resetMs : undefined;
    const namedAt = isInstant(untilAt) ? untilAt - this.skewMs : now + (usedUpMs ?? 0);

    if (throttled) this.#refused(now, send, namedAt, usedUpMs !== undefined && this.#followsRemaining);
    // Only the limiter's own answers say that it admitted; a 503 with Retry-After may come from in front of it.
    else if (!isInstant(untilAt)) this.#welcomed(now, send);
    if (namedAt > now) this.#pauseUntil(namedAt);
  }

  /** It ended without an answer: a lost connection, an abort. */
  lost(nowMs: number, send: AdaptiveSend): void {
    if (!this.#end(send) || !send.isProbe || send.episode !== this.episode) return;
    this.nextProbeAt = Math.min(this.nextProbeAt, Math.max(nowMs - this.skewMs, send.at + PROBE_PATIENCE));
  }

  /** It has not left after all: as if `sent` had never been called. */
  dropped(nowMs: number, send: AdaptiveSend): void {
    if (!this.#end(send) || send.episode !== this.episode) return;
    if (send.isProbe) {
      // Another may be the probe, and at once.
      if (this.phase === 'probing') this.nextProbeAt = Math.min(this.nextProbeAt, nowMs - this.skewMs);
      return;
    }
    if (send.at >= this.startedAt) this.admitted = Math.max(0, this.admitted - 1);
    if (send.ratePerMs < Infinity) this.dueAt -= 1 / send.ratePerMs;
  }

  /** Nothing may leave before that instant. The release is paced as after a refusal, but nothing is learnt from it. */
  pause(nowMs: number, untilAt: number): void {
    if (isInstant(untilAt) && untilAt > nowMs) this.#pauseUntil(untilAt - this.skewMs);
  }

  /** The clock was set back (less than 0) or on by so many ms: every instant that is kept moves along. */
  shift(byMs: number): void {
    this.skewMs += byMs;
  }

  /** Nothing leaves before this instant. */
  get pausedUntilMs(): number {
    return this.pausedUntil + this.skewMs;
  }

  /** All that is known, as text, for somebody else to go on from. */
  save(): string {
    const { options: _options, given: _given, ...known } = this;
    return JSON.stringify(known, (_name, value) => (Math.abs(value) === Infinity ? `${value}` : value));
  }

  /** Goes on from what another has saved; all that was known here is forgotten. */
  restore(saved: string): void {
    const known = JSON.parse(saved, (_name, value) => (/^-?Infinity$/.test(value) ? Number(value) : value));
    const announced = Object.assign(this.announced, known.announced);
    Object.assign(this, { shortest: undefined, ...known, announced });
  }

  get #capPerMs(): number {
    return Math.min(this.given, this.announced.ratePerMs);
  }

  /** The pace is what remains until the reset. Then a quota that is used up explains a refusal; there is nothing to learn. */
  get #followsRemaining(): boolean {
    const { ratePerMs, isStated } = this.announced;
    return !isStated && ratePerMs < Infinity && ratePerMs <= this.rate;
  }

  #nextAt(): number {
    if (this.phase === 'paused') return this.pausedUntil;
    if (this.phase === 'probing') return this.nextProbeAt;
    if (this.ratePerMs < Infinity) return this.dueAt;
    if (this.inFlight < this.concurrency) return -Infinity;
    // The process that waits for those answers may have been killed.
    return this.lastSentAt + LOST;
  }

  /** Moves the due time on by one send (GCRA without a burst). Whether it was due, and not the caller who came late. */
  #paced(now: number): boolean {
    const intervalMs = 1 / this.ratePerMs;
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

  #refused(now: number, send: AdaptiveSend, namedAt: number, isExplained: boolean): void {
    if (this.phase === 'open' || send.isProbe) this.refusals += 1;
    // What left before the last pause says nothing about the stretch since; a probe belongs to no stretch.
    if (send.episode === this.episode && !send.isProbe) {
      if (send.at >= this.startedAt) this.admitted -= 1;
      // Nor does what left before a header lowered the rate.
      if (!this.hit && !isExplained && send.ratePerMs <= this.ratePerMs) {
        this.hit = true;
        this.hitRate = this.ratePerMs;
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
    if (this.hit) this.#learn(probeAt);
    else this.#forgetStretch(now);
    this.phase = 'open';
    this.episode += 1;
    this.refusals = 0;
    this.hit = false;
    this.startedAt = this.lastSentAt = probeAt;
    this.admitted = 1;
    this.dueAt = now + 1 / this.ratePerMs;
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
    const cap = Math.min(this.#capPerMs, ABSURD_RATE);
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

  #hear(now: number, quota: Quota | undefined): void {
    const before = this.announced.ratePerMs;
    const wasStated = this.announced.isStated;
    this.announced.hear(now, quota);
    if (this.announced.ratePerMs > before) {
      // The last interval may have been that of a far lower cap.
      this.dueAt = Math.min(this.dueAt, this.lastSentAt + 1 / this.ratePerMs);
    }
    if (this.announced.ratePerMs === Infinity && wasStated && this.rate === Infinity) {
      // The headers have vanished. What they stated was good until now, and is where the climb begins.
      this.learnt = true;
      this.hitRate = before;
      this.#climbFrom(before, Math.max(0, this.lastSentAt - this.startedAt), SECOND);
    }
  }
}

/** Infinity is none: nothing would ever leave again. */
function isInstant(at: number | undefined): at is number {
  return Number.isFinite(at);
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

/** The cap that RateLimit headers announce. */
class Announced {
  /** Requests per ms; Infinity without a header. */
  ratePerMs = Infinity;
  /** It was stated as a quota and its window, not guessed from what remains. */
  isStated = false;
  private heardAt = 0;
  private validMs = 0;

  hear(now: number, quota: Quota | undefined): void {
    const stated = (quota?.policies ?? []).map(statedRate);
    const smallest = stated.reduce((a, b) => (b.ratePerMs < a.ratePerMs ? b : a), NOTHING_STATED);
    if (smallest.ratePerMs < ABSURD_RATE) this.#set(now, smallest, true);
    else if (!this.isStated && quota?.remaining !== undefined && quota.resetMs !== undefined) this.#guess(now, quota);
    else if (now - this.heardAt > 2 * this.validMs) this.#set(now, NOTHING_STATED, false);
  }

  /** From what remains. */
  #guess(now: number, { remaining = 0, resetMs = 0 }: Quota): void {
    this.heardAt = now;
    // Most servers tell whole seconds, and then the last one is no number to divide by.
    if (resetMs <= SECOND) return;
    const windowMs = Math.min(resetMs, LONGEST);
    const ratePerMs = Math.max(1, remaining) / windowMs;
    if (ratePerMs < ABSURD_RATE) this.#set(now, { ratePerMs, windowMs }, false);
  }

  #set(now: number, { ratePerMs, windowMs }: StatedRate, isStated: boolean): void {
    this.ratePerMs = ratePerMs;
    this.isStated = isStated;
    this.heardAt = now;
    this.validMs = windowMs;
  }
}

interface StatedRate {
  readonly ratePerMs: number;
  readonly windowMs: number;
}

const NOTHING_STATED: StatedRate = { ratePerMs: Infinity, windowMs: 0 };

/** A quota of 0 is not believed: a server that wants nothing sends a 429. What is more than 0 is at least one request. */
function statedRate({ quota, windowMs = 0 }: QuotaPolicy): StatedRate {
  if (!(quota > 0 && windowMs > 0)) return NOTHING_STATED;
  const pacedMs = Math.min(windowMs, LONGEST);
  return { ratePerMs: ((1 - MARGIN) * Math.max(1, quota)) / pacedMs, windowMs: pacedMs };
}
