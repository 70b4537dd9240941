import type { AxiosResponse } from 'axios';
import type { Decision } from '../call/decision.ts';
import { brokeOff, type Outcome, responseOf } from '../call/outcome.ts';
import type { RefusedRetry } from '../call/refused-retry.ts';
import type { EndReason } from '../call/report.ts';
import type { Judgement } from '../call/verdict.ts';
import type { Wait } from '../call/wait.ts';
import { announcesJson, classify, conclude } from '../classify/classify.ts';
import { evidenceOn } from '../classify/judging.ts';
import { unauthorizedBy } from '../classify/unauthorized-by.ts';
import { isTimeout } from '../failure/code.ts';
import { noteOwnBodyError } from '../failure/own-body.ts';
import { keepsKey } from '../idempotency/station.ts';
import { pollUrlOf } from '../poll/poll-target.ts';
import { noticeAxiosRetry } from '../retry/beside-axios-retry.ts';
import { decide, FINISH } from '../retry/decide.ts';
import { giveBack } from '../send/borrow.ts';
import { destroyIdle, wantsFreshConnection } from '../send/fresh-connection.ts';
import { leftOrigin, wasRedirected } from '../send/redirects.ts';
import { isReplayable } from '../send/replayable.ts';
import { isUnread, peek } from '../send/response-body.ts';
import { restoreConfig } from '../send/restore-config.ts';
import { followBody, type StreamedBody } from '../send/streamed-body.ts';
import { type Timed, withTimeout } from '../time/with-timeout.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { Plan } from './plan.ts';
import { record } from './record.ts';

const PERMANENT: Judgement = Object.freeze({ kind: 'permanent' });
const CANCELLED: Judgement = Object.freeze({ kind: 'cancelled' });
const STOP: Decision = Object.freeze({ kind: 'stop', why: 'not-retryable' });
const OUT_OF_TIME: Decision = Object.freeze({ kind: 'stop', why: 'deadline' });
const BODY: Wait = { phase: 'body', why: () => 'reads the body of an error' };
const JUDGE: Wait = { phase: 'body', why: () => 'waits for a judge of `classify`' };
/** How long the loop reads an error body that trickles, in ms. */
const PEEK_MS = 1_000;

/** Takes in what came of a send: what it means, what it tells each station, and what to do about it. */
export function arrive(call: CallUnderWay, plan: Plan, outcome: Outcome): Decision | Promise<Decision> {
  if (call.refusedBecause !== undefined) return { kind: 'stop', why: call.refusedBecause };
  call.last = outcome;
  call.shown = undefined;
  call.errorText = undefined;
  plan.counters.inFlight -= 1;
  if (call.borrowed !== undefined) giveBack(call.config, call.borrowed);
  call.borrowed = undefined;
  if (outcome.error !== undefined) noteOwnBodyError(outcome.error, call.wire?.data);
  restoreConfig(outcome, call.config);
  plan.budget?.arrive(call);
  const response = responseOf(outcome);
  return response !== undefined && response.status >= 400 && isUnread(response.data)
    ? readThenJudge(call, plan, outcome, response)
    : judge(call, plan, outcome, plan.clock.now());
}

async function readThenJudge(
  call: CallUnderWay,
  plan: Plan,
  outcome: Outcome,
  response: AxiosResponse,
): Promise<Decision> {
  const { clock } = plan;
  if (announcesJson(response.headers)) {
    const bound = call.timeout(clock);
    call.waits(BODY);
    const { text, body } = await peek(response.data, { ...bound, ms: Math.min(PEEK_MS, bound.ms) });
    call.waited();
    response.data = body;
    call.errorText = text;
  }
  return judge(call, plan, outcome, clock.now());
}

function judge(call: CallUnderWay, plan: Plan, outcome: Outcome, nowMs: number): Decision | Promise<Decision> {
  call.answeredAt = nowMs;
  // Before a judge is shown it, who may hand it on.
  call.streamed = streamOf(outcome);
  let judged: Judgement | Promise<Judgement>;
  try {
    judged = verdictOn(call, plan, outcome);
  } catch (error) {
    record(call, plan, { outcome, verdict: PERMANENT, decision: STOP });
    throw error;
  }
  return judged instanceof Promise
    ? judgeLater(call, plan, outcome, judged)
    : follow(call, plan, outcome, judged, nowMs);
}

