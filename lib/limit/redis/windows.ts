import type { Answer } from '../limiter.ts';
import { Gcra, type LimitWindow } from '../windows/gcra.ts';
import { LatencySpread } from '../windows/latency-spread.ts';
import type { Book, Entry, Granted, Turn } from './redis-pacer.ts';
import type { StoredBucket } from './shared-store.ts';

/**
 * Reserves slots of all windows, on the clock of Redis. Keeps for each window what a local limiter keeps, the instant at which all
 * that has left is paid for, so that a lost key is no more than a fresh window.
 */
const RESERVE = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local askedAt, holds = tonumber(ARGV[1]), tonumber(ARGV[2])
  local want, least, horizon, pause = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
  local member, beat = ARGV[7], tonumber(ARGV[8])
  local ago = askedAt > 0 and math.max(0, now - askedAt) or 0
  local stale = askedAt > 0 and ago > holds
  if stale then want = 0 end
  if pause > 0 then pause = pause - ago end

  if beat > 0 then
    redis.call('ZADD', KEYS[2], now + beat, member)
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
    redis.call('PEXPIRE', KEYS[2], math.ceil(beat))
  end
  local members = math.max(1, redis.call('ZCARD', KEYS[2]))

  local first, most, fields, windows = 10, tonumber(ARGV[9]), { 'until' }, {}
  for i = first, #ARGV, 8 do
    fields[#fields + 1] = ARGV[i]
    fields[#fields + 1] = ARGV[i] .. ':shift'
    fields[#fields + 1] = ARGV[i] .. ':undropped'
    windows[#windows + 1] = {
      field = ARGV[i], interval = tonumber(ARGV[i + 1]), tolerance = tonumber(ARGV[i + 2]), to = tonumber(ARGV[i + 3]),
      refund = tonumber(ARGV[i + 4]), unseen = tonumber(ARGV[i + 5]), drop = tonumber(ARGV[i + 6]),
      extra = tonumber(ARGV[i + 7])
    }
  end
  local stored = redis.call('HMGET', KEYS[1], unpack(fields))
  local pausedUntil = tonumber(stored[1] or 0)
  local wasPaused, resumed = pausedUntil > now, pause == -2 and not stale
  local paused = pause >= 0 and now + pause > pausedUntil
  if paused then pausedUntil = now + pause end
  if resumed then pausedUntil = math.min(pausedUntil, now) end

  local granted, changed = want, paused or resumed
  for i, window in ipairs(windows) do
    window.shift = tonumber(stored[3 * i] or 0)
    window.undropped = wasPaused and tonumber(stored[3 * i + 1] or '') or nil
    local kept = tonumber(stored[3 * i - 1] or '') or now
    if resumed and window.undropped then
      kept = math.max(window.undropped, now + window.tolerance)
      window.undropped = nil
    end
    local by = math.min(math.max(0, window.to - window.shift), most)
    kept = kept + by - window.refund
    window.paidAt = math.max(kept, now)
    window.shift = window.shift + by + window.paidAt - kept
    if not stale then
      window.paidAt = math.max(window.paidAt, math.min(window.paidAt + window.unseen, now + window.tolerance))
    end
    if window.drop then
      -- Where it was dropped before, the pause has grown longer: what ends it undoes both.
      window.undropped = window.undropped or window.paidAt
      window.paidAt = math.max(window.paidAt, now + window.drop - ago + window.tolerance)
    end
    changed = changed or window.refund ~= 0 or window.unseen > 0 or window.drop
    window.from = window.paidAt - window.tolerance
    local due = math.floor((now + horizon - window.from) / window.interval) + 1 - window.extra
    granted = math.min(granted, math.max(math.floor(due / members), least))
  end
  if pausedUntil > now then granted = 0 end

  local reply = { string.format('%.3f', now), tostring(granted), string.format('%.3f', pausedUntil - now), tostring(members) }
  local lasts = math.max(now, pausedUntil)
  local writes = { 'until', string.format('%.3f', pausedUntil) }
  for _, window in ipairs(windows) do
    reply[#reply + 1] = string.format('%.3f', window.from - now)
    reply[#reply + 1] = string.format('%.3f', window.shift)
    if granted > 0 then window.paidAt = window.paidAt + (granted + window.extra) * window.interval end
    lasts = math.max(lasts, window.paidAt)
    for _, each in ipairs({ window.field, window.paidAt, window.field .. ':shift', window.shift,
      window.field .. ':undropped', window.undropped or '' }) do
      writes[#writes + 1] = type(each) == 'number' and string.format('%.3f', each) or each
    end
  end
  if granted > 0 or changed then
    redis.call('HSET', KEYS[1], unpack(writes))
    redis.call('PEXPIRE', KEYS[1], math.ceil(lasts - now) + 1000)
  end
  return reply
`;

/** How far the slots are shifted at once at most, in ms: where Redis has lost the count of it, what is asked for makes no sense. */
const MOST_MS = 100;

/** Of a slot: how far those of each window had been shifted, and when all before it is paid for there. */
interface Reserved {
  readonly shiftMs: readonly number[];
  readonly from: readonly number[];
}

/** The windows of a bucket, kept in Redis. */
export class WindowBook implements Book<Reserved> {
  readonly #bucket: StoredBucket;
  readonly #windows: readonly (Gcra & { readonly field: string })[];
  readonly #latency = new LatencySpread();
  /** What is to be refunded to each window, in ms; below 0, what it is to be charged. */
  #refunds: number[];

  constructor(bucket: StoredBucket, windows: readonly LimitWindow[]) {
    this.#bucket = bucket;
    this.#refunds = windows.map(() => 0);
    this.#windows = windows.map((window, i) => Object.assign(new Gcra(window), { field: `${i}:${window.perMs}` }));
  }

  async turn({
    want,
    weight,
    least,
    horizonMs,
    pauseMs = -1,
    resume,
    dropBurstMs = pauseMs,
    unseen,
  }: Turn): Promise<Entry<Reserved>> {
    const asked = this.#bucket.now();
    const refunds = this.#refunds;
    // Once, whatever comes of it: Redis may carry out what is not heard of any more.
    this.#refunds = refunds.map(() => 0);
    // How many slots the first takes besides one: its weight, and as much again as is more than a burst.
    const extra = this.#windows.map(({ burst }) => weight - 1 + Math.max(0, weight - burst));
    const windows = this.#windows.flatMap((window, w) => {
      const isDropped = window.isAsShortAs(dropBurstMs);
      return [
        window.field,
        window.intervalMs,
        window.toleranceMs,
        window.shiftBy(asked + horizonMs),
        Number(refunds[w]),
        // No more than the burst, and all of that where the window is as short as the time in which they left.
        isDropped ? 0 : unseen * window.intervalMs,
        isDropped ? Math.max(0, pauseMs) : '',
        Number(extra[w]),
      ];
    });
    const beat = this.#bucket.beat();
    const pause = resume === true ? -2 : pauseMs;
    const args = [want, least, horizonMs, pause, ...beat, MOST_MS, ...windows];
    const reply = await this.#bucket.run(RESERVE, args, (rest) => numbersIn(rest, 3 + 2 * this.#windows.length));
    const [granted = 0, pausedMs = 0, members = 1, ...rest] = reply;
    this.#bucket.members = members;
    // From now, since the way back took time that nobody can measure: so a slot is never early.
    const now = this.#bucket.now();
    const shiftMs = this.#windows.map((window, w) => {
      window.shiftMs = Number(rest[2 * w + 1]);
      return window.shiftMs;
    });
    const dueAt = (i: number) =>
      this.#windows.map(({ intervalMs }, w) => {
        const before = i > 0 ? i + Number(extra[w]) : 0;
        return now + Number(rest[2 * w]) + before * intervalMs;
      });
    const slots = Array.from({ length: granted }, (_, i) => {
      const at = dueAt(i);
      const from = this.#windows.map(({ toleranceMs }, w) => Number(at[w]) + toleranceMs);
      const lastAt = i > 0 ? at : this.#windows.map(({ intervalMs }, w) => Number(at[w]) + (weight - 1) * intervalMs);
      const ofFirst = i > 0 ? 1 : weight;
      return { at: Math.max(now, ...at), lastAt: Math.max(now, ...lastAt), weight: ofFirst, handle: { shiftMs, from } };
    });
    const nextDueAt = dueAt(granted);
    // When this process's share is one again: so much has to fall due for each of the others first.
    const sharedAt = this.#windows.map(({ intervalMs }, w) => Number(nextDueAt[w]) + (members - 1) * intervalMs);
    const askAgainAt = granted < want ? Math.max(now, Math.max(...sharedAt) - horizonMs) : now;
    return { slots, pausedUntil: now + pausedMs, askAgainAt, dueAt: nextDueAt };
  }

  answered(nowMs: number, send: Granted<Reserved>, { throttled, cost }: Answer): boolean {
    const { sentAt, weight, handle } = send;
    const { shiftMs } = handle;
    const delay = this.#latency.note(nowMs, nowMs - sentAt);
    for (const [w, window] of this.#windows.entries()) {
      if (throttled) window.refused();
      window.answered(sentAt, Number(shiftMs[w]), delay);
    }
    if (cost === undefined || cost === weight) return false;
    this.#refund(nowMs, handle, weight, cost);
    return true;
  }

  lost(): boolean {
    return false;
  }

  dropped(nowMs: number, { handle, weight }: Granted<Reserved>): void {
    this.#refund(nowMs, handle, weight, 0);
  }

  /** A send costs so much, and not its weight: the rest of what it paid is given back, or what is missing charged. */
  #refund(nowMs: number, { from }: Reserved, weight: number, cost: number): void {
    this.#refunds = this.#windows.map(({ intervalMs, most }, w) => {
      const at = Number(from[w]);
      const [paidAt, usedAt] = [at + weight * intervalMs, at + Math.min(cost, most) * intervalMs];
      // Others may have left by now, who did not have to wait for what had been paid for.
      const refundMs = usedAt > paidAt ? paidAt - usedAt : Math.max(0, paidAt - Math.max(usedAt, nowMs));
      return Number(this.#refunds[w]) + refundMs;
    });
  }
}

/** So many numbers, or `undefined`. */
function numbersIn(texts: readonly string[], count: number): readonly number[] | undefined {
  const numbers = texts.map(Number);
  return numbers.length === count && numbers.every(Number.isFinite) ? numbers : undefined;
}
