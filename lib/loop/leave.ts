import { type AxiosResponse, isCancel } from 'axios';
import { setCallOf, setCallOfSuccess } from '../call/call-of.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import type { EndReason } from '../call/report.ts';
import type { VerdictKind } from '../call/verdict.ts';
import type { Wait } from '../call/wait.ts';
import { handOverShown } from '../classify/judging.ts';
import { serverFailed } from '../classify/server-failed.ts';
import { endedSend, runHooks } from '../retry/hooks.ts';
import type { OnGiveUp } from '../retry/options.ts';
import { giveBack } from '../send/borrow.ts';
import { discard } from '../send/response-body.ts';
import { streamOf } from './arrive.ts';
import type { CallUnderWay } from './call-under-way.ts';
import { handOver } from './hand-over.ts';
import type { Plan } from './plan.ts';

type Why = 'success' | EndReason;
type Ended = AxiosResponse | Promise<AxiosResponse>;

const HOOKS: Wait = { phase: 'body', why: () => 'waits for `retry.onGiveUp`' };

/** Ends a call: gives the response, or a promise rejected with the error. */
export function leave(call: CallUnderWay, plan: Plan, outcome: Outcome, why: Why): Ended {
  if (call.cancellation?.requested) return leaveCancelled(call, plan, outcome);
  const judged = asJudged(call, plan, outcome, why);
  const onGiveUp = plan.policy.retry === false ? [] : plan.policy.retry.onGiveUp;
  // Whoever stops a call that resolves, such as one that polls, wants what it has: it has not failed.
  const isWanted = (why === 'success' || why === 'stopped') && !('error' in judged);
  if (onGiveUp.length === 0 || isWanted) return close(call, plan, outcome, judged, why);
  return giveUp(call, plan, outcome, judged, why, onGiveUp);
}

/** The hooks come last before the caller hears of it, when nothing is held any more. */
async function giveUp(
  call: CallUnderWay,
  plan: Plan,
  ending: Outcome,
  judged: Outcome,
  why: Why,
  hooks: readonly OnGiveUp[],
): Promise<AxiosResponse> {
  letGo(call, plan);
  writeDown(call, plan, judged, why);
  const endedBecause = call.endedBecause as EndReason;
  let outcome = judged;
  call.waits(HOOKS);
  try {
    await runHooks(hooks, Object.freeze({ ...endedSend(call, judged), endedBecause }), call, plan.clock);
  } catch (error) {
    outcome = { error };
  }
  call.waited();
  if (call.cancellation?.requested) return leaveCancelled(call, plan, ending);
  if (outcome !== judged) call.failedWith = judged;
  return close(call, plan, ending, outcome, why);
}

function leaveCancelled(call: CallUnderWay, plan: Plan, outcome: Outcome): Ended {
  if (isCancel(outcome.error)) return close(call, plan, outcome, outcome, 'cancelled');
  // axios rejects a call that was cancelled by now, whatever has come of it; the books must say the same.
  const cancelled = call.cancelled().outcome;
  return close(call, plan, cancelled, cancelled, 'cancelled');
}

/**
 * @param ending what the call ended with
 * @param outcome what the caller is to have in its place
 */
function close(call: CallUnderWay, plan: Plan, ending: Outcome, outcome: Outcome, why: Why): Ended {
  const answer = call.last && responseOf(call.last);
  // Nobody is handed this answer: the caller has given up, or the policy's own code has thrown. Unread, its body would keep a socket.
  if (answer !== undefined && answer !== responseOf(outcome)) void discard(answer.data);
  handOut(call, plan, outcome);
  letGo(call, plan);
  writeDown(call, plan, outcome, why);
  if (!call.isStreaming) plan.underWay.ended(call);
  // A call that ended otherwise than with its last answer was stopped from our side.
  if (ending === call.outcome) {
    const failed = call.wantsFresh ? undefined : call.verdict && isTransientFailure(ending, call.verdict.kind);
    plan.budget?.ended(call, why === 'success', failed, call.endedAt);
  }
  if (call.terms.hears.finished()) {
    call.tell('finished', { endedBecause: reasonOf(outcome, why), report: call.report() });
  }
  // Last: a listener may have cancelled the call, and axios asks for no body then.
  if (!call.cancellation?.requested) handOverShown(call, outcome);
  call.shown = undefined;
  if (why === 'success' && !('error' in outcome) && !call.isStreaming) call.letGo();
  // By the name and not by the value: an adapter may reject with `undefined`, and may resolve with it.
  return 'error' in outcome ? Promise.reject(outcome.error) : outcome.response;
}

/** What the caller gets may be a stream, which goes on. */
function handOut(call: CallUnderWay, plan: Plan, outcome: Outcome): void {
  // A judge may have accepted what axios rejects, which has not been followed.
  const followed = outcome === call.last ? call.streamed : streamOf(outcome);
  const body = 'error' in outcome ? undefined : followed;
  if (body === undefined || body.hasEnded) call.aborter?.end();
  else handOver(call, plan, body, outcome.response?.request);
}

/** Gives back whatever the call holds. */
function letGo(call: CallUnderWay, { breaker, budget, limit }: Plan): void {
  if (call.borrowed !== undefined) giveBack(call.config, call.borrowed);
  call.borrowed = undefined;
  limit?.leave(call);
  breaker?.leave(call);
  budget?.leave(call);
}

/** By this `reportOf` and `failureOf` know how it ended. */
function writeDown(call: CallUnderWay, { clock }: Plan, outcome: Outcome, why: Why): void {
  call.endedAt = why === 'success' ? call.judgedAt : clock.now();
  call.endedBecause = reasonOf(outcome, why);
  if (why === 'success' && !('error' in outcome)) setCallOfSuccess(outcome.response, call);
  else {
    setCallOf(outcome.error, call);
    setCallOf(responseOf(outcome), call);
  }
}

/** The last answer as a judge wants the caller to have it, where axios would have it the other way. */
function asJudged(call: CallUnderWay, { errors }: Plan, outcome: Outcome, why: Why): Outcome {
  // Not what ends the call in place of an answer: a refusal of the limiter, a failed refresh.
  if (call.verdict === undefined || outcome !== call.outcome) return outcome;
  const { accept, kind, reason, reject: refused } = call.verdict;
  // Nobody may take "not yet" for the result, unless there is no asking again, or whoever stopped the call wants it so.
  const isPending = kind === 'pending' && why !== 'success' && why !== 'stopped';
  const reject = refused || isPending;
  if (!accept && !reject) return outcome;
  const response = responseOf(outcome);
  if (response === undefined || (accept === true) === (outcome.response !== undefined)) return outcome;
  if (accept) return { response };
  const what = isPending ? 'the answer is still pending' : 'classify rejected the answer';
  const message = `${what}${reason === undefined ? '' : `: ${reason}`}`;
  const code = response.status >= 400 && response.status < 500 ? 'ERR_BAD_REQUEST' : 'ERR_BAD_RESPONSE';
  return { error: errors.axiosError(message, code, call.config, response.request, response) };
}

/** What axios rejects is a failure to the caller, also where the server did well: a 200 that validateStatus refuses. */
const reasonOf = (outcome: Outcome, why: Why): Why => (why === 'success' && 'error' in outcome ? 'not-retryable' : why);

/**
 * Whether a call that ended so ended in a transient failure of the server, or of the way to it; `undefined` where that says nothing of
 * either. Below 500 it was an answer, also where a judge or the table has it tried again.
 */
function isTransientFailure(outcome: Outcome, kind: VerdictKind): boolean | undefined {
  if (kind === 'success') return false;
  return serverFailed(outcome) && kind === 'transient';
}
