import { type AxiosResponse, type InternalAxiosRequestConfig, isCancel } from 'axios';
import { Admission } from './attempt/admission.ts';
import { CallContext, type Refusal, type Shared } from './attempt/context.ts';
import { isReplayable } from './attempt/replayable.ts';
import { discard, isUnread, peek } from './attempt/response-body.ts';
import { Transmission } from './attempt/transmission.ts';
import { announcesJson, classify, type Evidence } from './classify/classify.ts';
import type { Account } from './decide/budget.ts';
import { decide, FINISH } from './decide/decide.ts';
import { readApiError } from './failure/api-error.ts';
import { codeOf, isTimeout } from './failure/code.ts';
import { originOf } from './model/address.ts';
import type { Decision } from './model/decision.ts';
import { remember } from './model/ledger.ts';
import { type Outcome, responseOf } from './model/outcome.ts';
import type { EndReason } from './model/report.ts';
import type { Verdict } from './model/verdict.ts';
import type { Steps } from './pipeline.ts';
import { headerOf } from './wait/header.ts';
import { Patience } from './wait/patience.ts';
import { sleep } from './wait/sleep.ts';

const PERMANENT: Verdict = Object.freeze({ kind: 'permanent' });
/** How long the loop reads an error body that trickles, in ms. */
const PEEK_MS = 1_000;
/** How long a body that nobody wants may take to end, where the wait itself is shorter, in ms. */
const DRAIN_MS = 50;

/** The steps of one call: what the loop asks for, made out of the parts in the folders. */
export class CallSteps implements Steps {
  private readonly context: CallContext;
  private readonly admission: Admission | undefined;
  private readonly transmission: Transmission;
  private readonly account: Account | undefined;
  /** What the last retry took from the budget. */
  private lastCost: number | undefined;

  constructor(shared: Shared, policy: CallContext['policy'], config: InternalAxiosRequestConfig) {
    const { limit, retry } = policy;
    this.context = new CallContext(shared, policy, config);
    this.admission = limit === false ? undefined : new Admission(this.context, limit);
    this.transmission = new Transmission(this.context);
    if (retry !== false && retry.budget !== false) {
      this.account = shared.budget(retry.budget).account(retry.budget.key?.(config) ?? originOf(config));
      this.account.called(this.context.call.startedAt);
    }
    shared.tally.calls += 1;
  }

  admit(): Refusal | undefined | Promise<Refusal | undefined> {
    const over = this.context.call.sent > 0 ? this.context.over() : undefined;
    return over ?? this.admission?.acquire();
  }

  send(): Promise<Outcome> {
    return this.transmission.send();
  }

  judge(outcome: Outcome): Decision | Promise<Decision> {
    const { prevented } = this.transmission;
    if (prevented !== undefined) return { kind: 'stop', why: prevented };
    this.transmission.settled(outcome);
    const response = responseOf(outcome);
    return response !== undefined && response.status >= 400 && isUnread(response.data)
      ? this.readThenJudge(outcome, response)
      : this.judgeRead(outcome);
  }

  async wait(delayMs: number): Promise<Refusal | undefined> {
    const { call, cancellation, shared } = this.context;
    const { clock, tally } = shared;
    tally.waiting += 1;
    const begun = clock.now();
    const slept = sleep(delayMs, clock, cancellation);
    const body = call.outcome && responseOf(call.outcome)?.data;
    if (isUnread(body)) {
      const patience = new Patience(Math.max(delayMs, DRAIN_MS), clock, cancellation);
      await discard(body, patience.over);
      patience.end();
    }
    const waited = await slept;
    tally.waiting -= 1;
    call.waitedMs += Math.max(0, clock.now() - begun);
    return waited ? undefined : this.context.cancelled();
  }

  end(outcome: Outcome, why: 'success' | EndReason): AxiosResponse | Promise<AxiosResponse> {
    if (!this.context.cancellation?.requested || isCancel(outcome.error)) return this.close(outcome, why);
    // axios rejects a call that was cancelled by now, whatever has come of it; the books must say the same.
    void discard(responseOf(outcome)?.data, Promise.resolve());
    return this.close(this.context.cancelled().outcome, 'cancelled');
  }

  private close(outcome: Outcome, why: 'success' | EndReason): AxiosResponse | Promise<AxiosResponse> {
    const { context } = this;
    const { call, shared } = context;
    this.transmission.restore();
    this.admission?.release();
    call.endedAt = shared.clock.now();
    // What axios rejects is a failure to the caller, also where the server did well: a 200 that validateStatus refuses.
    const endedBecause = why === 'success' && 'error' in outcome ? 'not-retryable' : why;
    call.endedBecause = endedBecause;
    if (why === 'success') this.account?.succeeded(this.lastCost);
    remember(outcome.response ?? outcome.error, call);
    if (outcome.error !== undefined) remember(responseOf(outcome), call);
    if (context.heard('finished')) context.tell('finished', { endedBecause, report: call.report() });
    // By the name and not by the value: an adapter may reject with `undefined`, and may resolve with it.
    return 'error' in outcome ? Promise.reject(outcome.error) : outcome.response;
  }

