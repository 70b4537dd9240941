import type { AxiosAdapter, InternalAxiosRequestConfig } from 'axios';
import type { Cancellation } from '../call/cancellation.ts';
import type { Outcome } from '../call/outcome.ts';
import type { Refusal } from '../call/refusal.ts';
import { kindOf } from '../check.ts';
import { isIdempotent } from '../retry/harmless.ts';
import { adapterFor } from '../send/adapter.ts';
import { borrow } from '../send/borrow.ts';
import { BoundedSend, type Bounds, dispatch } from '../send/dispatch.ts';
import { watchingEnv } from '../send/redirects.ts';
import { isReplayable } from '../send/replayable.ts';
import { copyOfConfig } from '../send/snapshot.ts';
import { withTimeout } from '../time/with-timeout.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { Plan } from './plan.ts';

/**
 * Puts the request together, sends it, and leaves no trace on the caller's config.
 *
 * @returns what came of it. Where the request was given up before it left, `call.refusedBecause` says why.
 */
export function send(call: CallUnderWay, plan: Plan, nowMs: number): Promise<Outcome> {
  if (call.sent > 0 || plan.policy.beforeSend.length > 0) return sendCopy(call, plan);
  const { config } = call;
  call.borrowed = borrow(config);
  watch(call, config);
  stamp(call, plan, config);
  return transmit(call, plan, config, nowMs);
}

/** A send after the first, or one that the caller wants to change: on a config of its own. */
async function sendCopy(call: CallUnderWay, plan: Plan): Promise<Outcome> {
  const { auth, clock, limit, policy } = plan;
  const config = copyOfConfig(call.template);
  watch(call, config);
  stamp(call, plan, config);
  const remake = call.sent > 0 && policy.body !== undefined && !isReplayable(config.data);
  if (remake || policy.beforeSend.length > 0) {
    const prepare = () => prepared(call, plan, config, remake);
    // A call from in there would wait for the permit that this one holds.
    const preparing = limit === undefined ? prepare() : limit.holding(call, prepare);
    const result = await withTimeout(preparing, call.timeout(clock));
    if (result.kind === 'cancelled') return refuse(call, call.cancelled());
    if (result.kind === 'timeout') return refuse(call, call.deadlineRefusal());
    if (result.value === 'stopped') {
      // Before the first send there is no outcome yet: the application has given the call up, as by its signal.
      return refuse(call, { outcome: call.outcome ?? call.cancelled().outcome, why: 'stopped' });
    }
    auth?.moveTo(call, config);
    const refused = plan.mayMove ? await moveTo(call, plan, config) : undefined;
    if (refused !== undefined) return refuse(call, refused);
  }
  return transmit(call, plan, config, clock.now());
}

/** Writes what the library itself puts on a request. */
function stamp(call: CallUnderWay, { auth, correlation, idempotency }: Plan, config: InternalAxiosRequestConfig): void {
  idempotency?.stamp(call, config);
  correlation?.stamp(call, config);
  auth?.stamp(call, config);
}

/**
 * Lets redirects be seen. Only where it matters (a repeat of anything else is harmless, and who answered a poll is what its relative
 * Location goes by) and is of use: a function has chosen its fetch already.
 */
function watch(call: CallUnderWay, config: InternalAxiosRequestConfig): void {
  if (typeof config.adapter === 'function' || (call.sent === 0 && isIdempotent(call.method))) return;
  config.env = watchingEnv(config);
}

/** The caller's own code makes of the request what it likes. */
async function prepared(
  call: CallUnderWay,
  { policy }: Plan,
  config: InternalAxiosRequestConfig,
  remake: boolean,
): Promise<'stopped' | undefined> {
  if (remake) config.data = await policy.body?.(config);
  const argument = Object.freeze({ config, send: call.sent + 1, call: call.snapshot(), last: call.outcome });
  for (const before of policy.beforeSend) {
    const given: unknown = await before(argument);
    if (given === false) return 'stopped';
    requireNothing(given);
  }
  return undefined;
}

/**
 * Circuit, budget and limiter go by where the send goes, which `beforeSend` may have changed. The limiter last, since a permit may take
 * time.
 */
async function moveTo(
  call: CallUnderWay,
  { breaker, budget, limit }: Plan,
  config: InternalAxiosRequestConfig,
): Promise<Refusal | undefined> {
  return breaker?.moveTo(call, config) ?? budget?.moveTo(call, config) ?? limit?.moveTo(call, config);
}

