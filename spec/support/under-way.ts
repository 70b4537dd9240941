import axios, { AxiosError, AxiosHeaders, type InternalAxiosRequestConfig } from 'axios';
import { Authenticators } from '../../lib/auth/authenticators.ts';
import { Breakers } from '../../lib/breaker/breakers.ts';
import type { Outcome } from '../../lib/call/outcome.ts';
import { evidenceOn } from '../../lib/classify/judging.ts';
import { Limiters } from '../../lib/limit/limiters.ts';
import type { ResolvedLimits } from '../../lib/limit/options.ts';
import { CallUnderWay } from '../../lib/loop/call-under-way.ts';
import type { Lent } from '../../lib/loop/open-rooms.ts';
import { Plan, type Shared } from '../../lib/loop/plan.ts';
import { zeroCounters } from '../../lib/observe/counters.ts';
import { Emitter } from '../../lib/observe/emitter.ts';
import { UnderWay } from '../../lib/observe/pending.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { RetryBudget } from '../../lib/retry/budget.ts';
import { AxiosErrors } from '../../lib/send/axios-errors.ts';
import { quiet } from './credentials.ts';
import { ManualClock } from './manual-clock.ts';
import { DEFAULTS, resolve } from './policies.ts';

/** What an attachment lends its rooms, by a clock that is moved by hand. */
export const lentBy = (clock = new ManualClock()): Lent => ({
  axios: axios.create(),
  clock,
  wallAheadMs: () => clock.wall() - clock.now(),
  random: () => 1,
  counters: zeroCounters(),
  queue: new Set(),
  evidence: (call, outcome) => evidenceOn(call, outcome, clock),
  tell: () => {},
  storeLost: () => {},
});

/** What an attachment lends its calls, by a clock that is moved by hand. Refreshes tell nobody. */
export function sharedBy(clock = new ManualClock()): Shared {
  const bareInstance = () => axios.create();
  const lent = lentBy(clock);
  const authenticators = new Authenticators({ ...lent, beginner: quiet, baseUrl: () => undefined });
  const breakers = new Breakers<CallUnderWay>(false, lent);
  return {
    ...lent,
    events: new Emitter(clock),
    underWay: new UnderWay(clock),
    instrumented: { by: undefined, isDetached: false },
    budget: new RetryBudget(DEFAULTS.retry.budget),
    rooms: {
      auth: () => authenticators,
      breaker: () => breakers,
      // Of the numbers of each policy, whatever is attached.
      limit: (limit) => new Limiters(limit as ResolvedLimits, lent),
    },
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

/** What comes of a send that is answered so: from 400 on an error. */
export function answered(
  config: InternalAxiosRequestConfig,
  status: number,
  { headers = {}, data = '' }: { headers?: Record<string, string>; data?: unknown } = {},
): Outcome {
  const response = { status, statusText: '', headers: new AxiosHeaders(headers), config, data, request: {} };
  return status < 400
    ? { response }
    : { error: new AxiosError(`status ${status}`, 'ERR_BAD_RESPONSE', config, {}, response) };
}
