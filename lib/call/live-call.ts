import type { AxiosError, InternalAxiosRequestConfig } from 'axios';
import { CallState } from './call.ts';
import type { Cancellation } from './cancellation.ts';
import type { EventName, EventOf } from './events.ts';
import type { Refusal } from './refusal.ts';
import type { PendingPhase, Wait } from './wait.ts';

/** What a call goes by: the bounds of its policy, and what it needs of its attachment. One for all calls under a policy. */
export interface Terms {
  readonly deadlineMs: number;
  /** Whether a send may go elsewhere than the call itself: only `beforeSend` can see to that. */
  readonly mayMove: boolean;
  readonly clock: { now(): number };
  /** How far the time of day is ahead of the clock, in ms: what is shown is shown by that. */
  readonly wallAheadMs: () => number;
  /** The headers that a failure's ids stand in, and who reads errors of a form that nobody else knows: see `Policy`. */
  readonly ids: readonly string[];
  readonly readError?:
    | ((body: unknown) => { readonly code: string; readonly message?: string | undefined } | undefined)
    | undefined;
  readonly errors: {
    axiosError(message: string, code: string, config: InternalAxiosRequestConfig, request?: unknown): AxiosError;
    canceledError(config: InternalAxiosRequestConfig): unknown;
  };
  /** Whether anybody would hear of that event of these calls. */
  readonly hears: { readonly [E in EventName]: () => boolean };
  emit<E extends EventName>(name: E, event: EventOf<E>): void;
  /** A call without a deadline has begun to wait. */
  watch(phase: PendingPhase): void;
}

/** A call that is being made: what it waits for, how it ends before its time, and whom it tells. */
export class LiveCall extends CallState {
  readonly terms: Terms;
  readonly cancellation: Cancellation | undefined;
  /** What it waits for now, if it does. */
  waiting: Wait | undefined = undefined;
  /** When the last wait began, on the clock. */
  since = 0;
  /** Whether what it waits for is the caller, who reads a stream. */
  isStreaming = false;

  /** Those that began before and after it, of the calls that are under way. */
  before: LiveCall | undefined = undefined;
  after: LiveCall | undefined = undefined;

  constructor(config: InternalAxiosRequestConfig, terms: Terms, cancellation: Cancellation | undefined) {
    super(config, terms.clock.now(), terms.deadlineMs, terms.wallAheadMs);
    this.terms = terms;
    this.cancellation = cancellation;
  }

  /** Why it must go no further; `undefined` while it may. */
  ended(nowMs: number): Refusal | undefined {
    if (this.cancellation?.requested) return this.cancelled();
    return nowMs >= this.deadlineAt ? this.deadlineRefusal() : undefined;
  }

  cancelled(): Refusal {
    return { outcome: { error: this.terms.errors.canceledError(this.config) }, why: 'cancelled' };
  }

  /** Its deadline has passed. Once a send has been answered, the call ends with that answer. */
  deadlineRefusal(): Refusal {
    return { outcome: this.outcome ?? { error: this.deadlineError(this.config) }, why: 'deadline' };
  }

  /** axios' own error for a send that the call's deadline cut off; `during` says at what, if not before it was answered. */
  deadlineError(config: InternalAxiosRequestConfig, during = '', request?: unknown): AxiosError {
    const { deadlineMs, errors } = this.terms;
    const message = `deadline of ${Math.round(deadlineMs)}ms exceeded${during}`;
    return errors.axiosError(message, 'ETIMEDOUT', config, request);
  }

  /** How long anything may take that it waits for, by that clock. */
  timeout<C extends { now(): number }>(clock: C): { ms: number; clock: C; cancellation: Cancellation | undefined } {
    return { ms: this.deadlineAt - clock.now(), clock, cancellation: this.cancellation };
  }

  /** From now on it waits for that. */
  waits(wait: Wait): void {
    this.waiting = wait;
    this.since = this.terms.clock.now();
    if (this.deadlineAt === Number.POSITIVE_INFINITY) this.terms.watch(wait.phase);
  }

  /** It is over for the loop, and its body is on its way to the caller, however long that takes. */
  streams(wait: Wait): void {
    this.waiting = wait;
    this.since = this.terms.clock.now();
    this.isStreaming = true;
  }

  /** It waits no more; gives how long it did, in ms. */
  waited(): number {
    this.waiting = undefined;
    return this.terms.clock.now() - this.since;
  }

  /** Where an event costs something to put together, `terms.hears` says whether to. */
  tell<E extends EventName>(name: E, about: Omit<EventOf<E>, 'call'>): void {
    if (this.terms.hears[name]()) this.terms.emit(name, { call: this.snapshot(), ...about } as EventOf<E>);
  }
}