function transmit(call: CallUnderWay, plan: Plan, config: InternalAxiosRequestConfig, nowMs: number): Promise<Outcome> {
  const { breaker, counters } = plan;
  // A permit, or `beforeSend`, may have come in the very turn in which the call ended, and the circuit may have opened.
  const refused = call.ended(nowMs) ?? breaker?.depart(call, nowMs);
  if (refused !== undefined) return Promise.resolve(refuse(call, refused));
  const adapter = adapterOf(call, plan, config);
  call.leaves(config, nowMs);
  counters.sends += 1;
  counters.inFlight += 1;
  if (call.sent > 1) counters[call.next] += 1;
  call.next = 'retries';
  if (call.terms.hears.sent()) call.tell('sent', { send: call.sent });
  call.aborter?.end();
  call.aborter = undefined;
  const { by } = plan.instrumented;
  return by === undefined
    ? adapt(call, plan, config, adapter, nowMs)
    : by.send(call, config, () => adapt(call, plan, config, adapter, nowMs));
}

/** Has the adapter send it, within bounds where it has any. */
function adapt(
  call: CallUnderWay,
  plan: Plan,
  config: InternalAxiosRequestConfig,
  adapter: AxiosAdapter,
  nowMs: number,
): Promise<Outcome> {
  const isDeaf = call.cancellation !== undefined && typeof config.adapter === 'function';
  if (call.deadlineAt === Number.POSITIVE_INFINITY && !config.timeout && !isDeaf) return dispatch(adapter, config);
  return sendWithin(call, plan, config, adapter, nowMs);
}

/** Sends within the bounds of the call and of the request: a deadline, a `timeout`, a signal that the adapter may not see. */
function sendWithin(
  call: CallUnderWay,
  plan: Plan,
  config: InternalAxiosRequestConfig,
  adapter: AxiosAdapter,
  nowMs: number,
): Promise<Outcome> {
  const bounds = new SendBounds(call, plan, config, nowMs);
  const { outcome, aborter } = new BoundedSend(bounds, adapter, config, plan.clock);
  call.aborter = aborter;
  return outcome;
}

/** What bounds one send: the call's deadline, or the request's own `timeout`, which an adapter may not see to. */
class SendBounds implements Bounds {
  readonly ms: number;
  readonly cancellation: Cancellation | undefined;
  readonly #call: CallUnderWay;
  readonly #plan: Plan;
  readonly #config: InternalAxiosRequestConfig;
  readonly #byDeadline: boolean;

  constructor(call: CallUnderWay, plan: Plan, config: InternalAxiosRequestConfig, nowMs: number) {
    const timeoutMs = boundOf(config.timeout);
    const leftMs = call.deadlineAt - nowMs;
    this.ms = Math.min(leftMs, timeoutMs);
    this.cancellation = call.cancellation;
    this.#call = call;
    this.#plan = plan;
    this.#config = config;
    this.#byDeadline = leftMs <= timeoutMs;
  }

  onTimeout(): Outcome {
    const config = this.#config;
    if (this.#byDeadline) {
      this.#call.cutOff = { error: this.#call.deadlineError(config) };
      return this.#call.cutOff;
    }
    const message = config.timeoutErrorMessage || `timeout of ${config.timeout}ms exceeded`;
    return { error: this.#plan.errors.axiosError(message, 'ETIMEDOUT', config) };
  }

  onCancel(): Outcome {
    return this.#call.cancelled().outcome;
  }
}

function adapterOf(
  call: CallUnderWay,
  { bareInstance, breaker, limit }: Plan,
  config: InternalAxiosRequestConfig,
): AxiosAdapter {
  const adapter = adapterFor(config, bareInstance);
  if (typeof config.adapter !== 'function' || !(limit?.mayHoldUp || breaker?.isProbing(call))) return adapter;
  return guarded(call, adapter, breaker, limit);
}

/** The caller's own may make a call, which would wait for the permit that this one holds, or find the circuit open. */
function guarded(
  call: CallUnderWay,
  adapter: AxiosAdapter,
  breaker: Plan['breaker'],
  limit: Plan['limit'],
): AxiosAdapter {
  const run = async (sent: InternalAxiosRequestConfig) => adapter(sent);
  const permitted = (sent: InternalAxiosRequestConfig) =>
    limit?.mayHoldUp ? limit.holding(call, () => run(sent)) : run(sent);
  return (sent) => (breaker === undefined ? permitted(sent) : breaker.probing(call, () => permitted(sent)));
}

function refuse(call: CallUnderWay, { outcome, why }: Refusal): Outcome {
  call.refusedBecause = why;
  return outcome;
}

/** How long an adapter has to see to `timeout` itself, in ms: what it says of it is more than we know. */
const GRACE_MS = 1_000;

/** How long a send with that `timeout` may take, in ms. axios takes a string for a number as well. */
function boundOf(timeout: unknown): number {
  const ms = Number(timeout);
  return ms > 0 ? ms + GRACE_MS : Number.POSITIVE_INFINITY;
}

/** What it gives would be passed over, and a config that it has made instead would never be sent. */
function requireNothing(given: unknown): void {
  if (given === undefined) return;
  throw new TypeError(
    `beforeSend must change \`config\` in place and give nothing, or false to stop; it gave ${kindOf(given)}`,
  );
}
