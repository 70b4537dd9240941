/**
 * More processes than a machine has room for: the library's own limiters on a clock that moves by itself, before a Redis that carries out
 * one script after the other and takes `tripUs` for each. Nothing waits, and the same scenario gives the same result.
 */
import { redisLimiterWith } from '../../build/limit/redis/redis-limiter.js';
import { Agenda } from '../adaptive/agenda.js';
import { seeded } from '../adaptive/seeded.js';
import { quantile } from '../harness/statistics.js';

const WARM_UP_MS = 1_000;
const COUNTED_MS = 2_000;
const ONE_WAY_MS = 0.25;

/**
 * @param processes each with one limiter, which draws on all buckets and always wants two more of each
 * @param buckets   of each of which each process may have `each` permits a second
 */
export async function simulate({ processes, buckets, each, tripUs }) {
  const random = seeded(1);
  const clock = new Clock(random);
  const redis = new OneRedis(clock, tripUs / 1_000);
  let permits = 0;
  const work = async (limiter, key) => {
    for (;;) {
      const permit = await limiter.acquire({ key });
      permit.release();
      permits += 1;
    }
  };
  for (let i = 0; i < processes; i++) {
    const limits = { requests: each * processes, perMs: 1_000, maxWaitMs: 600_000, acquireTimeoutMs: 30_000 };
    const limiter = redisLimiterWith(clock, { redis, ...limits }, random);
    // A fleet does not begin in the same instant.
    clock.after(random() * 100, () => {
      for (let key = 0; key < 2 * buckets; key++) void work(limiter, `https://api-${key % buckets}.example`);
    });
  }
  await clock.runUntil(WARM_UP_MS);
  permits = 0;
  redis.answersMs = [];
  await clock.runUntil(WARM_UP_MS + COUNTED_MS);
  const perSecond = 1_000 / COUNTED_MS;
  const trips = redis.answersMs.length;
  return {
    permits: permits * perSecond,
    trips: trips * perSecond,
    full: (trips * perSecond * tripUs) / 1e6,
    answerMs: quantile(redis.answersMs, 0.5),
  };
}

/** What the limiters are handed for a clock; timers are as late as Node's. */
class Clock {
  #agenda = new Agenda();
  #random;

  constructor(random) {
    this.#random = random;
  }

  now = () => 1_000 + this.#agenda.now;

  wall = this.now;

  after(ms, fire) {
    let isOff = false;
    this.#agenda.at(this.#agenda.now + Math.max(1, ms) + this.#random(), () => isOff || fire());
    return () => {
      isOff = true;
    };
  }

  /** An event of the world, which is on time. */
  at(ms, act) {
    this.#agenda.at(ms - 1_000, act);
  }

  async runUntil(endMs) {
    while (this.#agenda.step(endMs)) {
      // Whatever can go on without time passing.
      await new Promise(setImmediate);
    }
  }
}

/** What RESERVE of lib/limit/redis/windows.ts does with one window, calls of weight 1 and no pause. */
class OneRedis {
  answersMs = [];
  #clock;
  #tripMs;
  #freeAt = 0;
  #paidAt = new Map();
  #members = new Map();

  constructor(clock, tripMs) {
    this.#clock = clock;
    this.#tripMs = tripMs;
  }

  eval(_script, _count, slots, _members, ...args) {
    const [, , want, least, horizon, , member, , , , interval, tolerance] = args;
    const askedAt = this.#clock.now();
    this.#freeAt = Math.max(this.#freeAt, askedAt + ONE_WAY_MS) + this.#tripMs;
    const runAt = this.#freeAt;
    return new Promise((resolve) => {
      this.#clock.at(runAt, () => {
        const members = this.#members.get(slots) ?? new Set();
        this.#members.set(slots, members.add(member));
        const paidAt = Math.max(this.#paidAt.get(slots) ?? runAt, runAt);
        const from = paidAt - tolerance;
        const due = Math.floor((runAt + Number(horizon) - from) / interval) + 1;
        const granted = Math.min(want, Math.max(Math.floor(due / members.size), least));
        this.#paidAt.set(slots, paidAt + granted * interval);
        const reply = [runAt, granted, 0, members.size, from - runAt, 0].map(String);
        this.#clock.at(runAt + ONE_WAY_MS, () => {
          this.answersMs.push(this.#clock.now() - askedAt);
          resolve(reply);
        });
      });
    });
  }
}