  private async readThenJudge(outcome: Outcome, response: AxiosResponse): Promise<Decision> {
    if (announcesJson(response.headers)) {
      const { call, cancellation, shared } = this.context;
      const patience = new Patience(
        Math.min(PEEK_MS, call.deadlineAt - shared.clock.now()),
        shared.clock,
        cancellation,
      );
      const { text, body } = await peek(response.data, patience.over);
      patience.end();
      response.data = body;
      call.errorText = text;
    }
    return this.judgeRead(outcome);
  }

  private judgeRead(outcome: Outcome): Decision {
    const { context } = this;
    const { call, cancellation, policy, shared } = context;
    const now = shared.clock.now();
    let verdict = PERMANENT;
    let decision: Decision = { kind: 'stop', why: 'not-retryable' };
    let pausedUntil: number | undefined;
    try {
      verdict =
        cancellation?.requested && responseOf(outcome) === undefined
          ? { kind: 'cancelled' }
          : classify(outcome, policy, () => this.evidence(outcome), now);
      // What the last hop says of itself is not said of the first.
      if (verdict.kind !== 'success' && verdict.unapplied !== false && this.transmission.wasRedirected(outcome)) {
        verdict = { ...verdict, unapplied: false };
      }
      pausedUntil = this.admission?.answered(outcome, verdict, now);
      this.account?.sent(verdict.kind);
      call.outcome = outcome;
      call.verdict = verdict;
      decision = verdict.kind === 'success' ? FINISH : this.decideOn(verdict, outcome, now);
    } finally {
      // Also when a judge of the policy throws: the send was made, so the report has it.
      this.record(outcome, verdict, decision, now, pausedUntil);
    }
    return decision;
  }

  private evidence(outcome: Outcome): Evidence {
    const { call } = this.context;
    const response = responseOf(outcome);
    const api =
      response !== undefined && response.status >= 400
        ? readApiError(call.errorText ?? response.data, headerOf(response.headers, 'content-type'))
        : undefined;
    return { call: call.snapshot(), api };
  }

  private decideOn(verdict: Verdict, outcome: Outcome, now: number): Decision {
    const { account, context, transmission } = this;
    const { call, policy, shared } = context;
    const response = responseOf(outcome);
    const cost = account?.afford(verdict.kind, now);
    const decision = decide({
      verdict,
      retry: policy.retry,
      // As it was sent: `beforeSend` may have made it another.
      method: call.wire?.method?.toUpperCase() ?? call.method,
      retries: call.retries,
      nowMs: transmission.wasCutOff(outcome) ? Math.max(now, call.deadlineAt) : now,
      deadlineAt: call.deadlineAt,
      accepted: outcome.response !== undefined && response !== undefined && isNoError(response.status),
      timedOut: isTimeout(outcome.error),
      sameKey: transmission.key.survives(response !== undefined, call.wireHeaders),
      replayable: policy.body !== undefined || isReplayable(call.config.data),
      previousMs: call.backoffMs,
      random: shared.random,
      affordable: account === undefined || cost !== undefined,
    });
    if (decision.kind === 'retry') {
      this.lastCost = cost;
      if (account !== undefined && cost !== undefined) account.withdraw(cost, verdict.kind, now);
      if (decision.backoff) call.backoffMs = decision.delayMs;
    }
    return decision;
  }

  /** Writes a send into the report, and tells of it: the answer first, then what followed from it. */
  private record(
    outcome: Outcome,
    { kind, reason }: Verdict,
    decision: Decision,
    now: number,
    pausedUntil: number | undefined,
  ): void {
    const { account, context } = this;
    const { call } = context;
    const startedAt = this.transmission.sentAt;
    const durationMs = Math.max(0, now - startedAt);
    const queuedMs = this.admission?.queuedMs ?? 0;
    const status = responseOf(outcome)?.status;
    const code = outcome.error === undefined ? undefined : codeOf(outcome.error);
    const delayMs = decision.kind === 'retry' ? decision.delayMs : undefined;
    call.sends.push({
      startedAt,
      durationMs,
      queuedMs,
      status,
      code,
      verdict: kind,
      decision: decision.kind,
      delayMs,
    });
    context.tell('answered', { send: call.sent, status, code, verdict: kind, reason, durationMs });
    if (pausedUntil !== undefined) context.tell('paused', { key: originOf(call.config), untilAt: pausedUntil });
    if (delayMs !== undefined) {
      context.tell('retry-scheduled', { retry: call.retries + 1, delayMs, verdict: kind, reason });
    }
    if (account !== undefined && decision.kind === 'stop' && decision.why === 'budget-empty') {
      context.tell('budget-empty', { key: account.key, balance: account.balance });
    }
  }
}

/** 1xx and 3xx: neither a success, whatever a judge may say of those, nor an error. */
const isNoError = (status: number): boolean => status < 200 || (status >= 300 && status < 400);
