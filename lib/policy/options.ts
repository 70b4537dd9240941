import type { InternalAxiosRequestConfig } from 'axios';
import type { AUTH } from '../auth/options.ts';
import type { BREAKER } from '../breaker/options.ts';
import type { EventName, Listener } from '../call/events.ts';
import type { Classifier, ResolvedRules, StatusRules } from '../classify/options.ts';
import type { CORRELATION } from '../correlation/options.ts';
import type { OwnError } from '../failure/api-error.ts';
import type { IDEMPOTENCY } from '../idempotency/options.ts';
import type { LIMIT } from '../limit/options.ts';
import type { Log } from '../observe/log.ts';
import type { POLL } from '../poll/options.ts';
import type { RETRY } from '../retry/options.ts';
import type { BeforeSend } from '../send/before-send.ts';

/** One line for each policy: its name, its options, and what a user is told of it. Each may be `false` in a policy. */
export interface Groups {
  /** Repeats a send that failed, where that may help and can do no harm. On by default; `false` sends every call once. */
  readonly retry: typeof RETRY;
  /**
   * Asks again for an answer that is `pending`, as `statuses: { 202: 'pending' }` or a judge says. On by default; with `false` such an
   * answer is a success.
   *
   * Where the answer has a `Location` (or `Operation-Location`), that is asked from then on, by GET: without body, without idempotency key
   * and, at another origin, without credentials. Else the request itself is sent again, if its method is idempotent. A POST or PATCH is
   * never sent again: without a Location, its answer is what the call resolves with.
   *
   * A poll takes a permit of the limiter. It is no retry: it takes nothing of the budget, the breaker does not hear of it, and `maxRetries`
   * counts anew after each pending answer.
   */
  readonly poll: typeof POLL;
  /** Adds an idempotency key to calls whose method is not idempotent, so that they can be repeated. Off by default; `{}` turns it on. */
  readonly idempotency: typeof IDEMPOTENCY;
  /**
   * Puts a token on every send, and refreshes it once for all calls. Off by default. Takes options, or what `credentials()` makes, which
   * several instances can share.
   */
  readonly auth: typeof AUTH;
  /** Adds one id to all sends of a call, for the server's logs. Off by default; `{}` turns it on. */
  readonly correlation: typeof CORRELATION;
  /**
   * What every send has to pass first: a rate, or how many may be under way. Off by default: then no send waits in a queue, and a 429
   * delays only its own call.
   *
   * May be a list: then a send needs leave of all of them, and takes nothing of any while it waits. A 429 pauses all those that its send
   * drew on.
   *
   * All calls of an attachment share one limiter. Several instances share one when each is given the same `Limiter`, as `localLimiter`
   * makes it. A call may say `false`, have a `key`, `priority` or `maxWaitMs` of its own, or bring another `Limiter`. Numbers of its own
   * are refused. A `Limiter` that a call brings must be an instance of a class, since axios clones plain objects.
   *
   * @example
   * // 50 a second in all, and 5 to each route.
   * attach(client, { limit: [{ requests: 50, perMs: 1_000 }, { requests: 5, perMs: 1_000, key: ({ url = '' }) => url.split('?')[0] ?? '' }] });
   */
  readonly limit: typeof LIMIT;
  /** Stops sending for a while to a server that fails. Off by default; `{}` turns it on. */
  readonly breaker: typeof BREAKER;
}

type OfRooms = { readonly [K in keyof Groups]?: false | Groups[K]['types']['given'] | undefined };
type ResolvedOfRooms = { readonly [K in keyof Groups]: false | Groups[K]['types']['resolved'] };

/**
 * What `attach` is given, and what a call may say for itself in its config's `holdfast`: that is laid over the attached policy, option by
 * option.
 *
 * Plain readonly data and functions. Each option may be left out; `undefined` is the same as leaving it out.
 *
 * @example
 * attach(client, { retry: { maxRetries: 5 }, deadlineMs: 30_000 });
 * await client.post('/orders', order, { holdfast: { idempotency: {}, deadlineMs: 5_000 } });
 */
