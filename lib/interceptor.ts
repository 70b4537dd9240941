import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import type { Terms } from './call/live-call.ts';
import type { Waiting } from './limit/station.ts';
import { CallUnderWay } from './loop/call-under-way.ts';
import { loop } from './loop/loop.ts';
import type { OpenRooms } from './loop/open-rooms.ts';
import { Plan, type Shared } from './loop/plan.ts';
import type { House } from './policy/house.ts';
import type { ResolvedPolicy } from './policy/options.ts';
import { Policies } from './policy/policies.ts';
import { adapterFor } from './send/adapter.ts';

/** On the function that loops: the adapter it is around. Registered, so that a second copy of this package sees it too. */
const AROUND = Symbol.for('axios-holdfast.around');

type AdapterOption = InternalAxiosRequestConfig['adapter'];

interface Looping extends AxiosAdapter {
  [AROUND]?: AdapterOption;
}

/**
 * The request interceptor: puts the loop around the adapter that this call would have used.
 *
 * Inside the adapter, because whatever the caller has around it (interceptors, transforms) must run once per call, not once
 * per send; and because the bytes on the wire stay the same from send to send.
 */
export function interceptor(rules: Rules): (config: InternalAxiosRequestConfig) => InternalAxiosRequestConfig {
  const around = (adapter: AdapterOption): Looping => {
    // Everything else waits until the adapter runs: interceptors after this one may still change the config.
    const looping: Looping = (sent) => {
      // The caller's config comes back with their own adapter, so that requesting it again starts one fresh loop.
      if (adapter === undefined) delete sent.adapter;
      else sent.adapter = Array.isArray(adapter) ? [...adapter] : adapter;
      return run(sent, rules.policies, rules.plans);
    };
    looping[AROUND] = adapter;
    return looping;
  };
  // Nearly every call comes with the instance's own adapter.
  let last = around(undefined);
  return (config) => {
    const adapter = ownAdapter(config.adapter);
    if (!isSame(adapter, last[AROUND])) last = around(adapter);
    try {
      config.adapter = last;
      return config;
    } catch {
      // An interceptor before this one may have frozen what it returned.
      return { ...config, adapter: last };
    }
  };
}

/** axios copies a list of adapters for every call. */
function isSame(one: AdapterOption, other: AdapterOption): boolean {
  if (one === other) return true;
  if (!Array.isArray(one) || !Array.isArray(other) || one.length !== other.length) return false;
  return one.every((each, i) => each === other[i]);
}

/**
 * A call that ends before its adapter runs (it was aborted by then, or an interceptor after ours refused it) hands out a config
 * that still has our function. Requested again it would be a loop in a loop.
 */
function ownAdapter(adapter: AdapterOption): AdapterOption {
  return typeof adapter === 'function' && AROUND in adapter ? (adapter as Looping)[AROUND] : adapter;
}

/** What holds for the calls of an attachment that begin now. Those that have begun go on by what held then. */
export class Rules {
  policies: Policies;
  plans: Plans;

  constructor(house: House, policy: ResolvedPolicy, shared: Shared) {
    this.policies = new Policies(house, policy);
    this.plans = new Plans(shared, policy);
  }

  /**
   * Another policy holds: who waits for a permit goes by its limit, and by what their own policies lay over that, all in one order.
   *
   * @param limitHolds has the numbers of that limit hold. Nobody is to be let out by them who has to go elsewhere
   */
  update(house: House, policy: ResolvedPolicy, shared: Shared, limitHolds: ReturnType<OpenRooms['update']>): void {
    this.plans = new Plans(shared, policy);
    this.policies = new Policies(house, policy);
    const seen = new Set<Terms>();
    const waiting: Waiting[] = [];
    for (const { terms, config } of shared.underWay.all()) {
      if (seen.has(terms) || !(terms instanceof Plan)) continue;
      seen.add(terms);
      const plan = this.#planNow(config);
      if (plan !== undefined) waiting.push(...(terms.limit?.replaceBy(plan.limit) ?? []));
    }
    waiting.sort((a, b) => a.priority - b.priority || a.since - b.since);
    limitHolds(waiting.map(({ goOver }) => goOver()));
  }

  /** How that call would be made if it began now; `undefined` where its own policy cannot be laid over the new one. */
  #planNow({ holdfast }: InternalAxiosRequestConfig): Plan | undefined {
    if (holdfast === false) return undefined;
    try {
      return this.plans.of(this.policies.of(holdfast));
    } catch {
      return undefined;
    }
  }
}

/** The plans of one attachment's calls, one for each policy. */
class Plans {
  readonly shared: Shared;
  readonly attached: Plan;
  readonly #others = new WeakMap<ResolvedPolicy, Plan>();

  constructor(shared: Shared, attached: ResolvedPolicy) {
    this.shared = shared;
    this.attached = new Plan(shared, attached);
  }

  of(policy: ResolvedPolicy): Plan {
    if (policy === this.attached.policy) return this.attached;
    const plan = this.#others.get(policy) ?? new Plan(this.shared, policy);
    this.#others.set(policy, plan);
    return plan;
  }
}

function run(config: InternalAxiosRequestConfig, policies: Policies, plans: Plans): Promise<AxiosResponse> {
  const { holdfast } = config;
  const { counters, errors, bareInstance, instrumented, underWay } = plans.shared;
  try {
    if (holdfast === false) return adapterFor(config, bareInstance)(config);
    // Once in the life of an attachment, and only to another copy of axios than ours.
    const ready = errors.ready(config);
    if (ready !== undefined) return ready.then(() => run(config, policies, plans));
    const plan = plans.of(policies.of(holdfast));
    const call = new CallUnderWay(config, plan);
    counters.calls += 1;
    underWay.begun(call);
    const { by } = instrumented;
    return by === undefined ? loop(call, plan) : by.call(call, () => loop(call, plan));
  } catch (error) {
    return Promise.reject(error);
  }
}
