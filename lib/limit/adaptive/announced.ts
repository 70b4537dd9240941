import type { Answer } from '../limiter.ts';
import type { Partition, Quota, QuotaPolicy } from '../quota/headers.ts';
import { ABSURD_PER_MS, LONGEST_MS, MARGIN } from './bounds.ts';
import type { AdaptiveSend } from './rate.ts';
import { Stock, type StockMark, type Told } from './stock.ts';

/** Of how many quotas at once what is left is remembered: whoever tells of more invents names. */
const MOST_STOCKS = 8;
/** A pause that ends so much before the reset of what is left lasts until then, in ms: seconds are rounded. */
const ROUNDING_MS = 1_000;

/**
 * What RateLimit headers say: the rate that they state, what is left of each quota, how many requests may be under way.
 *
 * Where they tell what is left, that may leave at once (`Stock`). Where they only state a quota, it is the pace.
 *
 * A server may divide a quota, by the customer for example, and name the part (`pk`). The part that was first heard is ours, and what is
 * told of another one is ignored until ours has been refilled: a used up quota of somebody else must not stop this bucket, and one that
 * nobody has drawn on must not let it go.
 */
export class Announced {
  /** The lowest rate that is stated, requests per ms; Infinity without a header. */
  statedPerMs = Infinity;
  /** The same over those quotas of which it is not told what is left. */
  untoldPerMs = Infinity;
  validMs = 0;
  statedAt = 0;
  /** How many sends may be under way at once, and when that was said. */
  concurrency = Infinity;
  boundedAt = 0;
  /** What is left of each quota that the server tells of. */
  stocks: Stock[] = [];
  /** Answers that were no refusals told what is left: so a refusal with nothing left is explained. */
  isTold = false;
  /** What is told to be left is counted in weights, and not in sends. */
  ofWeights = false;
  /** Whose part of the quota it is, and until when. */
  partition: Partition | undefined;
  partitionUntil = -Infinity;

  get isKnown(): boolean {
    return this.statedPerMs < Infinity || this.concurrency < Infinity || this.hasStock;
  }

  get hasStock(): boolean {
    return this.stocks.some(({ isKnown }) => isKnown);
  }

  /** At which sends are spaced, requests per ms: what is told to be left says more than the quota that it is left of. */
  get ratePerMs(): number {
    return this.hasStock ? this.untoldPerMs : this.statedPerMs;
  }

  /** The instant from which the next may leave, by what is left; so much of ours has not ended. */
  freeAt(out: number, lastSentAt: number, weight: number): number {
    const takes = this.#takenBy(weight);
    return Math.max(-Infinity, ...this.stocks.map((stock) => stock.freeAt(out, lastSentAt, takes)));
  }

