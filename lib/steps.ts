import { type AxiosResponse, type InternalAxiosRequestConfig, isCancel } from 'axios';
import { Authorization, unauthorizedBy } from './auth/station.ts';
import { CircuitGuard } from './breaker/station.ts';
import { setCallOf } from './call/call-of.ts';
import type { Again, Decision } from './call/decision.ts';
import { type Outcome, responseOf } from './call/outcome.ts';
import type { RefusedRetry } from './call/refused-retry.ts';
import type { EndReason } from './call/report.ts';
import type { Judgement, VerdictKind } from './call/verdict.ts';
import { announcesJson, conclude } from './classify/classify.ts';
import { CANCELLED, Judging } from './classify/judging.ts';
import { serverFailed } from './classify/server-failed.ts';
import { CallContext, type Refusal, type Shared } from './context.ts';
import { Entrance, TOKEN_WAIT } from './entrance.ts';
import { isTimeout } from './failure/code.ts';
import { Admission } from './limit/station.ts';
import type { Steps } from './loop.ts';
import type { Wait } from './observe/pending.ts';
import { record } from './observe/story.ts';
import { pollUrlOf } from './poll/poll-target.ts';
import { noticeAxiosRetry } from './retry/beside-axios-retry.ts';
import { decide, FINISH } from './retry/decide.ts';
import { runHooks } from './retry/hooks.ts';
import type { EndedSend, OnGiveUp, ResolvedRetry } from './retry/options.ts';
import { Spending } from './retry/spending.ts';
import { untilPoll, untilRetry } from './retry/waits.ts';
import { destroyIdle, wantsFreshConnection } from './send/fresh-connection.ts';
import { handOver } from './send/hand-over.ts';
import { isReplayable } from './send/replayable.ts';
import { discard, isUnread, peek } from './send/response-body.ts';
import { copyOfConfig, copyOfHeaders } from './send/snapshot.ts';
import { followBody, type StreamedBody } from './send/streamed-body.ts';
import { Transmission } from './send/transmission.ts';
import type { Bounded } from './time/bounded.ts';
import { Patience } from './time/patience.ts';
import { sleep } from './time/sleep.ts';

const PERMANENT: Judgement = Object.freeze({ kind: 'permanent' });
const BODY: Wait = { phase: 'body', why: () => 'reads the body of an error' };
const RETRY_HOOKS: Wait = { phase: 'retry-wait', why: () => 'waits for `retry.onRetry`' };
const GIVE_UP_HOOKS: Wait = { phase: 'body', why: () => 'waits for `retry.onGiveUp`' };
const NO_HOOKS: Pick<ResolvedRetry, 'onGiveUp'> = Object.freeze({ onGiveUp: [] });
const STOP: Decision = Object.freeze({ kind: 'stop', why: 'not-retryable' });
/** How long the loop reads an error body that trickles, in ms. */
const PEEK_MS = 1_000;
/** How long a body that nobody wants may take to end, where the wait itself is shorter, in ms. */
const DRAIN_MS = 50;

/** The steps of one call: what the loop asks for, made out of the parts in the folders. */
export class CallSteps implements Steps {
  private readonly context: CallContext;
  private readonly authorization: Authorization | undefined;
  private readonly guard: CircuitGuard | undefined;
  private readonly admission: Admission | undefined;
  private readonly transmission: Transmission;
  private readonly spending: Spending | undefined;
  private readonly entrance: Entrance;
  private readonly judging: Judging;
  /** What came of the last send. */
  private last: Outcome | undefined;
  /** When that came, on the clock. */
  private answeredAt = 0;
  /** When it was judged. */
  private judgedAt = 0;
  /** Whether the last send is to be repeated on a fresh connection. */
  private wantsFresh = false;
  /** Whether one has been: a fresh one that is lost as well is no matter of the pool. */
  private hasFreshened = false;
  /** The body of the last answer, where axios resolves it as a stream. */
  private streamed: StreamedBody | undefined;

