import { AdaptiveRate, type AdaptiveSend, type ResolvedAdaptive } from '../adaptive/rate.ts';
import type { Answer } from '../limiter.ts';
import type { LimitWindow } from '../windows/gcra.ts';
import type { Book, Entry, Granted, Slot, Turn } from './redis-pacer.ts';
import type { StoredBucket } from './shared-store.ts';

/** How soon to look again where it depends on the answer to somebody else's send, in ms. */
const LOOK_MS = 60;
/** How often a turn is tried again that somebody else's came before. */
const TRIES = 20;
/** How long what was learnt outlives its last use, in ms. */
const KEEP_MS = 600_000;

/** Keeps what was learnt, if it goes on from what is kept; gives what is kept where it does not. And the time. */
const KEEP = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local askedAt, holds = tonumber(ARGV[1]), tonumber(ARGV[2])
  local known, state, member, beat, keep = ARGV[3], ARGV[4], ARGV[5], tonumber(ARGV[6]), ARGV[7]
  if beat > 0 then
    redis.call('ZADD', KEYS[2], now + beat, member)
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
    redis.call('PEXPIRE', KEYS[2], math.ceil(beat))
  end
  local kept = redis.call('HMGET', KEYS[1], 'version', 'learnt:2')
  local version, learnt = kept[1] or '0', kept[2] or ''
  local isNext = version == known and (askedAt == 0 or now - askedAt <= holds)
  if isNext then
    version, learnt = tostring(tonumber(version) + 1), ''
    redis.call('HSET', KEYS[1], 'version', version, 'learnt:2', state)
    redis.call('PEXPIRE', KEYS[1], keep)
  end
  local members = redis.call('ZCARD', KEYS[2])
  return { string.format('%.3f', now), isNext and 'kept' or 'behind', version, learnt, tostring(members) }