export interface Policy extends OfRooms {
  /**
   * What a status means here, where that differs from the built-in table: `'retry'` (where a repeat can do no harm), `'fail'` at once,
   * `'refresh'` the token, or `'pending'`: ask again (see `poll`). For instance `{ 500: 'retry' }`.
   *
   * Keys are statuses from 100 to 999, and ranges. The narrower one counts: `503` goes before `'50x'`, and that before `'5xx'`. A range
   * holds for all in it: `{ '4xx': 'fail' }` ends a 401 and a 429, too.
   */
  readonly statuses?: StatusRules | undefined;
  /**
   * Says what an outcome means, before the built-in table is asked. Several judges are asked in order, until one has an opinion.
   *
   * @example
   * classify: ({ status, data }) => (status === 409 && data?.code === 'LOCKED' ? { kind: 'transient', unapplied: true } : undefined),
   */
  readonly classify?: Classifier | readonly Classifier[] | undefined;
  /**
   * How long the whole call may take, in ms: the queue, the waits, refreshes, all sends, and the body of a streamed answer. The `timeout`
   * of axios bounds each send, as ever. Above 0; default `Infinity`.
   */
  readonly deadlineMs?: number | undefined;
  /**
   * Makes a new body for each send after the first, where the call's own can be read only once: a stream, or a form of the package
   * `form-data`. What it gives is sent as it is, without `transformRequest`. If it throws, the call rejects with that.
   *
   * @example
   * await client.put('/files/1', createReadStream(path), { holdfast: { body: () => createReadStream(path) } });
   */
  readonly body?: ((config: InternalAxiosRequestConfig) => unknown) | undefined;
  /**
   * Headers of an answer (or fields of an error's body) that are kept in the `ids` of a failure, besides those that are known by
   * themselves. The first that ends in `request-id` is its `requestId`. Those of merged policies add up.
   */
  readonly ids?: readonly string[] | undefined;
  /**
   * Reads the error in a body of a form that `readApiError` does not know, for judges and failures: `{ Err: { No: 17, Text: 'no' } }`. It is
   * given the parsed body. `undefined`: it holds none.
   *
   * @example
   * readError: (body) => (body?.Err ? { code: String(body.Err.No), message: body.Err.Text } : undefined),
   */
  // biome-ignore lint/suspicious/noExplicitAny: a body may be anything, and axios types it the same
  readonly readError?: ((body: any) => OwnError | undefined) | undefined;
  /**
   * Changes a send just before it leaves: signs it, stamps it, or sends it elsewhere. Several run in order. A send that goes to another
   * origin (or `key`) gives its permit back and takes one of the new place. `beforeSend` is not run again for that.
   *
   * @example
   * beforeSend: ({ config }) => void config.headers.set('X-Timestamp', String(Date.now())),
   */
  readonly beforeSend?: BeforeSend | readonly BeforeSend[] | undefined;
  /**
   * Listeners by the name of their event; `'*'` hears every event, with its `name`. They are not awaited; one that throws or rejects breaks
   * nothing.
   */
  readonly on?: { readonly [E in EventName | '*']?: Listener<E> | readonly Listener<E>[] | undefined } | undefined;
  /**
   * Tells what happens, a line for each event: how long after the call began, which call, what, and why. `'retries'` tells of retries,
   * pauses, refreshes, budget, breaker and calls that are given up; `'all'` of everything. Both write to stderr under Node, else to the
   * console. A `Logger` is told everything, by level; one that throws breaks nothing. Default `false`.
   *
   * With `NODE_DEBUG=holdfast` in the environment, `'all'` is on without a line of code.
   */
  readonly log?: false | Log | undefined;
}

/** A policy with every default filled in, frozen. It is a `Policy` again. */
export interface ResolvedPolicy extends ResolvedOfRooms, ResolvedRules {
  readonly deadlineMs: number;
  readonly body?: Policy['body'];
  readonly ids: readonly string[];
  readonly readError?: Policy['readError'];
  readonly beforeSend: readonly BeforeSend[];
  readonly on: { readonly [E in EventName | '*']?: readonly Listener<E>[] };
  readonly log: false | Log;
}

/** What an object has that is a policy, for whoever takes it for something else. */
export const POLICY_OPTIONS: readonly string[] = [
  'retry',
  'poll',
  'idempotency',
  'auth',
  'correlation',
  'limit',
  'breaker',
  'statuses',
  'classify',
  'deadlineMs',
  'body',
  'ids',
  'readError',
  'beforeSend',
  'on',
  'log',
] satisfies (keyof Policy)[];
