import type { AxiosInstance } from 'axios';
import type { AuthStation } from '../auth/station.ts';
import type { BreakerStation } from '../breaker/station.ts';
import type { EventName, EventOf } from '../call/events.ts';
import type { Terms } from '../call/live-call.ts';
import type { PendingPhase } from '../call/wait.ts';
import { CorrelationStation } from '../correlation/station.ts';
import { IDEMPOTENCY } from '../idempotency/options.ts';
import { IdempotencyStation } from '../idempotency/station.ts';
import type { LimitStation } from '../limit/station.ts';
import type { Counters } from '../observe/counters.ts';
import { type Ears, type Emitter, earsOf } from '../observe/emitter.ts';
import type { Instrumented } from '../observe/instrumentation.ts';
import type { UnderWay } from '../observe/pending.ts';
import type { ResolvedPolicy } from '../policy/options.ts';
import type { RetryBudget } from '../retry/budget.ts';
import { BudgetStation } from '../retry/budget-station.ts';
import { RETRY } from '../retry/options.ts';
import type { AxiosErrors } from '../send/axios-errors.ts';
import type { Clock, Random } from '../time/clock.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { OpenRooms } from './open-rooms.ts';

/** What the calls of one attachment share. */
export interface Shared {
  readonly clock: Clock;
  /** How far the time of day is ahead of the clock, in ms: what is shown is shown by that. */
  readonly wallAheadMs: () => number;
  readonly random: Random;
  readonly events: Emitter;
  readonly counters: Counters;
  readonly underWay: UnderWay;
  readonly instrumented: Instrumented;
  /** How each call that waits for the limiter or for a token is refused when the attachment is closed. */
  readonly queue: Set<() => void>;
  readonly budget: RetryBudget;
  readonly rooms: Pick<OpenRooms, 'auth' | 'breaker' | 'limit'>;
  /** The errors of axios that we make ourselves. */
  readonly errors: AxiosErrors;
  /** An instance of the same copy of axios without our interceptor. */
  bareInstance(): AxiosInstance;
}

/** How the calls under one policy are made: its stations, each there only where the policy is on, and what its attachment lends them. */
export class Plan implements Terms {
  readonly policy: ResolvedPolicy;
  readonly idempotency: IdempotencyStation | undefined;
  readonly correlation: CorrelationStation | undefined;
  readonly auth: AuthStation | undefined;
  readonly breaker: BreakerStation<CallUnderWay> | undefined;
  readonly limit: LimitStation | undefined;
  readonly budget: BudgetStation | undefined;

  readonly clock: Clock;
  readonly wallAheadMs: () => number;
  readonly random: Random;
  readonly counters: Counters;
  readonly underWay: UnderWay;
  readonly instrumented: Instrumented;
  readonly errors: AxiosErrors;
  readonly bareInstance: () => AxiosInstance;
  readonly deadlineMs: number;
  readonly mayMove: boolean;
  readonly hears: Ears;
  readonly ids: readonly string[];
  readonly readError: Terms['readError'];
  /** The header of the idempotency key: the caller may set one also where the policy makes none. */
  readonly keyHeader: string;
  readonly #events: Emitter;

  constructor(shared: Shared, policy: ResolvedPolicy) {
    const { auth, beforeSend, breaker, correlation, idempotency, limit, retry } = policy;
    const { clock, rooms } = shared;
    const { budget, retryAfter } = retry || RETRY.defaults;
    const pauses = { heeded: retryAfter !== false, bounds: retryAfter || RETRY.defaults.retryAfter };
    this.policy = policy;
    this.idempotency = idempotency === false ? undefined : new IdempotencyStation(idempotency);
    this.correlation = correlation === false ? undefined : new CorrelationStation(correlation);
    this.auth = auth === false ? undefined : rooms.auth(auth).station(auth);
    this.breaker = breaker === false ? undefined : rooms.breaker(breaker).station(breaker);
    this.limit = limit === false ? undefined : rooms.limit(limit).station(limit, pauses);
    this.budget = retry === false || budget === false ? undefined : new BudgetStation(shared.budget, budget);

    this.clock = clock;
    this.wallAheadMs = shared.wallAheadMs;
    this.random = shared.random;
    this.counters = shared.counters;
    this.underWay = shared.underWay;
    this.instrumented = shared.instrumented;
    this.errors = shared.errors;
    this.bareInstance = shared.bareInstance;
    this.deadlineMs = policy.deadlineMs;
    this.mayMove = beforeSend.length > 0;
    this.ids = policy.ids;
    this.readError = policy.readError;
    this.keyHeader = (idempotency || IDEMPOTENCY.defaults).header;
    this.hears = earsOf(shared.events, policy);
    this.#events = shared.events;
  }

  emit<E extends EventName>(name: E, event: EventOf<E>): void {
    this.#events.emit(name, this.policy, event);
  }

  watch(phase: PendingPhase): void {
    this.underWay.watch(phase);
  }
}
