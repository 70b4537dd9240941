import type { AxiosAdapter, InternalAxiosRequestConfig } from 'axios';
import type { Authorization } from '../auth/station.ts';
import type { CircuitGuard } from '../breaker/station.ts';
import { addressOf } from '../call/address.ts';
import type { Outcome } from '../call/outcome.ts';
import type { EndReason } from '../call/report.ts';
import { kindOf } from '../check.ts';
import type { CallContext, Refusal } from '../context.ts';
import { noteOwnBodyError } from '../failure/own-body.ts';
import { IdempotencyKey } from '../idempotency/idempotency-key.ts';
import type { Admission } from '../limit/station.ts';
import { pollConfig } from '../poll/poll-target.ts';
import { isIdempotent } from '../retry/harmless.ts';
import type { Spending } from '../retry/spending.ts';
import { bounded } from '../time/bounded.ts';
import { randomId } from '../time/clock.ts';
import { adapterFor } from './adapter.ts';
import { dispatch, dispatchWithin } from './dispatch.ts';
import { headerValue } from './header-value.ts';
import { leftOrigin, wasRedirected, watchingEnv } from './redirects.ts';
import { isReplayable } from './replayable.ts';
import { restoreConfig } from './restore-config.ts';
import type { Aborter } from './send-signal.ts';
import { copyOfConfig, copyOfHeaders } from './snapshot.ts';

type Headers = InternalAxiosRequestConfig['headers'];

/** The sending of one call: puts each request together, sends it, and leaves no trace on the caller's config. */
export class Transmission {
  /** This call's idempotency key. */
  readonly key: IdempotencyKey;
  /** When the last request left, on the clock. */
  sentAt = 0;
  /** What the next request is, if it is not the first. */
  next: 'retries' | 'replays' | 'polls' = 'retries';
  /** What the sends ask for, origin and path, where an answer has named that. */
  asked: string | undefined;
  /** Whether the last one was a poll. */
  isPoll = false;
  /** What the sends to come are made of: the caller's config, until a Location or `onRetry` says otherwise. */
  template: InternalAxiosRequestConfig;
  /** Why a request was given up before it left. */
  prevented: EndReason | undefined;
  /** What cuts the last send, where that is bounded; its body may go on after the answer. */
  aborter: Aborter | undefined;
  private readonly context: CallContext;
  private readonly authorization: Authorization | undefined;
  private readonly admission: Admission | undefined;
  private readonly guard: CircuitGuard | undefined;
  private readonly spending: Spending | undefined;
  /** What became of a request that the deadline cut off. */
  private cutOff: Outcome | undefined;
  /** What the caller's config held before the first request borrowed it. */
  private borrowed:
    | {
        readonly lent: InternalAxiosRequestConfig['headers'];
        readonly headers: InternalAxiosRequestConfig['headers'];
        readonly adapter: InternalAxiosRequestConfig['adapter'];
        readonly env: InternalAxiosRequestConfig['env'];
        readonly beforeRedirect: InternalAxiosRequestConfig['beforeRedirect'];
      }
    | undefined;

  constructor(
    context: CallContext,
    authorization: Authorization | undefined,
    admission: Admission | undefined,
    guard: CircuitGuard | undefined,
    spending: Spending | undefined,
  ) {
    this.context = context;
    this.authorization = authorization;
    this.admission = admission;
    this.guard = guard;
    this.spending = spending;
    this.template = context.call.config;
    this.key = new IdempotencyKey(context.policy.idempotency, this.template);
  }

  send(): Promise<Outcome> {
    const { call, policy } = this.context;
    if (call.sent > 0 || policy.beforeSend.length > 0) return this.sendCopy();
    // Copying a config costs a tenth of a bare call, so the first send borrows the caller's, with headers of its own.
    const { config } = call;
    const headers = copyOfHeaders(config.headers);
    const { adapter, beforeRedirect, env } = config;
    this.borrowed = { lent: headers, headers: config.headers, adapter, beforeRedirect, env };
    config.headers = headers;
    this.watch(config);
    this.stamp(config);
    // Where nothing had to be waited for, the call has only just begun.
    return this.transmit(config, policy.limit === false && policy.auth === false ? call.startedAt : undefined);
  }