  constructor(shared: Shared, policy: CallContext['policy'], config: InternalAxiosRequestConfig) {
    const { auth, breaker, limit, retry } = policy;
    this.context = new CallContext(shared, policy, config);
    if (auth !== false) {
      const authenticator = shared.authenticator(auth);
      const credential = authenticator.credentialOf(config);
      this.authorization = credential && new Authorization(this.context, authenticator, credential);
    }
    this.guard = breaker === false ? undefined : new CircuitGuard(this.context, breaker);
    this.admission = limit === false ? undefined : new Admission(this.context, limit);
    this.spending = retry === false || retry.budget === false ? undefined : new Spending(this.context, retry.budget);
    this.transmission = new Transmission(this.context, this.authorization, this.admission, this.guard, this.spending);
    this.entrance = new Entrance(this.context, this.authorization, this.admission);
    this.judging = new Judging(this.context, this.admission, this.guard);
    shared.tally.calls += 1;
    shared.underWay.begun(this.context);
  }

  admit(): Refusal | undefined | Promise<Refusal | undefined> {
    const over = this.context.call.sent > 0 ? this.context.over() : undefined;
    if (over !== undefined) return over;
    // So that nobody waits for nothing.
    return this.guard?.refusal() ?? this.entrance.enter();
  }

  send(): Promise<Outcome> {
    return this.transmission.send();
  }

  judge(outcome: Outcome): Decision | Promise<Decision> {
    const { prevented } = this.transmission;
    if (prevented !== undefined) return { kind: 'stop', why: prevented };
    this.last = outcome;
    this.transmission.settled(outcome);
    this.spending?.sent();
    this.judging.forget();
    this.context.call.errorText = undefined;
    const response = responseOf(outcome);
    return response !== undefined && response.status >= 400 && isUnread(response.data)
      ? this.readThenJudge(outcome, response)
      : this.judgeRead(outcome);
  }

  async wait(again: Again): Promise<Refusal | undefined> {
    const { call, cancellation, shared } = this.context;
    const { clock, tally } = shared;
    const { delayMs } = again;
    const refused = again.kind === 'poll' ? this.turnTo(again.url) : await this.tellOfRetry(delayMs);
    if (refused !== undefined) return refused;
    tally.waiting += 1;
    this.context.waits(again.kind === 'poll' ? untilPoll(this.context, delayMs) : untilRetry(this.context, delayMs));
    const slept = sleep(delayMs, clock, cancellation);
    await this.dropBody(Math.max(delayMs, DRAIN_MS));
    const waited = await slept;
    // The connection of an answer is back in the pool by now.
    if (this.wantsFresh && call.outcome !== undefined) destroyIdle(call.outcome);
    tally.waiting -= 1;
    call.waitedMs += this.context.waited();
    return waited ? undefined : this.context.cancelled();
  }

  end(outcome: Outcome, why: 'success' | EndReason): AxiosResponse | Promise<AxiosResponse> {
    const { cancellation, policy } = this.context;
    if (cancellation?.requested) return this.endCancelled(outcome);
    const judged = this.asJudged(outcome, why);
    const { onGiveUp } = policy.retry || NO_HOOKS;
    // Whoever stops a call that resolves, such as one that polls, wants what it has: it has not failed.
    const isWanted = (why === 'success' || why === 'stopped') && !('error' in judged);
    if (onGiveUp.length === 0 || isWanted) return this.close(outcome, judged, why);
    return this.giveUp(outcome, judged, why, onGiveUp);
  }

  /** The hooks come last before the caller hears of it, when nothing is held any more. */
  private async giveUp(
    ending: Outcome,
    judged: Outcome,
    why: 'success' | EndReason,
    hooks: readonly OnGiveUp[],
  ): Promise<AxiosResponse> {
    const { context } = this;
    this.letGo();
    this.writeDown(judged, why);
    const endedBecause = context.call.endedBecause as EndReason;
    let outcome = judged;
    context.waits(GIVE_UP_HOOKS);
    try {
      await runHooks(hooks, Object.freeze({ ...this.ended(judged), endedBecause }), context);
    } catch (error) {
      outcome = { error };
    }
    context.waited();
    if (context.cancellation?.requested) return this.endCancelled(ending);
    if (outcome !== judged) context.call.failedWith = judged;
    return this.close(ending, outcome, why);
  }

