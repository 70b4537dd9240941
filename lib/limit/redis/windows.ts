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

  local first, most, slack, fields, windows = 12, tonumber(ARGV[9]), tonumber(ARGV[10]), { 'until' }, {}
  local name = member .. ':' .. ARGV[11] .. ':'
  for i = first, #ARGV, 13 do
    fields[#fields + 1] = ARGV[i]
    fields[#fields + 1] = ARGV[i] .. ':shift'
    fields[#fields + 1] = ARGV[i] .. ':undropped'
    fields[#fields + 1] = ARGV[i] .. ':interval'
    windows[#windows + 1] = {
      field = ARGV[i], interval = tonumber(ARGV[i + 1]), tolerance = tonumber(ARGV[i + 2]), to = tonumber(ARGV[i + 3]),
      refund = tonumber(ARGV[i + 4]), unseen = tonumber(ARGV[i + 5]), drop = tonumber(ARGV[i + 6]),
      extra = tonumber(ARGV[i + 7]), intervalText = ARGV[i + 1], span = tonumber(ARGV[i + 8]), all = tonumber(ARGV[i + 9]),
      back = ARGV[i + 10], more = tonumber(ARGV[i + 11]), left = tonumber(ARGV[i + 12])
    }
  end
  local stored = redis.call('HMGET', KEYS[1], unpack(fields))
  local pausedUntil = tonumber(stored[1] or 0)
  local wasPaused, resumed = pausedUntil > now, pause == -2 and not stale
  local paused = pause >= 0 and now + pause > pausedUntil
  if paused then pausedUntil = now + pause end
  if resumed then pausedUntil = math.min(pausedUntil, now) end

  -- Of a window in whatever shape: the last instant at which each permit may leave. Gives how many fall due within the horizon.
  local logs, extra = {}, nil
  local function inLog(window, i)
    local log = KEYS[2 + i]
    logs[i] = log
    redis.call('ZREMRANGEBYSCORE', log, '-inf', string.format('(%.3f', now - window.span))
    for id in string.gmatch(window.back, '[^ ]+') do redis.call('ZREM', log, id) end
    for n = 1, stale and 0 or window.more + math.min(window.left, window.all) do
      redis.call('ZADD', log, string.format('%.3f', now), name .. -n)
    end
    window.free = window.all - redis.call('ZCARD', log)
    window.changed = window.back ~= '' or window.more > 0 or window.left > 0
    return window.free + redis.call('ZCOUNT', log, '-inf', string.format('%.3f', now + horizon - window.span))
  end

  local granted, changed = want, paused or resumed
  for i, window in ipairs(windows) do
    window.shift = tonumber(stored[4 * i - 1] or 0)
    window.undropped = wasPaused and tonumber(stored[4 * i] or '') or nil
    local kept = tonumber(stored[4 * i - 2] or '') or now
    local interval = stored[4 * i + 1] or window.intervalText
    local isOther = interval ~= window.intervalText
    -- Somebody had other numbers: what is unpaid is paid at the rate of these.
    if isOther then kept = now + (kept - now) * window.interval / tonumber(interval) end
    if resumed and window.undropped then
      kept = math.max(window.undropped, now + window.tolerance)
      window.undropped = nil
    end
    local by = math.min(math.max(0, window.to - window.shift), most)
    kept = kept + by - window.refund
    -- And the next waits no longer than the window.
    if isOther then kept = math.min(kept, now + window.span + (window.all > 0 and 0 or window.tolerance)) end
    window.paidAt = math.max(kept, now)
    window.shift = window.shift + by + window.paidAt - kept
    if not stale then
      window.paidAt = math.max(window.paidAt, math.min(window.paidAt + window.unseen, now + window.tolerance + window.interval))
    end
    if window.drop then
      -- Where it was dropped before, the pause has grown longer: what ends it undoes both.
      window.undropped = window.undropped or window.paidAt
      window.paidAt = math.max(window.paidAt, now + window.drop - ago + window.tolerance)
    end
    changed = changed or window.refund ~= 0 or window.unseen > 0 or window.drop or isOther
    window.from = window.paidAt - window.tolerance
    local due = math.floor((now + horizon - window.from) / window.interval) + 1 - window.extra
    if window.all > 0 then
      due, extra = math.min(due, inLog(window, i) - window.extra), window.extra
    end
    granted = math.min(granted, math.max(math.floor(due / members), least))
  end
  if pausedUntil > now then granted = 0 end

  local reply = { string.format('%.3f', now), tostring(granted), string.format('%.3f', pausedUntil - now), tostring(members) }
  local lasts = math.max(now, pausedUntil)
  local writes = { 'until', string.format('%.3f', pausedUntil) }
  for i, window in ipairs(windows) do
    reply[#reply + 1] = string.format('%.3f', window.from - now)
    reply[#reply + 1] = string.format('%.3f', window.shift)
    if granted > 0 then window.paidAt = window.paidAt + (granted + window.extra) * window.interval end
    lasts = math.max(lasts, window.paidAt)
    for _, each in ipairs({ window.field, window.paidAt, window.field .. ':shift', window.shift,
      window.field .. ':undropped', window.undropped or '', window.field .. ':interval', window.intervalText }) do
      writes[#writes + 1] = type(each) == 'number' and string.format('%.3f', each) or each
    end
  end
  -- Those that are granted, and from when the next may leave in each window that remembers: 'count:due' for each instant, the due time from now.
  local taken = extra and granted > 0 and granted + extra or 0
  for i, window in ipairs(windows) do
    window.old = {}
    if window.all > 0 and taken + 1 > window.free then
      window.old = redis.call('ZRANGE', logs[i], 0, math.max(0, taken - window.free), 'WITHSCORES')
    end
  end
  local dues = {}
  local function dueIn(window, k)
    local rank = k - window.free
    if rank <= 0 then return now end
    local before = tonumber(window.old[2 * rank]) or (dues[k - window.all] or now) + slack
    return math.max(now, before + window.span)
  end
  for k = 1, taken do
    local due = dues[k - 1] or now
    for i, window in ipairs(windows) do
      local ahead = k - 1 + (k > extra + 1 and window.extra - extra or 0)
      due = math.max(due, window.from + ahead * window.interval)
      if window.all > 0 then due = math.max(due, dueIn(window, k)) end
    end
    dues[k] = due
    -- The permits of the first slot leave together, so all of them when the last is due.
    if k == extra + 1 then for each = 1, extra do dues[each] = due end end
  end
  for i, window in ipairs(windows) do
    if window.all > 0 then
      local runs, count, last = {}, 0, nil
      for k = 1, taken + 1 do
        local due = dues[k] or dueIn(window, k)
        if k <= taken then redis.call('ZADD', logs[i], string.format('%.3f', due + slack), name .. k) end
        local text = string.format('%.3f', due - now)
        if text ~= last or k > taken then
          if count > 0 then runs[#runs + 1] = count .. ':' .. last end
          count, last = 0, text
        end
        count = count + 1
      end
      runs[#runs + 1] = '1:' .. last
      reply[#reply + 1] = table.concat(runs, ',')
      local over = math.max(dues[taken] or now, now + tonumber(last)) + window.span
      if granted > 0 or window.changed then
        redis.call('PEXPIRE', logs[i], math.ceil(math.max(lasts, over) - now) + 1000)
      end
      lasts = math.max(lasts, over)
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

/** What one window is told in the next turn. */
interface Owed {
  /** So many permits are to be refunded; below 0, charged. */
  refund: number;
  /** Of a window that remembers each: those that are to be forgotten, and how many to be added. */
  readonly back: string[];
  more: number;
}

/** A window, and where it is kept. */
interface Kept {
  readonly gcra: Gcra;
  readonly field: string;
  readonly spanMs: number;
  /** How many instants it remembers. */
  readonly remembers: number;
  readonly owed: Owed;
  /** For how long nothing leaves at first, and then no burst: what left by the numbers before is not all counted there. */
  owesMs: number;
}

/** The windows of a bucket, kept in Redis. */
export class WindowBook implements Book<Reserved> {
  readonly #bucket: StoredBucket;
  readonly #windows: readonly Kept[];
  readonly #latency = new LatencySpread();

  /** @param before by whose numbers it went until now */
  constructor(bucket: StoredBucket, windows: readonly LimitWindow[], before?: WindowBook) {
    this.#bucket = bucket;
    const known = before === undefined ? [] : before.#windows;
    this.#windows = windows.map((window, i) => {
      const { requests, perMs, burst } = window;
      const gcra = new Gcra(window);
      const remembers = burst === 'all' ? requests : 0;
      // By its length, wherever it stands; of several of one length the first, the second …
      const field = `${windows.slice(0, i).filter((each) => each.perMs === perMs).length}:${perMs}`;
      const spanMs = perMs + gcra.lateMs;
      const old = known.find((each) => each.field === field);
      const told = old !== undefined && isTold(old, gcra, remembers) ? old : undefined;
      // What left by the numbers before has yet to be settled, and the sum is the same. Elsewhere it would be given back of what is owed below.
      const owed = told?.owed ?? { refund: 0, back: [], more: 0 };
      // As much as they could have left unpaid, where what is kept there does not tell.
      const unknown = told !== undefined ? [] : old !== undefined ? [old] : known;
      const mostUnpaid = Math.max(0, ...unknown.map((each) => each.gcra.burst));
      return { gcra, field, remembers, spanMs, owed, owesMs: Math.min(mostUnpaid * gcra.intervalMs, spanMs) };
    });
  }

  get #remembers(): boolean {
    return this.#windows.some(({ remembers }) => remembers > 0);
  }

  async turn({
    want,
    weight,
    least,
    horizonMs,
    slackMs,
    pauseMs = -1,
    resume,
    dropBurstMs = pauseMs,
    unseen,
  }: Turn): Promise<Entry<Reserved>> {
    const asked = this.#bucket.now();
    // How many slots the first takes besides one: its weight, and as much again as is more than a burst.
    const extra = this.#windows.map(({ gcra: { burst } }) => weight - 1 + Math.max(0, weight - burst));
    const windows = this.#windows.flatMap((window, w) => {
      const { gcra, field, spanMs, remembers, owed, owesMs } = window;
      const isDropped = owesMs > 0 || gcra.isAsShortAs(dropBurstMs);
      const { refund, back, more } = owed;
      // Once, whatever comes of it: Redis may carry out what is not heard of any more.
      Object.assign(owed, { refund: 0, more: 0 });
      window.owesMs = 0;
      return [
        field,
        gcra.intervalMs,
        gcra.toleranceMs,
        gcra.shiftBy(asked + horizonMs),
        refund * gcra.intervalMs,
        // No more than the burst, and all of that where the window is as short as the time in which they left.
        isDropped ? 0 : unseen * gcra.intervalMs,
        isDropped ? Math.max(owesMs, pauseMs) : '',
        Number(extra[w]),
        spanMs,
        remembers,
        back.splice(0).join(' '),
        remembers > 0 ? more : 0,
        remembers > 0 ? unseen : 0,
      ];
    });
    const beat = this.#bucket.beat();
    const pause = resume === true ? -2 : pauseMs;
    const name = ++turns;
    const args = [want, least, horizonMs, pause, ...beat, MOST_MS, slackMs, name, ...windows];
    const logs = this.#remembers ? this.#windows.map(({ field }) => `log:${field}`) : [];
    const reply = await this.#bucket.run(RESERVE, args, (rest) => this.#read(rest), logs);
    const { granted, pausedMs, members, numbers, dues } = reply;
    this.#bucket.members = members;
    // From now, since the way back took time that nobody can measure: so a slot is never early.
    const now = this.#bucket.now();
    const shiftMs = this.#windows.map(({ gcra }, w) => {
      gcra.shiftMs = Number(numbers[2 * w + 1]);
      return gcra.shiftMs;
    });
    const dueAt = (i: number) =>
      this.#windows.map(({ gcra }, w) => {
        const before = i > 0 ? i + Number(extra[w]) : 0;
        return now + Number(numbers[2 * w]) + before * gcra.intervalMs;
      });
    /** When all permits of the i-th slot may be used, as far as what is remembered goes; from the one way, and from the other. */
    const remembered = (i: number) => {
      const last = dues.map((due) => Number(due?.[i + weight - 1]));
      return Math.max(...last.filter((at) => at >= 0), Number.NEGATIVE_INFINITY);
    };
    const slots = Array.from({ length: granted }, (_, i) => {
      const at = dueAt(i);
      const from = this.#windows.map(({ gcra }, w) => Number(at[w]) + gcra.toleranceMs);
      const lastAt = i > 0 ? at : this.#windows.map(({ gcra }, w) => Number(at[w]) + (weight - 1) * gcra.intervalMs);
      const ofFirst = i > 0 ? 1 : weight;
      const first = i > 0 ? i + weight : 1;
      // The same in each window that remembers.
      const ids = this.#remembers
        ? Array.from({ length: ofFirst }, (_, n) => `${beat[0]}:${name}:${first + n}`)
        : undefined;
      const dueMs = remembered(i);
      const dueNow = Math.max(now, now + dueMs);
      const until = dueMs >= 0 ? asked + dueMs + slackMs : undefined;
      const handle = { shiftMs, from };
      return { at: Math.max(dueNow, ...at), lastAt: Math.max(dueNow, ...lastAt), weight: ofFirst, handle, ids, until };
    });
    const nextDueAt = dueAt(granted).map((at, w) => Math.max(at, now + (dues[w]?.at(-1) ?? Number.NEGATIVE_INFINITY)));
    // When this process's share is one again: so much has to fall due for each of the others first.
    const sharedAt = this.#windows.map(
      ({ gcra, remembers }, w) => Number(nextDueAt[w]) + (remembers > 0 ? 0 : (members - 1) * gcra.intervalMs),
    );
    const askAgainAt = granted < want ? Math.max(now, Math.max(...sharedAt) - horizonMs) : now;
    return { slots, pausedUntil: now + pausedMs, askAgainAt, dueAt: nextDueAt };
  }

  answered(nowMs: number, send: Granted<Reserved>, { throttled, cost }: Answer): boolean {
    const { sentAt, weight, handle, ids } = send;
    const { shiftMs } = handle;
    const delay = this.#latency.note(nowMs, nowMs - sentAt);
    for (const [w, { gcra }] of this.#windows.entries()) {
      if (throttled) gcra.refused();
      gcra.answered(sentAt, Number(shiftMs[w]), delay);
    }
    if (cost === undefined || cost === weight) return false;
    this.#refund(nowMs, handle, ids, weight, cost);
    return true;
  }

  lost(): boolean {
    return false;
  }

  dropped(nowMs: number, { handle, ids, weight }: Granted<Reserved>): void {
    this.#refund(nowMs, handle, ids, weight, 0);
  }

  /** A send costs so much, and not its weight: the rest of what it paid is given back, or what is missing charged. */
  #refund(nowMs: number, { from }: Reserved, ids: readonly string[] | undefined, weight: number, cost: number): void {
    for (const [w, { gcra, owed, remembers }] of this.#windows.entries()) {
      const { intervalMs, most } = gcra;
      const counted = Math.min(cost, most);
      const at = Number(from[w]);
      const [paidAt, usedAt] = [at + weight * intervalMs, at + counted * intervalMs];
      // Others may have left by now, who did not have to wait for what had been paid for.
      const refundMs = usedAt > paidAt ? paidAt - usedAt : Math.max(0, paidAt - Math.max(usedAt, nowMs));
      owed.refund += refundMs / intervalMs;
      if (remembers === 0) continue;
      if (counted > weight) owed.more += Math.ceil(counted - weight);
      else owed.back.push(...(ids ?? []).slice(Math.ceil(counted)));
    }
  }

  /** What the script replies, or `undefined` where it is something else. */
  #read(rest: readonly string[]) {
    const count = 3 + 2 * this.#windows.length;
    const [granted = 0, pausedMs = 0, members = 1, ...numbers] = rest.slice(0, count).map(Number);
    const texts = rest.slice(count);
    const dues = this.#windows.map(({ remembers }) => (remembers > 0 ? duesIn(texts.shift()) : undefined));
    const isKnown =
      rest.length >= count &&
      texts.length === 0 &&
      [granted, pausedMs, members, ...numbers].every(Number.isFinite) &&
      this.#windows.every(({ remembers }, w) => remembers === 0 || dues[w] !== undefined);
    return isKnown ? { granted, pausedMs, members, numbers, dues } : undefined;
  }
}

/** Whether what is kept of a window tells when one with other numbers may go on: it knows of no burst that has grown, and one that remembers needs all. */
const isTold = ({ gcra, remembers }: Kept, now: Gcra, nowRemembers: number): boolean =>
  nowRemembers > 0 ? remembers > 0 : now.burst === 1 || (remembers === 0 && now.burst <= gcra.burst);

/** In how many ms each permit is due, and the next after them: from `count:ms,count:ms`. */
function duesIn(runs = ''): readonly number[] | undefined {
  if (!/^\d+:[\d.]+(?:,\d+:[\d.]+)*$/.test(runs)) return undefined;
  return runs.split(',').flatMap((run) => {
    const [count, ms] = run.split(':').map(Number);
    return Array.from({ length: Number(count) }, () => Number(ms));
  });
}

/** How often this process has asked: no two permits are called the same. */
let turns = 0;
