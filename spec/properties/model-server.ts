import type { Outage, ServerPlan, Window } from './traffic-plan.ts';

/** What arrives at the server. */
export interface Request {
  readonly host: string;
  readonly token: string | undefined;
}

/** What the server makes of it. */
export interface Reply {
  readonly status: number | undefined;
  /** Where there is no answer. */
  readonly code: string | undefined;
  readonly headers: Record<string, string>;
  /** Whether what it asked for was done. */
  readonly applied: boolean;
  /** Whether it came so far as to be counted. */
  readonly counted: boolean;
  /** How long it asks to wait by Retry-After, in ms. */
  readonly namedMs: number | undefined;
  /** Which window of a fixed quota it was counted in, where what is left was told. */
  readonly toldWindow: number | undefined;
  /** How long the server takes. */
  readonly workMs: number;
}

const SILENCE_MS = 60_000;
const NOTHING = {
  status: undefined,
  code: undefined,
  headers: {},
  applied: false,
  counted: false,
  namedMs: undefined,
  toldWindow: undefined,
  workMs: 0,
} satisfies Reply;

/** A server with a quota for each host, bad times, and tokens that it may revoke. It is told the time, in ms from the start. */
export class ModelServer {
  readonly #plan: ServerPlan;
  readonly #windows: readonly Window[];
  readonly #random: () => number;
  readonly #quotas = new Map<string, Quota>();
  /** Of each token that was given out: until when it is good. */
  readonly #tokens = new Map<string, number>();
  /** From now on everything is answered well. */
  isWell = false;

  /** @param windows what the policy has been told of the quota */
  constructor(plan: ServerPlan, windows: readonly Window[], random: () => number) {
    this.#plan = plan;
    this.#windows = windows;
    this.#random = random;
  }

  issue(token: string, goodUntil: number): void {
    this.#tokens.set(token, goodUntil);
  }

  revokeAll(): void {
    this.#tokens.clear();
  }