  private endCancelled(outcome: Outcome): AxiosResponse | Promise<AxiosResponse> {
    if (isCancel(outcome.error)) return this.close(outcome, outcome, 'cancelled');
    // axios rejects a call that was cancelled by now, whatever has come of it; the books must say the same.
    const cancelled = this.context.cancelled().outcome;
    return this.close(cancelled, cancelled, 'cancelled');
  }

  /** The hooks hear of a retry, and may change what the sends to come are made of. */
  private async tellOfRetry(delayMs: number): Promise<Refusal | undefined> {
    const { context, transmission } = this;
    const { call, policy, shared } = context;
    if (policy.retry === false || policy.retry.onRetry.length === 0 || call.outcome === undefined) return undefined;
    const config = copyOfConfig(transmission.template);
    const retry = call.retries - call.retriesBefore + 1;
    const argument = Object.freeze({ ...this.ended(call.outcome), config, retry, delayMs });
    context.waits(RETRY_HOOKS);
    const ran = await runHooks(policy.retry.onRetry, argument, context);
    context.waited();
    if (ran === 'cancelled') return context.cancelled();
    // The hooks took time that the wait may have needed.
    if (ran === 'deadline' || shared.clock.now() + delayMs >= call.deadlineAt) return context.overdue();
    // A hook may have put a plain object in the place of axios' own headers.
    config.headers = copyOfHeaders(config.headers, call.config.headers);
    return this.reroute(config);
  }

  /** The next send is a poll: of what the answer has named, if it has named anything. */
  private turnTo(url: string | undefined): Refusal | undefined {
    const { transmission } = this;
    transmission.next = 'polls';
    return url === undefined ? undefined : this.reroute(transmission.asking(url));
  }

  /** The sends to come go by this config: token, circuit, limiter and budget too. */
  private reroute(config: InternalAxiosRequestConfig): Refusal | undefined {
    this.transmission.reroute(config);
    this.authorization?.reroute(config);
    this.guard?.reroute(config);
    this.admission?.reroute(config);
    return this.spending?.reroute(config);
  }

  /** What hooks are shown of the last send. */
  private ended(outcome: Outcome): EndedSend {
    const { call } = this.context;
    const { error } = outcome;
    const response = responseOf(outcome);
    return { send: call.sent, call: call.snapshot(), verdict: call.verdict, outcome, response, error };
  }

  /** Hands back whatever the call holds. */
  private letGo(): void {
    this.transmission.restore();
    this.admission?.release();
    this.guard?.release();
    this.spending?.takeBack();
  }

  /** By this `reportOf` and `failureOf` know how it ended. */
  private writeDown(outcome: Outcome, why: 'success' | EndReason): void {
    const { call, shared } = this.context;
    call.endedAt = why === 'success' ? this.judgedAt : shared.clock.now();
    call.endedBecause = reasonOf(outcome, why);
    setCallOf(outcome.response ?? outcome.error, call);
    if (outcome.error !== undefined) setCallOf(responseOf(outcome), call);
  }

  /**
   * @param ending what the call ended with
   * @param outcome what the caller is to have in its place
   */
  private close(ending: Outcome, outcome: Outcome, why: 'success' | EndReason): AxiosResponse | Promise<AxiosResponse> {
    const { context } = this;
    const { call } = context;
    const answer = this.last && responseOf(this.last);
    // Nobody is handed this answer: the caller has given up, or the policy's own code has thrown. Unread, its body would keep a socket.
    if (answer !== undefined && answer !== responseOf(outcome)) void discard(answer.data, Promise.resolve());
    this.handOut(outcome);
    this.letGo();
    this.writeDown(outcome, why);
    if (!context.isStreaming) context.shared.underWay.ended(context);
    // A call that ended otherwise than with its last answer was stopped from our side.
    if (ending === call.outcome) {
      const failed = this.wantsFresh ? undefined : call.verdict && isTransientFailure(ending, call.verdict.kind);
      this.spending?.ended(why === 'success', failed, call.endedAt);
    }
    if (context.heard('finished'))
      context.tell('finished', { endedBecause: reasonOf(outcome, why), report: call.report() });
    // Last: a listener may have cancelled the call, and axios asks for no body then.
    if (!context.cancellation?.requested) this.judging.handOver(outcome);
    this.judging.forget();
    // By the name and not by the value: an adapter may reject with `undefined`, and may resolve with it.
    return 'error' in outcome ? Promise.reject(outcome.error) : outcome.response;
  }

