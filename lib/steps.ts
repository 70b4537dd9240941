import type { AxiosInstance, AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import { adapterFor } from './attempt/adapter.ts';
import { bounded } from './attempt/bounded.ts';
import { canceledError, cancellationOf } from './attempt/cancellation.ts';
import { deadlineError, dispatch, dispatchWithin } from './attempt/dispatch.ts';
import { IdempotencyKey } from './attempt/idempotency-key.ts';
import { isReplayable } from './attempt/replayable.ts';
import { discard, isUnread, peek } from './attempt/response-body.ts';
import { copyOfConfig, copyOfHeaders } from './attempt/snapshot.ts';
import { announcesJson, classify, type Evidence } from './classify/classify.ts';
import type { Account, RetryBudget } from './decide/budget.ts';
import { decide, FINISH } from './decide/decide.ts';
import { readApiError } from './failure/api-error.ts';
import { codeOf, isTimeout } from './failure/code.ts';
import type { Limiter, Permit } from './limit/limiter.ts';
import { readQuota } from './limit/quota-headers.ts';
import { originOf } from './model/address.ts';
import { CallState } from './model/call.ts';
import type { Cancellation } from './model/cancellation.ts';
import type { Decision } from './model/decision.ts';
import { remember } from './model/ledger.ts';
import { type Outcome, responseOf } from './model/outcome.ts';
import type { EndReason } from './model/report.ts';
import type { Verdict } from './model/verdict.ts';
import type { Emitter } from './observe/emitter.ts';
import type { EventName, EventOf } from './observe/events.ts';
import type { Refusal, Steps } from './pipeline.ts';
import type { ResolvedBudget, ResolvedPolicy } from './policy/options.ts';
import type { Clock, Random } from './wait/clock.ts';
import { headerOf } from './wait/header.ts';
import { Patience } from './wait/patience.ts';
import { sleep } from './wait/sleep.ts';

/** What the calls of one attachment share. */
export interface Shared {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Emitter;
  readonly tally: Tally;
  budget(options: ResolvedBudget): RetryBudget;
  /** An instance of the same copy of axios without our interceptor. */
  bareInstance(): AxiosInstance;
}

/** Counts over the life of an attachment. The last three go up and down. */
export interface Tally {
  calls: number;
  sends: number;
  retries: number;
  replays: number;
  inFlight: number;
  queued: number;
  waiting: number;
}

const PERMANENT: Verdict = Object.freeze({ kind: 'permanent' });
/** How long the loop reads an error body that trickles, in ms. */
const PEEK_MS = 1_000;
/** How long a body that nobody wants may take to end, where the wait itself is shorter, in ms. */
const DRAIN_MS = 50;

/** The steps of one call: what the loop asks for, made out of the parts in the folders. */
export class CallSteps implements Steps {
  private readonly shared: Shared;
  private readonly policy: ResolvedPolicy;
  private readonly call: CallState;
  private readonly cancellation: Cancellation | undefined;
  private readonly key: IdempotencyKey;
  private readonly account: Account | undefined;
  private permit: Permit | undefined;
  /** The caller's headers while the first send has theirs on loan. */
  private ownHeaders: InternalAxiosRequestConfig['headers'] | undefined;
  /** Why a send was given up before it left. */
  private prevented: EndReason | undefined;
  private lastCost: number | undefined;
  private sentAt = 0;
  private queuedMs = 0;

  constructor(shared: Shared, policy: ResolvedPolicy, config: InternalAxiosRequestConfig) {
    const { retry } = policy;
    const now = shared.clock.now();
    this.shared = shared;
    this.policy = policy;
    this.call = new CallState(config, now, policy.deadlineMs);
    this.cancellation = cancellationOf(config);
    this.key = new IdempotencyKey(policy.idempotency, config);
    if (retry && retry.budget) {
      this.account = shared.budget(retry.budget).account(retry.budget.key?.(config) ?? originOf(config));
      this.account.called(now);
    }
    shared.tally.calls += 1;
  }

  admit(): Refusal | undefined | Promise<Refusal | undefined> {
    const { call, policy, shared } = this;
    if (call.sent > 0) {
      if (this.cancellation?.requested) return this.cancelled();
      if (shared.clock.now() >= call.deadlineAt) return this.overdue();
    }
    return policy.limit === false ? undefined : this.acquire(policy.limit);
  }

  send(): Promise<Outcome> {
    const { call, policy } = this;
    if (call.sent > 0 || policy.beforeSend.length > 0) return this.sendCopy();
    // Copying a config costs a tenth of a bare call, so the first send borrows the caller's, with headers of its own.
    const { config } = call;
    this.ownHeaders = config.headers;
    config.headers = copyOfHeaders(config.headers);
    this.key.write(config.headers);
    return this.transmit(config);
  }

  judge(outcome: Outcome): Decision | Promise<Decision> {
    if (this.prevented !== undefined) return { kind: 'stop', why: this.prevented };
    this.shared.tally.inFlight -= 1;
    this.giveBack(outcome);
    const response = responseOf(outcome);
    return response !== undefined && response.status >= 400 && isUnread(response.data)
      ? this.readThenJudge(outcome, response)
      : this.judgeRead(outcome, response);
  }

  async wait(delayMs: number): Promise<Refusal | undefined> {
    const { call, cancellation, shared } = this;
    const { clock, tally } = shared;
    tally.waiting += 1;
    const begun = clock.now();
    const slept = sleep(delayMs, clock, cancellation);
    const body = call.outcome && responseOf(call.outcome)?.data;
    if (isUnread(body)) await discard(body, delayMs >= DRAIN_MS ? slept : sleep(DRAIN_MS, clock, cancellation));
    const waited = await slept;
    tally.waiting -= 1;
    call.waitedMs += Math.max(0, clock.now() - begun);
    return waited ? undefined : this.cancelled();
  }

  end(outcome: Outcome, why: 'success' | EndReason): AxiosResponse | Promise<AxiosResponse> {
    const { call, shared } = this;
    this.permit?.release();
    this.permit = undefined;
    this.putHeadersBack();
    call.endedAt = shared.clock.now();
    call.endedBecause = why;
    if (why === 'success') this.account?.succeeded(this.lastCost);
    remember(outcome.response ?? outcome.error, call);
    if (this.heard('finished')) {
      this.tell('finished', { call: call.snapshot(), endedBecause: why, report: call.report() });
    }
    return outcome.error === undefined && outcome.response !== undefined
      ? outcome.response
      : Promise.reject(outcome.error);
  }

  private async acquire(limit: Limiter): Promise<Refusal | undefined> {
    const { call, shared, cancellation } = this;
    const { clock, tally } = shared;
    const key = originOf(call.config);
    const asked = clock.now();
    const aborter = cancellation && new AbortController();
    const unsubscribe = cancellation?.subscribe(() => aborter?.abort());
    try {
      const acquired = limit.acquire({ key, signal: aborter?.signal, deadlineAt: call.deadlineAt });
      if (!(acquired instanceof Promise)) {
        this.permit = acquired;
        return undefined;
      }
      if (this.heard('queued')) this.tell('queued', { call: call.snapshot(), key });
      tally.queued += 1;
      // A limiter that is deaf to the signal or the deadline must not hold the call; its late permit goes straight back.
      const result = await bounded(acquired, clock, call.deadlineAt, cancellation).finally(() => {
        tally.queued -= 1;
      });
      if (result.kind === 'done') {
        this.permit = result.value;
        return undefined;
      }
      acquired.then((permit) => permit.release()).catch(() => {});
      return result.kind === 'cancelled' ? this.cancelled() : this.overdue();
    } catch (error) {
      if (cancellation?.requested) return this.cancelled();
      const code = codeOf(error);
      if (this.heard('limited')) this.tell('limited', { call: call.snapshot(), key, code });
      return { outcome: call.outcome ?? { error }, why: code === 'ERR_LIMIT_DEADLINE' ? 'deadline' : 'limited' };
    } finally {
      unsubscribe?.();
      this.queuedMs = Math.max(0, clock.now() - asked);
    }
  }

  /** A send after the first, or one that the caller wants to change: on a config of its own. */
  private async sendCopy(): Promise<Outcome> {
    const { call, policy } = this;
    const config = copyOfConfig(call.config);
    this.key.write(config.headers);
    const remake = call.sent > 0 && policy.body !== undefined && !isReplayable(config.data);
    if (remake || policy.beforeSend.length > 0) {
      const prepared = await bounded(
        this.prepare(config, remake),
        this.shared.clock,
        call.deadlineAt,
        this.cancellation,
      );
      if (prepared.kind !== 'done') {
        const { outcome, why } = prepared.kind === 'cancelled' ? this.cancelled() : this.overdue();
        this.prevented = why;
        return outcome;
      }
    }
    return this.transmit(config);
  }

  private async prepare(config: InternalAxiosRequestConfig, remake: boolean): Promise<void> {
    const { call, policy } = this;
    if (remake) config.data = await policy.body?.(config);
    const argument = Object.freeze({ config, send: call.sent + 1, call: call.snapshot() });
    for (const before of policy.beforeSend) await before(argument);
  }

  private transmit(config: InternalAxiosRequestConfig): Promise<Outcome> {
    const { call, policy, shared } = this;
    const { clock, tally } = shared;
    const adapter = adapterFor(config, shared.bareInstance);
    call.sent += 1;
    tally.sends += 1;
    tally.inFlight += 1;
    if (call.sent > 1) {
      call.retries += 1;
      tally.retries += 1;
    }
    this.sentAt = clock.now();
    if (this.heard('sent')) this.tell('sent', { call: call.snapshot(), send: call.sent });
    return policy.deadlineMs === Number.POSITIVE_INFINITY
      ? dispatch(adapter, config)
      : dispatchWithin(call.deadlineAt - this.sentAt, policy.deadlineMs, adapter, config, clock);
  }

  private async readThenJudge(outcome: Outcome, response: AxiosResponse): Promise<Decision> {
    if (announcesJson(response.headers)) {
      const { clock } = this.shared;
      const { deadlineAt } = this.call;
      const patience = new Patience(Math.min(PEEK_MS, deadlineAt - clock.now()), clock, this.cancellation);
      const { text, body } = await peek(response.data, patience.over);
      patience.end();
      response.data = body;
      this.call.errorText = text;
    }
    return this.judgeRead(outcome, response);
  }

  private judgeRead(outcome: Outcome, response: AxiosResponse | undefined): Decision {
    const { call, shared } = this;
    const now = shared.clock.now();
    let verdict = PERMANENT;
    let decision: Decision = { kind: 'stop', why: 'not-retryable' };
    try {
      verdict =
        this.cancellation?.requested && response === undefined
          ? { kind: 'cancelled' }
          : classify(outcome, this.policy, () => this.evidence(response), now);
      this.release(verdict, response, now);
      this.account?.sent(verdict.kind);
      call.outcome = outcome;
      call.verdict = verdict;
      decision = verdict.kind === 'success' ? FINISH : this.decideOn(verdict, outcome, response, now);
    } finally {
      // Also when a judge of the policy throws: the send was made, so the report has it.
      this.record(outcome, response, verdict, decision, now);
    }
    return decision;
  }

  private evidence(response: AxiosResponse | undefined): Evidence {
    const api =
      response !== undefined && response.status >= 400
        ? readApiError(this.call.errorText ?? response.data, headerOf(response.headers, 'content-type'))
        : undefined;
    return { call: this.call.snapshot(), api };
  }

  private decideOn(verdict: Verdict, outcome: Outcome, response: AxiosResponse | undefined, now: number): Decision {
    const { account, call, policy, shared } = this;
    const cost = account?.afford(verdict.kind, now);
    const decision = decide({
      verdict,
      retry: policy.retry,
      method: call.method,
      retries: call.retries,
      nowMs: now,
      deadlineAt: call.deadlineAt,
      accepted: outcome.response !== undefined && response !== undefined && response.status < 400,
      timedOut: isTimeout(outcome.error),
      sameKey: this.key.survives(response !== undefined),
      replayable: policy.body !== undefined || isReplayable(call.config.data),
      previousMs: call.backoffMs,
      random: shared.random,
      affordable: account === undefined || cost !== undefined,
    });
    if (decision.kind === 'retry') {
      this.lastCost = cost;
      if (account !== undefined && cost !== undefined) account.withdraw(cost, verdict.kind, now);
      if (decision.backoff) call.backoffMs = decision.delayMs;
    } else if (decision.kind === 'stop' && decision.why === 'budget-empty' && account && this.heard('budget-empty')) {
      this.tell('budget-empty', { call: call.snapshot(), key: account.key, balance: account.balance });
    }
    return decision;
  }

  private release(verdict: Verdict, response: AxiosResponse | undefined, now: number): void {
    const { permit } = this;
    if (permit === undefined) return;
    this.permit = undefined;
    const { kind, retryAfterMs } = verdict;
    // A 503 that names a time speaks for the whole server, as a 429 does.
    const throttled = kind === 'throttled' || (response?.status === 503 && retryAfterMs !== undefined);
    const untilAt = throttled && retryAfterMs !== undefined ? now + retryAfterMs : undefined;
    permit.answered?.({ throttled, untilAt, quota: response && readQuota(response.headers, now) });
    permit.release();
    if (untilAt !== undefined && this.heard('paused')) {
      this.tell('paused', { call: this.call.snapshot(), key: originOf(this.call.config), untilAt });
    }
  }

  private record(
    outcome: Outcome,
    response: AxiosResponse | undefined,
    verdict: Verdict,
    decision: Decision,
    now: number,
  ): void {
    const { call, queuedMs, sentAt } = this;
    const durationMs = Math.max(0, now - sentAt);
    const status = response?.status;
    const code = outcome.error === undefined ? undefined : codeOf(outcome.error);
    const delayMs = decision.kind === 'retry' ? decision.delayMs : undefined;
    call.sends.push({
      startedAt: sentAt,
      durationMs,
      queuedMs,
      status,
      code,
      verdict: verdict.kind,
      decision: decision.kind,
      delayMs,
    });
    const { kind, reason } = verdict;
    if (this.heard('answered')) {
      this.tell('answered', {
        call: call.snapshot(),
        send: call.sent,
        status,
        code,
        verdict: kind,
        reason,
        durationMs,
      });
    }
    if (delayMs !== undefined && this.heard('retry-scheduled')) {
      this.tell('retry-scheduled', { call: call.snapshot(), retry: call.retries + 1, delayMs, verdict: kind, reason });
    }
  }

  /** Puts the caller's own config, with its own headers and adapter, where axios hands it out. */
  private giveBack({ response, error }: Outcome): void {
    this.putHeadersBack();
    const { config } = this.call;
    if (response !== undefined) {
      if (response?.config !== config) Reflect.set(response, 'config', config);
      return;
    }
    if (typeof error !== 'object' || error === null || !('config' in error)) return;
    // Reflect: something frozen keeps what it has.
    Reflect.set(error, 'config', config);
    const { response: answer } = error as { response?: object };
    if (answer) Reflect.set(answer, 'config', config);
  }

  private putHeadersBack(): void {
    if (this.ownHeaders === undefined) return;
    this.call.config.headers = this.ownHeaders;
    this.ownHeaders = undefined;
  }

  private cancelled(): Refusal {
    return { outcome: { error: canceledError(this.call.config) }, why: 'cancelled' };
  }

  private overdue(): Refusal {
    const { call, policy } = this;
    return { outcome: call.outcome ?? { error: deadlineError(call.config, policy.deadlineMs) }, why: 'deadline' };
  }

  private heard(event: EventName): boolean {
    return this.shared.events.wants(event, this.policy.on);
  }

  private tell<E extends EventName>(name: E, event: EventOf<E>): void {
    this.shared.events.emit(name, this.policy.on, event);
  }
}
