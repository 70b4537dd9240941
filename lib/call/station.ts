import type { InternalAxiosRequestConfig } from 'axios';
import type { LiveCall } from './live-call.ts';
import type { Refusal } from './refusal.ts';

/**
 * Where a policy acts on a call's way. There is one for all calls under a policy; what it has to remember of a call is that call's
 * slot for it, and nobody else looks in there.
 *
 * A send goes by all stations four times: it enters (and may have to wait), departs (in the turn in which the request leaves), arrives
 * (with whatever came back), and leaves with its call. Each station has only what it needs of that. What each is told on arrival differs, so
 * `arrive` is not among what they have in common.
 */
export interface Station<C extends LiveCall = LiveCall> {
  /** Before a send: gets what the send needs, and may wait for it; gives the reason where it may not be sent. */
  enter?(call: C, nowMs: number): Refusal | undefined | Promise<Refusal | undefined>;
  /** All sends to come are made of this config: `onRetry` has changed it, or an answer has named another URL. */
  reroute?(call: C, config: InternalAxiosRequestConfig): Refusal | undefined;
  /** `beforeSend` has turned this one send, perhaps to where other bounds hold. */
  moveTo?(call: C, config: InternalAxiosRequestConfig): Refusal | undefined | Promise<Refusal | undefined>;
  /** In the turn of the send: refuses it, or counts it as under way. */
  depart?(call: C, nowMs: number): Refusal | undefined;
  /** Writes on a request what the policy puts there. */
  stamp?(call: C, config: InternalAxiosRequestConfig): void;
  /** The call is over, or its next send will not be made: gives back what was not used. May be asked more than once. */
  leave?(call: C): void;
}