  /** What the caller gets may be a stream, which goes on. */
  private handOut(outcome: Outcome): void {
    const { aborter } = this.transmission;
    // A judge may have accepted what axios rejects, which has not been followed.
    const body = 'error' in outcome ? undefined : (this.streamed ?? streamOf(outcome));
    if (body === undefined || body.hasEnded) aborter?.end();
    else handOver(this.context, body, outcome.response?.request, this.admission, aborter);
  }

  /** The last answer as a judge wants the caller to have it, where axios would have it the other way. */
  private asJudged(outcome: Outcome, why: 'success' | EndReason): Outcome {
    const { call, shared } = this.context;
    const { accept, kind, reason, reject: refused } = call.verdict ?? PERMANENT;
    // Nobody may take "not yet" for the result, unless there is no asking again, or whoever stopped the call wants it so.
    const isPending = kind === 'pending' && why !== 'success' && why !== 'stopped';
    const reject = refused || isPending;
    // Not what ends the call in place of an answer: a refusal of the limiter, a failed refresh.
    if (!(accept || reject) || outcome !== call.outcome) return outcome;
    const response = responseOf(outcome);
    if (response === undefined || (accept === true) === (outcome.response !== undefined)) return outcome;
    if (accept) return { response };
    const what = isPending ? 'the answer is still pending' : 'classify rejected the answer';
    const message = `${what}${reason === undefined ? '' : `: ${reason}`}`;
    const code = response.status >= 400 && response.status < 500 ? 'ERR_BAD_REQUEST' : 'ERR_BAD_RESPONSE';
    return { error: shared.errors.axiosError(message, code, call.config, response.request, response) };
  }

  async refresh(): Promise<Refusal | undefined> {
    const { call } = this.context;
    const unauthorized = unauthorizedBy(call.outcome, call.errorText);
    // Before the refresh, not after it: the refresh may need the very socket that an unread body keeps.
    await this.dropBody(DRAIN_MS);
    this.context.waits(TOKEN_WAIT);
    const refused = await this.authorization?.replace(unauthorized);
    call.refreshMs += this.context.waited();
    if (refused !== undefined) return refused;
    this.transmission.next = 'replays';
    return undefined;
  }

  /** Gets rid of the body of a send that will be repeated, so that its socket can be used again. */
  private async dropBody(withinMs: number): Promise<void> {
    const { call, cancellation, shared } = this.context;
    const body = call.outcome && responseOf(call.outcome)?.data;
    if (!isUnread(body)) return;
    const patience = new Patience(withinMs, shared.clock, cancellation);
    await discard(body, patience.over);
    patience.end();
  }

  private async readThenJudge(outcome: Outcome, response: AxiosResponse): Promise<Decision> {
    if (announcesJson(response.headers)) {
      const { call, cancellation, shared } = this.context;
      const patience = new Patience(
        Math.min(PEEK_MS, call.deadlineAt - shared.clock.now()),
        shared.clock,
        cancellation,
      );
      this.context.waits(BODY);
      const { text, body } = await peek(response.data, patience.over);
      this.context.waited();
      patience.end();
      response.data = body;
      call.errorText = text;
    }
    return this.judgeRead(outcome);
  }

  private judgeRead(outcome: Outcome): Decision | Promise<Decision> {
    const now = this.context.shared.clock.now();
    this.answeredAt = now;
    // Before a judge is shown it, who may hand it on.
    this.streamed = streamOf(outcome);
    let judged: Judgement | Promise<Judgement>;
    try {
      judged = this.judging.verdictOn(outcome);
    } catch (error) {
      this.record(outcome, PERMANENT, STOP, undefined);
      throw error;
    }
    return judged instanceof Promise ? this.judgeLater(outcome, judged) : this.follow(outcome, judged, now);
  }