  /** What comes of a request that was sent; without an answer it is not known how far it came. */
  answer({ host, token }: Request, now: number, needsToken: boolean): Reply {
    if (this.isWell) return { ...NOTHING, status: 200, applied: true, counted: true, workMs: 1 };
    const outage = this.#plan.outages.find(({ from, ms }) => now >= from && now < from + ms);
    const early = outage && beforeAll(outage, now);
    if (early !== undefined) return early;
    const quota = this.#quotaOf(host);
    const admitted = quota === undefined || quota.admits(now);
    const headers = this.#plan.says === 'headers' ? (quota?.tells(now) ?? {}) : {};
    const toldWindow = 'RateLimit-Remaining' in headers ? quota?.windowAt(now) : undefined;
    if (quota !== undefined && !admitted) {
      const namedMs =
        this.#plan.says === 'nothing' ? undefined : Math.ceil(Math.max(1, quota.freeIn(now)) / 1_000) * 1_000;
      const retryAfter: Record<string, string> = namedMs === undefined ? {} : { 'Retry-After': `${namedMs / 1_000}` };
      return { ...NOTHING, status: 429, headers: { ...headers, ...retryAfter }, namedMs, counted: true, toldWindow };
    }
    const counted = { ...NOTHING, headers, counted: true, toldWindow, workMs: this.#workMs() };
    if (needsToken && !(Number(this.#tokens.get(token ?? '')) > now)) return { ...counted, status: 401, workMs: 0 };
    if (outage?.as === 'torn') return { ...counted, code: 'ECONNRESET', headers: {}, applied: true };
    if (outage?.as === 'bad gateway') return { ...counted, status: 502, applied: true };
    if (outage?.as === 'silent')
      return { ...counted, code: 'ECONNRESET', headers: {}, applied: true, workMs: SILENCE_MS };
    return { ...counted, status: 200, applied: true };
  }

  #workMs(): number {
    const [least, most] = this.#plan.workMs;
    return Math.round(least + this.#random() * (most - least));
  }

  #quotaOf(host: string): Quota | undefined {
    const known = this.#quotas.get(host);
    if (known !== undefined) return known;
    const made = this.#makeQuota();
    if (made !== undefined) this.#quotas.set(host, made);
    return made;
  }

  #makeQuota(): Quota | undefined {
    const { quota } = this.#plan;
    if (quota === 'none') return undefined;
    if (quota !== 'as told') return quotaOf(quota.kind, quota.requests, quota.perMs);
    // What the documentation promises of each window: so many in any sliding one.
    const each = this.#windows.map((window) => new SlidingQuota(mostIn(window), window.perMs));
    return each.length === 0 ? undefined : new AllOf(each);
  }
}

/** What is documented of a window: any sliding `perMs` holds so many at most. */
export const mostIn = ({ requests, burst }: Window): number => Math.ceil(requests + burst - 1);

/** What never comes so far as to be counted. */
function beforeAll({ from, ms, as }: Outage, now: number): Reply | undefined {
  if (as === 'refused') return { ...NOTHING, code: 'ECONNREFUSED' };
  if (as === 'reset') return { ...NOTHING, code: 'ECONNRESET' };
  if (as === 'unavailable') return { ...NOTHING, status: 503 };
  if (as !== 'busy') return undefined;
  const seconds = Math.max(1, Math.ceil((from + ms - now) / 1_000));
  return { ...NOTHING, status: 503, headers: { 'Retry-After': `${seconds}` }, namedMs: seconds * 1_000 };
}

interface Quota {
  /** Whether one more is admitted now; counts it if so. */
  admits(now: number): boolean;
  /** How long until one more would be, in ms. */
  freeIn(now: number): number;
  /** What is left, as headers. */
  tells(now: number): Record<string, string>;
  /** Of a fixed window, which one it is. */
  windowAt(now: number): number | undefined;
}

function quotaOf(kind: 'bucket' | 'sliding' | 'fixed', requests: number, perMs: number): Quota {
  if (kind === 'bucket') return new BucketQuota(requests, perMs);
  return kind === 'sliding' ? new SlidingQuota(requests, perMs) : new FixedQuota(requests, perMs);
}

const left = (limit: number, remaining: number, resetMs: number) => ({
  'RateLimit-Limit': `${limit}`,
  'RateLimit-Remaining': `${Math.max(0, Math.floor(remaining))}`,
  'RateLimit-Reset': `${Math.max(1, Math.ceil(resetMs / 1_000))}`,
});

class SlidingQuota implements Quota {
  readonly #requests: number;
  readonly #perMs: number;
  #admitted: number[] = [];

  constructor(requests: number, perMs: number) {
    this.#requests = requests;
    this.#perMs = perMs;
  }

  admits(now: number): boolean {
    if (!this.hasRoom(now)) return false;
    this.#admitted.push(now);
    return true;
  }

  hasRoom(now: number): boolean {
    this.#admitted = this.#admitted.filter((at) => at > now - this.#perMs);
    return this.#admitted.length < this.#requests;
  }

  freeIn(now: number): number {
    return Number(this.#admitted[0] ?? now) + this.#perMs - now;
  }

  tells(now: number): Record<string, string> {
    return left(this.#requests, this.#requests - this.#admitted.length, this.freeIn(now));
  }

  windowAt(): undefined {}
}

class FixedQuota implements Quota {
  readonly #requests: number;
  readonly #perMs: number;
  #window = -1;
  #count = 0;

  constructor(requests: number, perMs: number) {
    this.#requests = requests;
    this.#perMs = perMs;
  }

  windowAt(now: number): number {
    return Math.floor(now / this.#perMs);
  }

  admits(now: number): boolean {
    const window = this.windowAt(now);
    if (window !== this.#window) this.#count = 0;
    this.#window = window;
    if (this.#count >= this.#requests) return false;
    this.#count += 1;
    return true;
  }

  freeIn(now: number): number {
    return (this.windowAt(now) + 1) * this.#perMs - now;
  }

  tells(now: number): Record<string, string> {
    return left(this.#requests, this.#requests - this.#count, this.freeIn(now));
  }
}

/** Holds so many, and is refilled evenly. */
class BucketQuota implements Quota {
  readonly #requests: number;
  readonly #perMs: number;
  #tokens: number;
  #at = 0;

  constructor(requests: number, perMs: number) {
    this.#requests = requests;
    this.#perMs = perMs;
    this.#tokens = requests;
  }

  admits(now: number): boolean {
    this.#tokens = Math.min(this.#requests, this.#tokens + ((now - this.#at) * this.#requests) / this.#perMs);
    this.#at = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  freeIn(): number {
    return ((1 - this.#tokens) * this.#perMs) / this.#requests;
  }

  tells(): Record<string, string> {
    return left(this.#requests, this.#tokens, ((this.#requests - this.#tokens) * this.#perMs) / this.#requests);
  }

  windowAt(): undefined {}
}

/** Several quotas, all of which have to have room. */
class AllOf implements Quota {
  readonly #quotas: readonly SlidingQuota[];

  constructor(quotas: readonly SlidingQuota[]) {
    this.#quotas = quotas;
  }

  admits(now: number): boolean {
    if (!this.#quotas.every((quota) => quota.hasRoom(now))) return false;
    for (const quota of this.#quotas) quota.admits(now);
    return true;
  }

  freeIn(now: number): number {
    return Math.max(...this.#quotas.map((quota) => quota.freeIn(now)));
  }

  tells(now: number): Record<string, string> {
    return this.#quotas[0]?.tells(now) ?? {};
  }

  windowAt(): undefined {}
}