`;

type Event = (rate: AdaptiveRate, skewMs: number) => void;

/**
 * What a fleet has learnt of a quota, kept in Redis as the text of an `AdaptiveRate` on the clock of Redis.
 *
 * A turn goes on from the last known text: it tells what happened in this process, takes slots, and hands the new text in. If
 * somebody else was first, it gets theirs and does the same again on that.
 */
export class LearningBook implements Book<AdaptiveSend | undefined> {
  readonly #bucket: StoredBucket;
  readonly #make: () => AdaptiveRate;
  #version = '0';
  #learnt = '';
  /** What happened since the last turn, in order. */
  readonly #events: Event[];
  /** One turn at a time, since each goes on from the one before. */
  #last: Promise<unknown>;
  /** What it sends at most at present, requests per ms. */
  #ratePerMs = Number.POSITIVE_INFINITY;

  /** @param before by whose numbers it went until now: the sends that left by those tell of themselves here */
  constructor(
    bucket: StoredBucket,
    adaptive: ResolvedAdaptive,
    windows: readonly LimitWindow[],
    before?: LearningBook,
  ) {
    this.#bucket = bucket;
    this.#events = before === undefined ? [] : before.#events;
    this.#last = before === undefined ? Promise.resolve() : before.#last;
    this.#make = () => new AdaptiveRate(adaptive, windows);
  }

  /** What was learnt, as a window. */
  learnt(): readonly LimitWindow[] {
    return this.#ratePerMs < Number.POSITIVE_INFINITY ? [{ requests: this.#ratePerMs * 1_000, perMs: 1_000 }] : [];
  }

  answered(nowMs: number, { handle: send }: Granted<AdaptiveSend | undefined>, answer: Answer): boolean {
    if (send === undefined) return false;
    this.#events.push((rate, skewMs) => {
      const untilAt = answer.untilAt === undefined ? undefined : answer.untilAt + skewMs;
      rate.answered(nowMs + skewMs, { ...send }, { ...answer, untilAt });
    });
    return this.#isWaitedFor(send);
  }

  lost(nowMs: number, send: AdaptiveSend | undefined): boolean {
    if (send === undefined) return false;
    this.#events.push((rate, skewMs) => rate.lost(nowMs + skewMs, { ...send }));
    return this.#isWaitedFor(send);
  }

  dropped(nowMs: number, { handle: send }: Granted<AdaptiveSend | undefined>): void {
    if (send !== undefined) this.#events.push((rate, skewMs) => rate.dropped(nowMs + skewMs, { ...send }));
  }

  turn(turn: Turn): Promise<Entry<AdaptiveSend | undefined>> {
    const next = this.#last.then(() => this.#turn(turn));
    this.#last = next.catch(() => {});
    return next;
  }

  /** At the beginning, when only so many may be out, and after a pause. What makes the rate grow a little can wait. */
  #isWaitedFor({ isProbe, ratePerMs }: AdaptiveSend): boolean {
    return isProbe || ratePerMs === Number.POSITIVE_INFINITY;
  }

  async #turn({ want, weight, horizonMs, pauseMs, resume }: Turn): Promise<Entry<AdaptiveSend | undefined>> {
    const bucket = this.#bucket;
    // Whose clock is how far off, to begin with.
    if (bucket.skewMs === undefined) await this.#keep('none', '');
    const told = this.#events.length;
    const events = this.#events.slice(0, told);
    for (let tried = 0; tried < TRIES; tried++) {
      const skewMs = Number(bucket.skewMs);
      const now = bucket.now() + skewMs;
      const rate = this.#restored(now);
      for (const event of events) event(rate, skewMs);
      if (pauseMs) rate.pause(now, now + pauseMs);
      if (resume) rate.resume(now);
      const slots: Slot<AdaptiveSend | undefined>[] = [];
      const share = Math.max(1, (horizonMs * rate.ratePerMs) / bucket.members);
      while (slots.length < Math.min(want, share)) {
        const ofThis = slots.length === 0 ? weight : 1;
        const at = rate.nextAt(now, false, ofThis);
        if (at > now + horizonMs) break;
        slots.push({ at: at - skewMs, lastAt: at - skewMs, weight: ofThis, handle: rate.sent(at, false, ofThis) });
      }
      const learnt = rate.save();
      if (!(await this.#keep(this.#version, learnt))) continue;
      this.#events.splice(0, told);
      this.#learnt = learnt;
      this.#ratePerMs = rate.ratePerMs;
      const askAgainAt = Math.min(Math.max(rate.nextAt(now), now), now + LOOK_MS) - skewMs;
      return { slots, pausedUntil: rate.pausedUntil - skewMs, askAgainAt };
    }
    throw new Error('too many share the limiter');
  }

  /** Hands the text in; gives whether it is kept, and not somebody else's who was first. */
  async #keep(version: string, learnt: string): Promise<boolean> {
    const bucket = this.#bucket;
    const kept = await bucket.run(KEEP, [version, learnt, ...bucket.beat(), KEEP_MS], keptIn);
    this.#version = kept.version;
    bucket.members = kept.members;
    if (!kept.isOurs) this.#learnt = kept.learnt;
    return kept.isOurs;
  }

  #restored(nowMs: number): AdaptiveRate {
    const rate = this.#make();
    try {
      if (this.#learnt !== '') rate.restore(this.#learnt, nowMs);
    } catch {
      return this.#make(); // somebody else's text under our key
    }
    return rate;
  }
}

interface Kept {
  readonly isOurs: boolean;
  readonly version: string;
  /** Where it is not ours. */
  readonly learnt: string;
  readonly members: number;
}

/** What `KEEP` replies, or `undefined` where it is something else. */
function keptIn([kind, version, learnt, members, ...more]: readonly string[]): Kept | undefined {
  const isOurs = kind === 'kept';
  const isKnown = (isOurs || kind === 'behind') && /^\d+$/.test(members ?? '') && more.length === 0;
  if (!isKnown || version === undefined || learnt === undefined) return undefined;
  return { isOurs, version, learnt, members: Math.max(1, Number(members)) };
}