  /** Waits for a judge that gave a promise, no longer than the call may last. */
  private async judgeLater(outcome: Outcome, judging: Promise<Judgement>): Promise<Decision> {
    const { policy, shared } = this.context;
    let judged: Bounded<Judgement>;
    try {
      judged = await this.judging.inTime(judging);
    } catch (error) {
      this.record(outcome, PERMANENT, STOP, undefined);
      throw error;
    }
    const now = shared.clock.now();
    if (judged.kind === 'done') return this.follow(outcome, judged.value, now);
    if (judged.kind === 'cancelled') return this.follow(outcome, CANCELLED, now);
    // What it would have said nobody knows: the answer stands as it is, and nothing follows from it.
    return this.follow(outcome, conclude(undefined, outcome, policy, shared.clock), now, {
      kind: 'stop',
      why: 'deadline',
    });
  }

  /**
   * Acts on what an outcome means.
   *
   * @param settled what is to be done, where that is known already
   */
  private follow(outcome: Outcome, judged: Judgement, now: number, settled?: Decision): Decision {
    const { call } = this.context;
    this.judgedAt = now;
    let verdict = judged;
    let decision = STOP;
    let pausedUntil: number | undefined;
    let turned: 'open' | 'closed' | undefined;
    try {
      // What the last hop says of itself is not said of the first.
      if (verdict.kind !== 'success' && verdict.unapplied !== false && this.transmission.wasRedirected(outcome)) {
        verdict = { ...verdict, unapplied: false };
      }
      this.wantsFresh = verdict.kind !== 'success' && !this.hasFreshened && wantsFreshConnection(outcome);
      pausedUntil = this.admission?.answered(outcome, verdict, now, this.streamed !== undefined);
      const evidence = () => this.judging.evidence(outcome);
      if (this.wantsFresh) {
        this.hasFreshened = true;
        destroyIdle(outcome);
      }
      // A poll tells the breaker nothing, and a dead connection says nothing of the server.
      if (this.wantsFresh || this.transmission.isPoll) this.guard?.release();
      else turned = this.guard?.answered(outcome, now, this.transmission.wasCutOff(outcome), evidence);
      if (call.sends.length === 0) this.spending?.called(now);
      call.outcome = outcome;
      call.verdict = verdict;
      decision = settled ?? (verdict.kind === 'success' ? FINISH : this.decideOn(verdict, outcome, now));
      // What has not been handed back is for a body that the caller gets.
      if (decision.kind !== 'finish' && decision.kind !== 'stop') this.admission?.release();
    } finally {
      // Also when the policy's own code throws: the send was made, so the report has it.
      this.record(outcome, verdict, decision, pausedUntil);
      this.guard?.tell(turned, now);
    }
    return decision;
  }

  private decideOn(verdict: Judgement, outcome: Outcome, now: number): Decision {
    const { authorization, context, spending, transmission } = this;
    const { call, policy, shared } = context;
    const response = responseOf(outcome);
    // What the limiter paces can be no storm, nor can one retry that a pool of dead connections is to blame for.
    const isFree = this.admission?.paces === true || this.wantsFresh;
    const refusedRetry = spending?.refusal(verdict.kind, isFree, now);
    const refreshable =
      verdict.kind === 'unauthorized' &&
      !transmission.leftOrigin(outcome) &&
      Boolean(authorization?.isRefreshable(unauthorizedBy(outcome, call.errorText), verdict.explicit === true));
    call.bareBecause = verdict.kind === 'unauthorized' ? this.bareBecause() : undefined;
    const replays = call.replays - call.replaysBefore;
    if (refreshable && replays > 0) authorization?.refusedAgain();
    const decision = decide({
      verdict,
      retry: policy.retry,
      poll: policy.poll,
      // As it was sent: `beforeSend` may have made it another.
      method: call.wire?.method?.toUpperCase() ?? call.method,
      retries: call.retries - call.retriesBefore,
      replays,
      refreshable,
      refusedAnew: refreshable && authorization?.isRefusedAnew === true,
      nowMs: transmission.wasCutOff(outcome) ? Math.max(now, call.deadlineAt) : now,
      deadlineAt: call.deadlineAt,
      accepted:
        response !== undefined && (verdict.accept || (outcome.response !== undefined && isNoError(response.status))),
      timedOut: isTimeout(outcome.error),
      sameKey: transmission.key.survives(response !== undefined, call.wireHeaders),
      replayable: policy.body !== undefined || isReplayable(transmission.template.data),
      previousMs: call.backoffMs,
      namedMs: call.namedMs,
      pollUrl: verdict.kind === 'pending' && call.wire ? pollUrlOf(outcome, call.wire) : undefined,
      pollingMs: now - (call.pollingSince ?? now),
      error: outcome.error,
      random: shared.random,
      affordable: refusedRetry === undefined,
      wantsFreshConnection: this.wantsFresh,
    });
    if (verdict.kind === 'unauthorized' && decision.kind === 'stop' && decision.why === 'body-not-replayable') {
      // This call can't be replayed, but the next one will need the token.
      authorization?.replace(unauthorizedBy(outcome, call.errorText)).catch(() => {});
    }
    if (decision.kind === 'stop') this.explain(decision.why, refusedRetry);
    if (decision.kind === 'poll') {
      call.pollingSince ??= now;
      call.retriesBefore = call.retries;
      call.replaysBefore = call.replays;
      call.backoffMs = 0;
    }
    if (decision.kind === 'retry') {
      noticeAxiosRetry(shared, call.config);
      if (this.guard?.isOpenIn(decision.delayMs, now)) return { kind: 'stop', why: 'circuit-open' };
      spending?.withdraw(verdict.kind, isFree, now);
      call.namedMs += decision.namedMs;
      if (decision.backoff) call.backoffMs = decision.delayMs;
    }
    return decision;
  }