/** What an outcome means; a promise where a judge gives one. */
function verdictOn(call: CallUnderWay, plan: Plan, outcome: Outcome): Judgement | Promise<Judgement> {
  if (call.cancellation?.requested && responseOf(outcome) === undefined) return CANCELLED;
  if (plan.policy.classify.length > 0) return askJudges(call, plan, outcome);
  return conclude(undefined, outcome, plan.policy, plan.clock);
}

function askJudges(call: CallUnderWay, plan: Plan, outcome: Outcome): Judgement | Promise<Judgement> {
  const { breaker, clock, limit, policy } = plan;
  const ask = () => classify(outcome, policy, () => evidenceOn(call, outcome, clock), clock);
  // A call that a judge makes would wait for the permit that this one holds, or find the circuit open.
  const permitted = limit?.mayHoldUp ? () => limit.holding(call, ask) : ask;
  return breaker === undefined ? permitted() : breaker.probing(call, permitted);
}

/** Waits for a judge that gave a promise, no longer than the call may last. */
async function judgeLater(
  call: CallUnderWay,
  plan: Plan,
  outcome: Outcome,
  judging: Promise<Judgement>,
): Promise<Decision> {
  const { clock, policy } = plan;
  let judged: Timed<Judgement>;
  call.waits(JUDGE);
  try {
    judged = await withTimeout(judging, call.timeout(clock));
  } catch (error) {
    record(call, plan, { outcome, verdict: PERMANENT, decision: STOP });
    throw error;
  } finally {
    call.waited();
  }
  const nowMs = clock.now();
  if (judged.kind === 'done') return follow(call, plan, outcome, judged.value, nowMs);
  if (judged.kind === 'cancelled') return follow(call, plan, outcome, CANCELLED, nowMs);
  // What it would have said nobody knows: the answer stands as it is, and nothing follows from it.
  return follow(call, plan, outcome, conclude(undefined, outcome, policy, clock), nowMs, OUT_OF_TIME);
}

/**
 * Tells each station what came, and decides.
 *
 * @param settled what is to be done, where that is known already
 */
function follow(
  call: CallUnderWay,
  plan: Plan,
  outcome: Outcome,
  judged: Judgement,
  nowMs: number,
  settled?: Decision,
): Decision {
  const { breaker, limit } = plan;
  call.judgedAt = nowMs;
  const isGood = judged.kind === 'success';
  let verdict = judged;
  let decision = STOP;
  let pausedUntil: number | undefined;
  let turned: 'open' | 'closed' | undefined;
  try {
    // What the last hop says of itself is not said of the first.
    if (!isGood && verdict.unapplied !== false && call.wire !== undefined && wasRedirected(outcome, call.wire)) {
      verdict = { ...verdict, unapplied: false };
    }
    call.wantsFresh = !isGood && !call.hasFreshened && wantsFreshConnection(outcome);
    pausedUntil = limit?.arrive(call, outcome, verdict, nowMs, call.streamed !== undefined);
    if (call.wantsFresh) {
      call.hasFreshened = true;
      destroyIdle(outcome);
    }
    // A poll tells the breaker nothing, and a dead connection says nothing of the server.
    if (call.wantsFresh || call.isPoll) breaker?.leave(call);
    else turned = breaker?.arrive(call, outcome, nowMs);
    if (call.sends.length === 0) plan.budget?.called(call, nowMs);
    call.outcome = outcome;
    call.verdict = verdict;
    decision = settled ?? (isGood ? FINISH : decideOn(call, plan, outcome, verdict, nowMs));
    // What has not been given back is for a body that the caller gets.
    if (decision.kind !== 'finish' && decision.kind !== 'stop') limit?.leave(call);
  } finally {
    // Also when the policy's own code throws: the send was made, so the report has it.
    record(call, plan, { outcome, verdict, decision, pausedUntil });
    breaker?.tell(call, turned, nowMs);
  }
  return decision;
}

