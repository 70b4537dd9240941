import { bringing, broughtBy } from '../room.ts';
import type { Limiter, LimiterStats, Permit, PermitRequest } from './limiter.ts';
import type { LimitOptions } from './options.ts';

/** What says who goes where, and what it costs. */
export const TELLING = [
  'key',
  'priority',
  'weight',
  'settle',
  'quota',
] as const satisfies readonly (keyof LimitOptions)[];

/** What a policy may say about a limiter that was handed in: who goes where, and for how long, and what it costs. Not how fast. */
export const ADJUSTABLE: readonly string[] = [...TELLING, 'maxWaitMs'];

/** The options that cannot be laid over a limiter that was handed in. */
export const numbersIn = (options: LimitOptions): readonly string[] =>
  Object.entries(options).flatMap(([name, value]) => (value === undefined || ADJUSTABLE.includes(name) ? [] : [name]));

/** On every `AdjustedLimiter`; registered, so that a second copy of this package sees it too. */
const ADJUSTED = Symbol.for('axios-holdfast.adjusted-limiter');
export const isAdjusted = (limit: Limiter): limit is AdjustedLimiter => ADJUSTED in limit;

/** A limiter that was handed in, under somebody's own key, priority, weights or patience. */
export class AdjustedLimiter implements Limiter {
  readonly [ADJUSTED] = true;
  readonly limiter: Limiter;
  readonly key: Limiter['key'];
  readonly priority: Limiter['priority'];
  readonly weight: Limiter['weight'];
  readonly settle: Limiter['settle'];
  readonly quota: Limiter['quota'];
  readonly maxWaitMs: number | undefined;

  constructor(under: Limiter, { key, priority, weight, settle, quota, maxWaitMs }: LimitOptions) {
    const before = isAdjusted(under) ? under : undefined;
    this.limiter = before?.limiter ?? under;
    this.key = key ?? under.key;
    this.priority = priority ?? under.priority;
    this.weight = weight ?? under.weight;
    this.settle = settle ?? under.settle;
    this.quota = quota ?? under.quota;
    this.maxWaitMs = maxWaitMs ?? before?.maxWaitMs;
    bringing(this, broughtBy(under, 'limit'));
  }

  acquire(request: PermitRequest): Permit | Promise<Permit> {
    return this.limiter.acquire(request);
  }

  pause(key: string, untilAt: number): void {
    this.limiter.pause(key, untilAt);
  }

  close(): Promise<void> {
    return this.limiter.close();
  }

  stats(): LimiterStats {
    return this.limiter.stats();
  }
}