  /** Why a send carried no token, where the policy has one. */
  private bareBecause(): string | undefined {
    const { call, policy, shared } = this.context;
    if (this.authorization !== undefined || policy.auth === false) return this.authorization?.bareBecause;
    const withheld = shared.authenticator(policy.auth).withheldFrom(call.config, call.config);
    return withheld ?? 'the call is part of the refresh';
  }

  /** Keeps the numbers that a refusal rests on, for whoever asks why. */
  private explain(why: EndReason, refusedRetry: RefusedRetry | undefined): void {
    const { call, policy } = this.context;
    if (why === 'still-pending') call.polledMs = this.judgedAt - (call.pollingSince ?? this.judgedAt);
    if (why === 'budget-empty') call.refusedRetry = refusedRetry;
    if (why !== 'wait-too-long' || policy.retry === false || policy.retry.retryAfter === false) return;
    call.refusedWait = { waitedMs: call.namedMs, maxMs: policy.retry.retryAfter.maxMs };
  }

  private record(outcome: Outcome, verdict: Judgement, decision: Decision, pausedUntil: number | undefined): void {
    const { admission, answeredAt, context, transmission } = this;
    const hasToken = this.authorization !== undefined;
    record(context, transmission, admission, { outcome, verdict, decision, answeredAt, pausedUntil, hasToken });
    if (context.call.refusedRetry !== undefined) this.spending?.refuse(context.call.refusedRetry);
  }
}

/** What axios rejects is a failure to the caller, also where the server did well: a 200 that validateStatus refuses. */
const reasonOf = (outcome: Outcome, why: 'success' | EndReason): 'success' | EndReason =>
  why === 'success' && 'error' in outcome ? 'not-retryable' : why;

/**
 * Whether a call that ended so ended in a transient failure of the server, or of the way to it; `undefined` where that says nothing of
 * either. Below 500 it was an answer, also where a judge or the table has it tried again.
 */
function isTransientFailure(outcome: Outcome, kind: VerdictKind): boolean | undefined {
  if (kind === 'success') return false;
  return serverFailed(outcome) && kind === 'transient';
}

/** The body of an answer that axios resolves as a stream; a web stream is put in the place of that of the adapter. */
function streamOf(outcome: Outcome): StreamedBody | undefined {
  const response = 'error' in outcome ? undefined : responseOf(outcome);
  // What is frozen takes none.
  const body =
    response === undefined || Object.isFrozen(response) ? undefined : followBody(response.data, response.headers);
  if (response !== undefined && body !== undefined && body.data !== response.data) response.data = body.data;
  return body;
}

/** 1xx and 3xx: neither a success, whatever a judge may say of those, nor an error. */
const isNoError = (status: number): boolean => status < 200 || (status >= 300 && status < 400);
