import { Gcra, type LimitWindow } from './gcra.ts';
import type { Book, Entry, Turn } from './redis-pace.ts';
import type { Place } from './shared-store.ts';

/**
 * Reserves slots of all windows, on the clock of Redis. Keeps for each window what a local limiter keeps, the instant at which all
 * that has left is paid for, so that a lost key is no more than a fresh window.
 */
const RESERVE = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local want, least, horizon, pause = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
  local member, beat = ARGV[5], tonumber(ARGV[6])

  if beat > 0 then
    redis.call('ZADD', KEYS[2], now + beat, member)
    redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
    redis.call('PEXPIRE', KEYS[2], math.ceil(beat))
  end
  local members = math.max(1, redis.call('ZCARD', KEYS[2]))

  local first, fields, windows = 7, { 'until' }, {}
  for i = first, #ARGV, 3 do
    fields[#fields + 1] = ARGV[i]
    windows[#windows + 1] = { field = ARGV[i], interval = tonumber(ARGV[i + 1]), tolerance = tonumber(ARGV[i + 2]) }
  end
  local stored = redis.call('HMGET', KEYS[1], unpack(fields))
  local pausedUntil = tonumber(stored[1] or 0)
  local paused = pause >= 0 and now + pause > pausedUntil
  if paused then pausedUntil = now + pause end

  local granted = want
  for i, window in ipairs(windows) do
    window.paidAt = math.max(tonumber(stored[i + 1] or 0), now)
    if paused then window.paidAt = math.max(window.paidAt, pausedUntil + window.tolerance) end
    window.from = window.paidAt - window.tolerance
    local due = math.floor((now + horizon - window.from) / window.interval) + 1
    granted = math.min(granted, math.max(math.floor(due / members), least))
  end
  if pausedUntil > now then granted = 0 end

  local reply = { tostring(granted), string.format('%.3f', pausedUntil - now), tostring(members) }
  local lasts = math.max(now, pausedUntil)
  local writes = { 'until', string.format('%.3f', pausedUntil) }
  for _, window in ipairs(windows) do
    reply[#reply + 1] = string.format('%.3f', window.from - now)
    window.paidAt = window.paidAt + granted * window.interval
    lasts = math.max(lasts, window.paidAt)
    writes[#writes + 1] = window.field
    writes[#writes + 1] = string.format('%.3f', window.paidAt)
  end
  if granted > 0 or paused then
    redis.call('HSET', KEYS[1], unpack(writes))
    redis.call('PEXPIRE', KEYS[1], math.ceil(lasts - now) + 1000)
  end
  return reply
`;

/** The windows of a bucket, kept in Redis. */
export class WindowBook implements Book<undefined> {
  readonly #place: Place;
  readonly #windows: readonly (Gcra & { readonly field: string })[];

  constructor(place: Place, windows: readonly LimitWindow[]) {
    this.#place = place;
    this.#windows = windows.map((window, i) => Object.assign(new Gcra(window), { field: `${i}:${window.perMs}` }));
  }

  async turn({ want, least, horizonMs, pauseMs = -1 }: Turn): Promise<Entry<undefined>> {
    const windows = this.#windows.flatMap(({ field, intervalMs, toleranceMs }) => [field, intervalMs, toleranceMs]);
    const beat = this.#place.beat();
    const reply = await this.#place.run(RESERVE, [want, least, horizonMs, pauseMs, ...beat, ...windows]);
    const [granted = 0, pausedMs = 0, members = 1, ...from] = reply.map(Number);
    // From now, since the way back took time that nobody can measure: so a slot is never early.
    const now = this.#place.clock.now();
    const slots = Array.from({ length: granted }, (_, i) => {
      const due = this.#windows.map(({ intervalMs }, w) => now + Number(from[w]) + i * intervalMs);
      return { at: Math.max(now, ...due), leave: undefined };
    });
    return { slots, pausedUntil: now + pausedMs, members, askAgainAt: Number.POSITIVE_INFINITY };
  }

  answered(): boolean {
    return false;
  }

  lost(): void {}
}