  /** The sends to come are made of this. */
  reroute(config: InternalAxiosRequestConfig): void {
    this.template = config;
    this.key.reroute(config);
  }

  /** The config of the sends that ask for `url`, which an answer has named. They carry no key. */
  asking(url: string): InternalAxiosRequestConfig {
    const config = pollConfig(this.template, url, this.key.header);
    this.asked = addressOf({ url });
    this.key.retire();
    return config;
  }

  /** After a request: hands the caller's config out in place of what was sent. */
  settled(outcome: Outcome): void {
    this.context.shared.tally.inFlight -= 1;
    this.restore();
    if (outcome.error !== undefined) noteOwnBodyError(outcome.error, this.context.call.wire?.data);
    restoreConfig(outcome, this.context.call.config);
  }

  /** Puts back what the first send may have changed. Mock adapters take themselves off the config that they are given. */
  restore(): void {
    const { borrowed } = this;
    if (borrowed === undefined) return;
    const { config } = this.context.call;
    // Another call may have been given the same config, and have put its own back by now.
    if (config.headers === borrowed.lent) config.headers = borrowed.headers;
    if (borrowed.env !== config.env) {
      if (borrowed.env === undefined) delete config.env;
      else config.env = borrowed.env;
    }
    if (borrowed.beforeRedirect !== config.beforeRedirect) {
      if (borrowed.beforeRedirect === undefined) delete config.beforeRedirect;
      else config.beforeRedirect = borrowed.beforeRedirect;
    }
    if (borrowed.adapter !== undefined && config.adapter !== borrowed.adapter) config.adapter = borrowed.adapter;
    this.borrowed = undefined;
  }

  /** Whether the answer came from somewhere else than the request went to; see `redirects.ts`. */
  wasRedirected(outcome: Outcome): boolean {
    const { wire } = this.context.call;
    return wire !== undefined && wasRedirected(outcome, wire);
  }

  /** Whether it came from another origin, which never saw the token. */
  leftOrigin(outcome: Outcome): boolean {
    const { wire } = this.context.call;
    return wire !== undefined && leftOrigin(outcome, wire);
  }

  /** Whether the deadline has cut it off. */
  wasCutOff(outcome: Outcome): boolean {
    return outcome === this.cutOff;
  }

  /** A send after the first, or one that the caller wants to change: on a config of its own. */
  private async sendCopy(): Promise<Outcome> {
    const { context } = this;
    const { call, cancellation, policy, shared } = context;
    const config = copyOfConfig(this.template);
    this.watch(config);
    const takeTokenOff = this.stamp(config);
    const remake = call.sent > 0 && policy.body !== undefined && !isReplayable(config.data);
    if (remake || policy.beforeSend.length > 0) {
      const prepare = () => this.prepare(config, remake);
      // A call from in there would wait for the permit that this one holds.
      const preparing = this.admission === undefined ? prepare() : this.admission.within(prepare);
      const prepared = await bounded(preparing, shared.clock, call.deadlineAt, cancellation);
      if (prepared.kind === 'cancelled') return this.prevent(context.cancelled());
      if (prepared.kind === 'deadline') return this.prevent(context.overdue());
      if (prepared.value === 'stopped') {
        // Before the first send there is no outcome yet: the application has given the call up, as by its signal.
        return this.prevent({ outcome: call.outcome ?? context.cancelled().outcome, why: 'stopped' });
      }
      if (takeTokenOff !== undefined) this.authorization?.guard(config, takeTokenOff);
      const refused = context.mayMove ? await this.moveTo(config) : undefined;
      if (refused !== undefined) return this.prevent(refused);
    }
    return this.transmit(config);
  }

  /** Writes what the library itself puts on a request; gives the function that takes the token off again. */
  private stamp(config: InternalAxiosRequestConfig): ((headers: Headers) => void) | undefined {
    const { call, policy } = this.context;
    const { headers } = config;
    const { correlation } = policy;
    this.key.write(headers);
    if (correlation !== false && !headers.has(correlation.header)) {
      call.correlationId ??= headerValue((correlation.generate ?? randomId)(), 'correlation.generate');
      headers.set(correlation.header, call.correlationId);
    }
    return this.authorization?.write(config);
  }

