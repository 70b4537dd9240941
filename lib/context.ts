import type { AxiosError, AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import type { Authenticator } from './auth/authenticator.ts';
import type { CredentialSet } from './auth/credential-set.ts';
import type { ResolvedAuth } from './auth/options.ts';
import type { Breaker } from './breaker/circuit.ts';
import { CallState } from './call/call.ts';
import type { Cancellation } from './call/cancellation.ts';
import type { EventName, EventOf } from './call/events.ts';
import type { Outcome } from './call/outcome.ts';
import type { EndReason } from './call/report.ts';
import type { Limiter } from './limit/limiter.ts';
import type { ResolvedLimit } from './limit/options.ts';
import type { Tally } from './observe/counters.ts';
import type { Emitter } from './observe/emitter.ts';
import type { UnderWay, Wait } from './observe/pending.ts';
import type { ResolvedPolicy } from './policy/options.ts';
import type { RetryBudget } from './retry/budget.ts';
import type { AxiosErrors } from './send/axios-errors.ts';
import { cancellationOf } from './send/cancellation.ts';
import type { Clock, Random } from './time/clock.ts';

/** What the calls of one attachment share. */
export interface Shared {
  readonly clock: Clock;
  /** How far the time of day is ahead of the clock, in ms: what is shown is shown by that. */
  wallAheadMs(): number;
  readonly random: Random;
  readonly events: Emitter;
  readonly tally: Tally;
  readonly underWay: UnderWay;
  /** How each call that waits for the limiter or for a token is refused when the attachment is closed. */
  readonly queue: Set<() => void>;
  readonly budget: RetryBudget;
  readonly breaker: Breaker;
  limiter(limit: Limiter | ResolvedLimit): Limiter;
  authenticator(auth: ResolvedAuth | CredentialSet): Authenticator;
  /** The errors of axios that we make ourselves. */
  readonly errors: AxiosErrors;
  /** An instance of the same copy of axios without our interceptor. */
  bareInstance(): AxiosInstance;
}

/** Why a call ends without another send, and what the caller gets. */
export interface Refusal {
  readonly outcome: Outcome;
  readonly why: EndReason;
}

/** What the steps of one call have in common. */
export class CallContext {
  readonly shared: Shared;
  readonly policy: ResolvedPolicy;
  readonly call: CallState;
  readonly cancellation: Cancellation | undefined;
  /** What it waits for now, if it does. */
  waiting: Wait | undefined;
  /** When the last wait began, on the clock. */
  since = 0;
  /** Whether what it waits for is the caller, who reads a stream. */
  isStreaming = false;

  constructor(shared: Shared, policy: ResolvedPolicy, config: InternalAxiosRequestConfig) {
    this.shared = shared;
    this.policy = policy;
    this.call = new CallState(config, shared.clock.now(), policy.deadlineMs, shared.wallAheadMs);
    this.cancellation = cancellationOf(config);
  }

  /** Whether a send may go elsewhere than the call itself: only `beforeSend` can see to that. */
  get mayMove(): boolean {
    return this.policy.beforeSend.length > 0;
  }

  /** Why the call must go no further; `undefined` while it may. */
  over(): Refusal | undefined {
    if (this.cancellation?.requested) return this.cancelled();
    const { deadlineAt } = this.call;
    if (deadlineAt === Number.POSITIVE_INFINITY) return undefined;
    return this.shared.clock.now() >= deadlineAt ? this.overdue() : undefined;
  }

  cancelled(): Refusal {
    return { outcome: { error: this.shared.errors.canceledError(this.call.config) }, why: 'cancelled' };
  }

  /** Once a send has been answered, the call ends with that answer. */
  overdue(): Refusal {
    const { call } = this;
    return { outcome: call.outcome ?? { error: this.deadlineError(call.config) }, why: 'deadline' };
  }

  /** axios' own error for a send that the call's deadline cut off; `during` says at what, if not before it was answered. */
  deadlineError(config: InternalAxiosRequestConfig, during = '', request?: unknown): AxiosError {
    const { policy, shared } = this;
    const message = `deadline of ${Math.round(policy.deadlineMs)}ms exceeded${during}`;
    return shared.errors.axiosError(message, 'ETIMEDOUT', config, request);
  }

  /** From now on the call waits for that. */
  waits(wait: Wait): void {
    this.waiting = wait;
    this.since = this.shared.clock.now();
    if (this.call.deadlineAt === Number.POSITIVE_INFINITY) this.shared.underWay.watch(wait.phase);
  }

  /** It is over for the loop, and its body is on its way to the caller, however long that takes. */
  streams(wait: Wait): void {
    this.waiting = wait;
    this.since = this.shared.clock.now();
    this.isStreaming = true;
  }

  /** It waits no more; gives how long it did, in ms. */
  waited(): number {
    this.waiting = undefined;
    return this.shared.clock.now() - this.since;
  }

  /** Whether anybody listens, for events that cost something to put together. */
  heard(name: EventName): boolean {
    return this.shared.events.wants(name, this.policy);
  }

  tell<E extends EventName>(name: E, about: Omit<EventOf<E>, 'call'>): void {
    if (!this.heard(name)) return;
    this.shared.events.emit(name, this.policy, { call: this.call.snapshot(), ...about } as EventOf<E>);
  }
}
