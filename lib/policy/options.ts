import type { InternalAxiosRequestConfig } from 'axios';
import { AUTH } from '../auth/options.ts';
import { BREAKER } from '../breaker/options.ts';
import type { EventName, Listener } from '../call/events.ts';
import type { Classifier, ResolvedRules, StatusRules } from '../classify/options.ts';
import { CORRELATION } from '../correlation/options.ts';
import { IDEMPOTENCY } from '../idempotency/options.ts';
import { LIMIT } from '../limit/options.ts';
import type { Log } from '../observe/log.ts';
import { POLL } from '../poll/options.ts';
import { RETRY } from '../retry/options.ts';
import type { BeforeSend } from '../send/before-send.ts';

/**
 * One line for each policy: what a user is told of it, its name, its room. A new one takes its folder, and its line here. A policy may
 * say `false` for each.
 */
export const ROOMS = {
  /** Retrying of what may pass. On by default; `false` sends every call once. */
  retry: RETRY,
  /**
   * How a `pending` answer is asked for again, as a judge or `statuses: { 202: 'pending' }` has it. `false`: such an answer is a success.
   *
   * With a `Location` (or `Operation-Location`) the further sends are GETs of it, without body, idempotency key and, at another origin,
   * credentials. Else a method that is idempotent is sent again. A POST or PATCH never is: without a Location its answer is what the
   * call resolves with. A poll takes a permit; it costs no retry and no budget, and the breaker does not hear of it. `maxRetries` counts
   * anew after each pending answer.
   */
  poll: POLL,
  /** An idempotency key for calls that are not idempotent by method. Off by default; `{}` turns it on. */
  idempotency: IDEMPOTENCY,
  /**
   * A token on every send, refreshed once for everybody. Off by default; a call can turn it off with `false`. What `credentials()` makes
   * can be given to several instances.
   */
  auth: AUTH,
  /** One id for all sends of a call, for the server's logs. Off by default; `{}` turns it on. */
  correlation: CORRELATION,
  /**
   * What every send has to pass first. Off by default: nothing waits in line, and a 429 delays only its own call. All calls of an
   * attachment share one limiter; pass the same `Limiter` to several instances to share it among them. A call may say `false`, lay a
   * `key`, `priority` or `maxWaitMs` over it, or bring another `Limiter`; numbers of its own are refused. In a config's
   * `holdfast` a limiter has to be a class instance: axios clones plain objects.
   */
  limit: LIMIT,
  /** Stops sending to a server that fails, for a while. Off by default; `{}` turns it on. */
  breaker: BREAKER,
};

type Rooms = typeof ROOMS;
type OfRooms = { readonly [K in keyof Rooms]?: false | Rooms[K]['types']['given'] | undefined };
type ResolvedOfRooms = { readonly [K in keyof Rooms]: false | Rooms[K]['types']['resolved'] };
export type DefaultsOfRooms = { readonly [K in keyof Rooms]: Rooms[K]['defaults'] };

/**
 * What `attach` is given, and what a single call may override in its config's `holdfast`.
 *
 * Plain readonly data and functions. Every option may be left out, and an explicit `undefined` is the same as leaving it
 * out.
 */
export interface Policy extends OfRooms {
  /**
   * What a status means here, overriding the built-in table: `retry` (subject to whether a repeat is harmless), `fail`
   * at once, `refresh` the token, or `pending`: the server has not finished, ask again (see `poll`). For instance `{ 500: 'retry' }`. Keys are statuses from 100 to 999 and ranges: `503` goes before
   * `'50x'`, and that before `'5xx'`. A range holds for all of it: `{ '4xx': 'fail' }` ends a 401 and a 429 as well.
   */
  readonly statuses?: StatusRules | undefined;
  /** A judge of your own, or several; the first that has an opinion decides. */
  readonly classify?: Classifier | readonly Classifier[] | undefined;
  /**
   * Bounds the whole call, in ms: queueing, waiting, refreshing, all sends, and the body of a streamed answer; axios' `timeout` goes on
   * bounding one send.
   * Above 0; default `Infinity`.
   */
  readonly deadlineMs?: number | undefined;
  /**
   * Makes a body afresh for every send after the first, where the call's own can be read only once (a stream, the
   * `form-data` package). It gives what goes on the wire: `transformRequest` is not run on it. If it throws, the call
   * rejects with what it threw.
   */
  readonly body?: ((config: InternalAxiosRequestConfig) => unknown) | undefined;
  /**
   * Changes a send just before it leaves: to sign it, stamp it, or send it elsewhere. Where that changes a key, limiter, budget and
   * breaker go by the new one: the permit is dropped, and one of that place taken. It is not run again then.
   */
  readonly beforeSend?: BeforeSend | readonly BeforeSend[] | undefined;
  /** Listeners by event name; `'*'` hears every event, with its `name`. Never awaited; one that throws or rejects breaks nothing. */
  readonly on?: { readonly [E in EventName | '*']?: Listener<E> | readonly Listener<E>[] | undefined } | undefined;
  /**
   * A line for each event: how long after its call began, which call, what happens and why. `'retries'` tells of retries, pauses,
   * refreshes, budget, breaker and calls that are given up, `'all'` of everything: on stderr under Node, else on the console. A `Logger`
   * is told everything, by level. Default `false`. `NODE_DEBUG=holdfast` in the environment does `'all'` without a line of code. A
   * logger that throws breaks nothing.
   */
  readonly log?: false | Log | undefined;
}

/** A policy with every default filled in, frozen. It is a `Policy` again. */
export interface ResolvedPolicy extends ResolvedOfRooms, ResolvedRules {
  readonly deadlineMs: number;
  readonly body?: Policy['body'];
  readonly beforeSend: readonly BeforeSend[];
  readonly on: { readonly [E in EventName | '*']?: readonly Listener<E>[] };
  readonly log: false | Log;
}