  /**
   * Only where it matters (a repeat of anything else is harmless, and who answered a poll is what its relative Location goes by) and is of
   * use: a function has chosen its fetch already.
   */
  private watch(config: InternalAxiosRequestConfig): void {
    const { call } = this.context;
    if (typeof config.adapter === 'function' || (call.sent === 0 && isIdempotent(call.method))) return;
    config.env = watchingEnv(config);
  }

  private async prepare(config: InternalAxiosRequestConfig, remake: boolean): Promise<'stopped' | undefined> {
    const { call, policy } = this.context;
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
  private async moveTo(config: InternalAxiosRequestConfig): Promise<Refusal | undefined> {
    const { admission, guard, spending } = this;
    return guard?.moveTo(config) ?? spending?.moveTo(config) ?? admission?.moveTo(config);
  }

  private transmit(config: InternalAxiosRequestConfig, nowMs?: number): Promise<Outcome> {
    const { context } = this;
    const { call, cancellation, shared } = context;
    const { clock, tally } = shared;
    // A permit, or `beforeSend`, may have come in the very turn in which the call ended, and the circuit may have opened.
    const over = context.over() ?? this.guard?.enter();
    if (over !== undefined) return Promise.resolve(this.prevent(over));
    const adapter = this.adapterOf(config);
    call.wire = config;
    call.wireHeaders = config.headers;
    call.sent += 1;
    tally.sends += 1;
    tally.inFlight += 1;
    if (call.sent > 1) {
      const { next } = this;
      call[next] += 1;
      tally[next] += 1;
      this.isPoll = next === 'polls';
      this.next = 'retries';
    }
    this.sentAt = nowMs ?? clock.now();
    call.sentAt = this.sentAt;
    if (context.heard('sent')) context.tell('sent', { send: call.sent });
    this.aborter?.end();
    this.aborter = undefined;
    const timeoutMs = boundOf(config.timeout);
    const leftMs = call.deadlineAt - this.sentAt;
    const deaf = cancellation !== undefined && typeof config.adapter === 'function';
    const ms = Math.min(leftMs, timeoutMs);
    if (ms === Number.POSITIVE_INFINITY && !deaf) return dispatch(adapter, config);
    const overdue = () => (leftMs <= timeoutMs ? this.cut(config) : this.overrun(config));
    const cancelled = () => context.cancelled().outcome;
    const { outcome, aborter } = dispatchWithin({ ms, overdue, cancellation, cancelled }, adapter, config, clock);
    this.aborter = aborter;
    return outcome;
  }

  /** The deadline has ended the send. */
  private cut(config: InternalAxiosRequestConfig): Outcome {
    this.cutOff = { error: this.context.deadlineError(config) };
    return this.cutOff;
  }

  /** Its `timeout` has, which the adapter did not see to. */
  private overrun(config: InternalAxiosRequestConfig): Outcome {
    const message = config.timeoutErrorMessage || `timeout of ${config.timeout}ms exceeded`;
    return { error: this.context.shared.errors.axiosError(message, 'ETIMEDOUT', config) };
  }

  private adapterOf(config: InternalAxiosRequestConfig): AxiosAdapter {
    const { admission, guard } = this;
    const adapter = adapterFor(config, this.context.shared.bareInstance);
    if (typeof config.adapter !== 'function' || (guard === undefined && !admission?.mayHoldUp)) return adapter;
    // The caller's own may make a call, which would wait for the permit that this one holds, or find the circuit open.
    const run = async (sent: InternalAxiosRequestConfig) => adapter(sent);
    const permitted = (sent: InternalAxiosRequestConfig) =>
      admission?.mayHoldUp ? admission.within(() => run(sent)) : run(sent);
    return (sent) => (guard === undefined ? permitted(sent) : guard.probing(() => permitted(sent)));
  }

  private prevent({ outcome, why }: Refusal): Outcome {
    this.prevented = why;
    return outcome;
  }
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