  sent(weight: number): readonly StockMark[] {
    return this.stocks.map((stock) => stock.sent(this.#takenBy(weight)));
  }

  /** A send did not take place. */
  notSent(weight: number): void {
    for (const stock of this.stocks) stock.notSent(this.#takenBy(weight));
  }

  /** A send ended without an answer. */
  lost(weight: number): void {
    for (const stock of this.stocks) stock.endedUntold(this.#takenBy(weight));
  }

  /**
   * Forgets what was left where its reset has come; gives how many that were, when nothing is known of any more: where the reset was told too
   * early, that is what is left still.
   */
  endStocks(now: number): number | undefined {
    let left: number | undefined;
    for (const stock of this.stocks) {
      if (!stock.isKnown || now < stock.resetAt) continue;
      stock.forget(now);
      if (!this.hasStock) left = stock.remaining;
    }
    return left;
  }

  /** A send was admitted though nothing should have been left. */
  refuteUsedUp(now: number): void {
    for (const stock of this.stocks) if (stock.isUsedUp) stock.forget(now);
  }

  /** Whether a pause until then lasts until what is left is reset, so that somebody else has used that up. */
  isResetAt(at = -Infinity): boolean {
    return this.stocks.some(({ isKnown, resetAt }) => isKnown && at >= resetAt - ROUNDING_MS);
  }

  /**
   * An answer to that send has come. Gives until when nothing is left, if it says so.
   *
   * @param out how much of ours has not ended, without this one
   */
  hear(now: number, { throttled, quota, cost }: Answer, send: AdaptiveSend, out: number): number | undefined {
    if (this.#isOfAnother(now, quota?.partition)) {
      this.notSent(send.weight);
      return undefined;
    }
    const took = this.#takenBy(cost ?? send.weight);
    for (const { id } of send.stocks) this.#stockOf(id)?.notSent(this.#takenBy(send.weight) - took);
    const told = toldIn(quota);
    for (const each of told) {
      const mark = send.stocks.find(({ id }) => id === each.id);
      this.#stockOf(each.id)?.hear(now, each, send.at, mark, out, took);
    }
    for (const stock of this.stocks) if (!told.some(({ id }) => id === stock.id)) stock.endedUntold(took);
    this.#hearPolicies(now, quota, told);
    if (!throttled && told.length > 0) this.isTold = true;
    if (quota?.partition !== undefined) {
      this.partition = quota.partition;
      this.partitionUntil = now + Math.max(this.validMs, ...told.map(({ resetMs }) => resetMs));
    }
    const usedUp = this.stocks.filter(
      ({ id, isUsedUp }) => isUsedUp && told.some((each) => each.id === id && each.remaining === 0),
    );
    return usedUp.length > 0 ? Math.max(...usedUp.map(({ resetAt }) => resetAt)) : undefined;
  }

  /** How much a send takes of what is told to be left. */
  #takenBy(weight: number): number {
    return this.ofWeights ? weight : 1;
  }

  #hearPolicies(now: number, quota: Quota | undefined, told: readonly Told[]): void {
    const policies = quota?.policies ?? [];
    if (quota?.concurrency !== undefined) {
      this.concurrency = Math.max(1, quota.concurrency);
      this.boundedAt = now;
    } else if (policies.length > 0 || now - this.boundedAt > LONGEST_MS) {
      this.concurrency = Infinity;
    }

    const smallest = smallestOf(policies);
    if (smallest.ratePerMs < Infinity) {
      this.statedPerMs = smallest.ratePerMs;
      this.untoldPerMs = smallestOf(policies.filter((policy) => !isToldOf(policy, policies, told))).ratePerMs;
      this.statedAt = now;
      this.validMs = smallest.windowMs;
    } else if (now - this.statedAt > 2 * this.validMs) {
      this.statedPerMs = this.untoldPerMs = Infinity;
      this.validMs = 0;
    }
  }

  #isOfAnother(now: number, partition: Partition | undefined): boolean {
    const ours = this.partition;
    return now < this.partitionUntil && partition?.policy === ours?.policy && partition?.key !== ours?.key;
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
}

/** What a server tells to be left, quota by quota; less is told of those that are not believed. */
function toldIn(quota: Quota | undefined): readonly Told[] {
  const { limit, remaining, resetMs } = quota ?? {};
  const counters = quota?.counters ?? [{ name: undefined, limit, remaining, resetMs }];
  return counters.flatMap(({ name = '', limit: of, remaining: left, resetMs: inMs }) => {
    // What is reset now tells nothing of the time to come.
    const isStock = isCount(left) && isCount(inMs) && inMs > 0 && left / inMs < ABSURD_PER_MS;
    return isStock ? [{ id: name, limit: of, remaining: Math.floor(left), resetMs: inMs }] : [];
  });
}

function isCount(value: number | undefined): value is number {
  return Number.isFinite(value) && Number(value) >= 0;
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
  const pacedMs = Math.min(windowMs, LONGEST_MS);
  const ratePerMs = ((1 - MARGIN) * Math.max(1, quota)) / pacedMs;
  return ratePerMs < ABSURD_PER_MS ? { ratePerMs, windowMs: pacedMs } : NOTHING_STATED;
}
