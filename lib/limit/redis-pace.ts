import type { Clock } from '../wait/clock.ts';
import { Gcra, type LimitWindow } from './gcra.ts';
import type { Answer } from './limiter.ts';
import type { Pace } from './pace.ts';
import type { SharedStore } from './shared-store.ts';

/**
 * A process reserves what falls due within so long, in ms, and no more: one with a long queue must not take everybody's next
 * second, and one that is killed must not take it along.
 */
export const HORIZON_MS = 50;
/** Or so many slots, where fewer fall due: the next one has to be known before it is due. */
const LEAST = 2;
/** How old what the store said may be when a send leaves, in ms: another process may have met a pause since. */
const FRESH_MS = 100;
/** How long a process counts as one of the fleet after it last asked, in ms. */
const MEMBER_MS = 5_000;
/** How often it says that it is there, in ms. */
const BEAT_MS = 1_000;

/**
 * Reserves slots of all windows, on the clock of Redis. Keeps for each window what a local limiter keeps, the instant at which all
 * that has left is paid for, so that a lost key is no more than a fresh window.
 */
export const RESERVE = `
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

/** What a pace over a store needs of the bucket and the limiter it belongs to. */
export interface RedisPorts {
  readonly clock: Clock;
  readonly store: SharedStore;
  /** Names this process. */
  readonly member: string;
  /** The bucket, as the loop knows it, and the keys that hold it. */
  readonly key: string;
  readonly keys: readonly string[];
  /** How many wait, and how to tell them that something has changed. */
  queued(): number;
  wake(): void;
}

/** When the sends of a bucket may leave that a whole fleet draws on: in the slots that were reserved for this process. */
export class RedisPace implements Pace<undefined> {
  readonly atOnce = Number.POSITIVE_INFINITY;
  readonly #ports: RedisPorts;
  readonly #windows: readonly (Gcra & { readonly field: string })[];
  /** Instants on this process's clock, in order. */
  #slots: number[] = [];
  #until = Number.NEGATIVE_INFINITY;
  /** When the store last said something, and when it was last told that this process is there. */
  #heardAt = Number.NEGATIVE_INFINITY;
  #beatAt = Number.NEGATIVE_INFINITY;
  #asking = false;
  /** How many processes shared the bucket when the store was last heard. */
  members = 1;

  constructor(windows: readonly LimitWindow[], ports: RedisPorts) {
    this.#windows = windows.map((window, i) => Object.assign(new Gcra(window), { field: `${i}:${window.perMs}` }));
    this.#ports = ports;
  }

  nextAt(nowMs: number, waiting: number): number {
    this.#dropStale(nowMs);
    const [next] = this.#slots;
    const last = this.#slots.at(-1);
    const runsOut = last === undefined || this.#slots.length < LEAST || last - nowMs < HORIZON_MS / 2;
    if (waiting > this.#slots.length && runsOut && this.#until <= nowMs) this.ask();
    if (next === undefined) return this.#until > nowMs ? this.#until : Number.POSITIVE_INFINITY;
    if (next <= nowMs && nowMs - this.#heardAt > FRESH_MS) {
      this.ask();
      return Number.POSITIVE_INFINITY;
    }
    return Math.max(next, this.#until);
  }

  earliest(): number {
    return this.#until;
  }

  leave(_nowMs: number, weight: number): undefined {
    this.#slots.splice(0, weight);
  }

  answered(nowMs: number, _leave: undefined, { throttled, untilAt }: Answer): void {
    if (untilAt !== undefined) this.pause(nowMs, untilAt);
    else if (throttled) this.#tell(0);
  }

  ended(): void {}

  pause(nowMs: number, untilAt: number): void {
    if (untilAt <= nowMs || untilAt <= this.#until) return;
    this.#hold(untilAt);
    this.#tell(untilAt - nowMs);
  }

  pausedUntil(): number {
    return this.#until;
  }

  isFresh(nowMs: number): boolean {
    this.#dropStale(nowMs);
    return this.#until <= nowMs && this.#slots.length === 0 && !this.#asking;
  }

  shift(byMs: number): void {
    this.#until += byMs;
    this.#heardAt += byMs;
    this.#beatAt += byMs;
    this.#slots = this.#slots.map((at) => at + byMs);
  }

  /** Slots that were not used in time; the server may have given their place to somebody else. */
  #dropStale(nowMs: number): void {
    let stale = 0;
    while (Number(this.#slots[stale]) < nowMs - HORIZON_MS) stale += 1;
    if (stale > 0) this.#slots.splice(0, stale);
  }

  /** Nothing leaves before that instant, and what was reserved before it is void. */
  #hold(untilAt: number): void {
    this.#until = untilAt;
    this.#slots = this.#slots.filter((at) => at >= untilAt);
  }

  /** Reserves for all that wait when this turn of the event loop is over: one round trip for what came in it. */
  ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    const { queued, wake } = this.#ports;
    void Promise.resolve()
      .then(() => this.#reserve(queued() - this.#slots.length, -1))
      .catch(() => {})
      .then(() => {
        this.#asking = false;
        wake();
      });
  }

  /** Tells the others of a pause. That it could not be told is the store's to say. */
  #tell(pauseMs: number): void {
    this.#reserve(0, pauseMs).catch(() => {});
  }

  async #reserve(wanted: number, pauseMs: number): Promise<void> {
    const { clock, store, member, key, keys } = this.#ports;
    const askedAt = clock.now();
    const beats = Math.abs(askedAt - this.#beatAt) >= BEAT_MS;
    if (beats) this.#beatAt = askedAt;
    const least = Math.max(0, LEAST - this.#slots.length);
    const numbers = [Math.max(0, wanted), least, HORIZON_MS, pauseMs];
    const windows = this.#windows.flatMap(({ field, intervalMs, toleranceMs }) => [
      field,
      String(intervalMs),
      String(toleranceMs),
    ]);
    const reply = await store.run(RESERVE, key, keys, [
      ...numbers.map(String),
      member,
      beats ? String(MEMBER_MS) : '0',
      ...windows,
    ]);
    this.#heard(clock.now(), reply.map(Number));
  }

  /** From now, since the way back took time that nobody can measure: so a slot is never early. */
  #heard(nowMs: number, [granted = 0, pausedMs = 0, members = 1, ...from]: readonly number[]): void {
    this.#heardAt = nowMs;
    this.members = members;
    if (pausedMs > 0 && nowMs + pausedMs > this.#until) this.#hold(nowMs + pausedMs);
    for (let i = 0; i < granted; i++) {
      let at = nowMs;
      for (const [w, { intervalMs }] of this.#windows.entries())
        at = Math.max(at, nowMs + Number(from[w]) + i * intervalMs);
      this.#slots.push(at);
    }
  }
}
