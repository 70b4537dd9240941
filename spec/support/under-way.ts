import axios, { type InternalAxiosRequestConfig } from 'axios';
import { Authenticators } from '../../lib/auth/authenticators.ts';
import { Breaker } from '../../lib/breaker/circuit.ts';
import { localLimiter } from '../../lib/index.ts';
import { isList } from '../../lib/limit/options.ts';
import { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import { Plan, type Shared } from '../../lib/loop/plan.ts';
import { zeroCounters } from '../../lib/observe/counters.ts';
import { Emitter } from '../../lib/observe/emitter.ts';
import { UnderWay } from '../../lib/observe/pending.ts';
import { DEFAULTS } from '../../lib/policy/defaults.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { resolve } from '../../lib/policy/resolve.ts';
import { RetryBudget } from '../../lib/retry/budget.ts';
import { AxiosErrors } from '../../lib/send/axios-errors.ts';
import { quiet } from './credentials.ts';
import { ManualClock } from './manual-clock.ts';

/** What an attachment lends its calls, by a clock that is moved by hand. Refreshes tell nobody. */
export function sharedBy(clock = new ManualClock()): Shared {
  const bareInstance = () => axios.create();
  const authenticators = new Authenticators({ clock, beginner: quiet, baseUrl: () => undefined });
  return {
    clock,
    wallAheadMs: () => clock.wall() - clock.now(),
    random: () => 1,
    events: new Emitter(clock),
    counters: zeroCounters(),
    underWay: new UnderWay(clock),
    instrumented: { by: undefined, isDetached: false },
    queue: new Set(),
    budget: new RetryBudget(DEFAULTS.retry.budget),
    breaker: new Breaker(DEFAULTS.breaker),
    limiter: (limit) => {
      if (isList(limit)) throw new Error('one limit is enough here');
      return 'acquire' in limit ? limit : localLimiter(limit);
    },
    authenticator: (auth) => authenticators.of(auth),
    errors: new AxiosErrors(bareInstance),
    bareInstance,
  };
}

export interface UnderWayCall {
  readonly call: CallUnderWay;
  readonly plan: Plan;
  readonly clock: ManualClock;
}

/** A call that has begun and not entered the loop. */
export function underWay(config: InternalAxiosRequestConfig, policy: Policy = {}): UnderWayCall {
  const clock = new ManualClock();
  const plan = new Plan(sharedBy(clock), resolve(policy));
  return { call: new CallUnderWay(config, plan), plan, clock };
}
