import type { AxiosInstance } from 'axios';
import type { Authenticators } from '../auth/authenticators.ts';
import type { Breakers } from '../breaker/breakers.ts';
import type { EventName, EventOf } from '../call/events.ts';
import type { Outcome } from '../call/outcome.ts';
import type { Evidence } from '../classify/options.ts';
import type { Limiters } from '../limit/limiters.ts';
import type { NumbersFor } from '../limit/numbers-for.ts';
import type { House } from '../policy/house.ts';
import type { Policy, ResolvedPolicy } from '../policy/options.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { Shared } from './plan.ts';

/** What an attachment lends its rooms. */
export interface Lent extends Pick<Shared, 'clock' | 'wallAheadMs' | 'random' | 'counters' | 'queue'> {
  readonly axios: AxiosInstance;
  /** What the policy's own code is shown of an outcome. */
  readonly evidence: (call: CallUnderWay, outcome: Outcome) => Evidence;
  /** Tells of what happens outside of any one call. */
  readonly tell: <E extends EventName>(name: E, event: EventOf<E>) => void;
  readonly storeLost: (key: string, error: unknown) => void;
}

/** The policy of an attachment. */
export interface AttachedPolicy {
  readonly resolved: ResolvedPolicy;
  /** As it was given: the very objects. */
  readonly written: Policy;
}

/** What the rooms that not every entry loads are to one attachment. Each is opened when a policy first needs it. */
export class OpenRooms {
  /** Those that are open. */
  authenticators: Authenticators | undefined = undefined;
  breakers: Breakers<CallUnderWay> | undefined = undefined;
  limiters: Limiters | undefined = undefined;
  #house: House;
  readonly #lent: Lent;
  #policy: AttachedPolicy;

  constructor(house: House, lent: Lent, policy: AttachedPolicy) {
    this.#house = house;
    this.#lent = lent;
    this.#policy = policy;
  }

  /**
   * The attachment has another policy. Calls under way have their stations.
   *
   * @returns has the numbers of its limit hold: see `Limiters`
   * @throws {InvalidPolicyError} where it cannot hold here; nothing has changed then
   */
  update(house: House, policy: AttachedPolicy, numbers: NumbersFor | undefined): ReturnType<Limiters['update']> {
    const { axios } = this.#lent;
    const before = this.#policy.resolved;
    const { auth, breaker, limit } = policy.resolved;
    const ofAuth = auth === false ? undefined : house.roomFor('auth', auth);
    ofAuth?.requireOrigins(auth, axios);
    numbers?.of.update?.(numbers.options);
    this.#house = house;
    this.#policy = policy;
    const holds = this.limiters?.update(limit);
    this.breakers?.update(breaker);
    if (this.authenticators !== undefined)
      ofAuth?.update(this.authenticators, axios, [before.auth, auth], policy.written.auth);
    return holds ?? (() => {});
  }

  /** @param auth of a call's policy, or of the attached one */
  auth(auth: object): Authenticators {
    const { resolved, written } = this.#policy;
    this.authenticators ??= this.#house.roomFor('auth', auth).open(this.#lent, resolved, written);
    return this.authenticators;
  }

  breaker(breaker: object): Breakers<CallUnderWay> {
    this.breakers ??= this.#house.roomFor('breaker', breaker).open(this.#lent, this.#policy.resolved);
    return this.breakers;
  }

  limit(limit: object): Limiters {
    this.limiters ??= this.#house.roomFor('limit', limit).open(this.#lent, this.#policy.resolved);
    return this.limiters;
  }
}