function decideOn(call: CallUnderWay, plan: Plan, outcome: Outcome, verdict: Judgement, nowMs: number): Decision {
  const { auth, breaker, budget, idempotency, limit, policy } = plan;
  const response = responseOf(outcome);
  // What the limiter paces can be no storm, nor can one retry that a pool of dead connections is to blame for. A server that answers well
  // does not fail, whatever a judge wants to see changed.
  const isWell = verdict.kind === 'transient' && response !== undefined && response.status < 400 && !brokeOff(outcome);
  const isFree = isWell || limit?.paces(call) === true || call.wantsFresh;
  const refusedRetry = budget?.refusal(call, verdict.kind, isFree, nowMs);
  const replays = call.replays - call.replaysBefore;
  const refreshable = verdict.kind === 'unauthorized' && isRefreshable(call, plan, outcome, verdict);
  call.bareBecause = verdict.kind === 'unauthorized' ? auth?.bareBecause(call) : undefined;
  if (refreshable && replays > 0) auth?.refusedAgain(call);
  if (response !== undefined) idempotency?.arrive(call);
  const decision = decide({
    verdict,
    retry: policy.retry,
    poll: policy.poll,
    // As it was sent: `beforeSend` may have made it another.
    method: call.wire?.method?.toUpperCase() ?? call.method,
    retries: call.retries - call.retriesBefore,
    replays,
    refreshable,
    refusedAnew: refreshable && auth?.isRefusedAnew(call) === true,
    nowMs: outcome === call.cutOff ? Math.max(nowMs, call.deadlineAt) : nowMs,
    deadlineAt: call.deadlineAt,
    accepted:
      response !== undefined && (verdict.accept || (outcome.response !== undefined && isNoError(response.status))),
    timedOut: isTimeout(outcome.error),
    sameKey: keepsKey(call, plan.keyHeader, call.wireHeaders),
    replayable: policy.body !== undefined || isReplayable(call.template.data),
    previousMs: call.backoffMs,
    namedMs: call.namedMs,
    pollUrl: verdict.kind === 'pending' && call.wire ? pollUrlOf(outcome, call.wire) : undefined,
    pollingMs: nowMs - (call.pollingSince ?? nowMs),
    error: outcome.error,
    random: plan.random,
    affordable: refusedRetry === undefined,
    wantsFreshConnection: call.wantsFresh,
  });
  switch (decision.kind) {
    case 'stop':
      if (verdict.kind === 'unauthorized' && decision.why === 'body-not-replayable') {
        // This call can't be replayed, but the next one will need the token.
        auth?.replace(call, unauthorizedBy(outcome, call.errorText)).catch(() => {});
      }
      explain(call, plan, decision.why, refusedRetry);
      break;
    case 'poll':
      call.pollingSince ??= nowMs;
      call.retriesBefore = call.retries;
      call.replaysBefore = call.replays;
      call.backoffMs = 0;
      break;
    case 'retry':
      noticeAxiosRetry(plan.counters, call.config);
      if (breaker?.isOpenIn(call, decision.delayMs, nowMs)) return { kind: 'stop', why: 'circuit-open' };
      budget?.withdraw(call, verdict.kind, isFree, nowMs);
      call.namedMs += decision.namedMs;
      if (decision.backoff) call.backoffMs = decision.delayMs;
  }
  return decision;
}

/** Whether another token may help: not where the answer came from another origin, which never saw ours. */
function isRefreshable(call: CallUnderWay, { auth }: Plan, outcome: Outcome, { explicit }: Judgement): boolean {
  if (auth === undefined || (call.wire !== undefined && leftOrigin(outcome, call.wire))) return false;
  return auth.isRefreshable(call, unauthorizedBy(outcome, call.errorText), explicit === true);
}

/** Keeps the numbers that a refusal rests on, for whoever asks why. */
function explain(call: CallUnderWay, { policy }: Plan, why: EndReason, refusedRetry: RefusedRetry | undefined): void {
  if (why === 'still-pending') call.polledMs = call.judgedAt - (call.pollingSince ?? call.judgedAt);
  if (why === 'budget-empty') call.refusedRetry = refusedRetry;
  if (why !== 'wait-too-long' || policy.retry === false || policy.retry.retryAfter === false) return;
  call.refusedWait = { waitedMs: call.namedMs, maxMs: policy.retry.retryAfter.maxMs };
}

/** The body of an answer that axios resolves as a stream; a web stream is put in the place of that of the adapter. */
export function streamOf(outcome: Outcome): StreamedBody | undefined {
  const response = 'error' in outcome ? undefined : responseOf(outcome);
  // What is frozen takes none.
  const body =
    response === undefined || Object.isFrozen(response) ? undefined : followBody(response.data, response.headers);
  if (response !== undefined && body !== undefined && body.data !== response.data) response.data = body.data;
  return body;
}

/** 1xx and 3xx: neither a success, whatever a judge may say of those, nor an error. */
const isNoError = (status: number): boolean => status < 200 || (status >= 300 && status < 400);
