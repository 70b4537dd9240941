import type { InternalAxiosRequestConfig } from 'axios';
import { addressOf } from '../call/address.ts';
import type { Again } from '../call/decision.ts';
import { responseOf } from '../call/outcome.ts';
import type { Refusal } from '../call/refusal.ts';
import { durationOf } from '../call/time-shown.ts';
import { TOKEN_WAIT, type Wait } from '../call/wait.ts';
import { keepShown } from '../classify/judging.ts';
import { unauthorizedBy } from '../classify/unauthorized-by.ts';
import { pollConfig } from '../poll/poll-target.ts';
import { endedSend, runHooks } from '../retry/hooks.ts';
import { destroyIdle } from '../send/fresh-connection.ts';
import { discard, isUnread } from '../send/response-body.ts';
import { copyOfConfig, copyOfHeaders } from '../send/snapshot.ts';
import { sleep } from '../time/sleep.ts';
import type { CallUnderWay } from './call-under-way.ts';
import type { Plan } from './plan.ts';

const HOOKS: Wait = { phase: 'retry-wait', why: () => 'waits for `retry.onRetry`' };
/** How long a body that nobody wants may take to end, where the wait itself is shorter, in ms. */
const DRAIN_MS = 50;

/** Waits before a retry or a poll; gives the reason where that was cut short. */
export async function wait(call: CallUnderWay, plan: Plan, again: Again): Promise<Refusal | undefined> {
  const { clock, counters } = plan;
  const { delayMs } = again;
  keepShown(call);
  const refused = again.kind === 'poll' ? turnTo(call, plan, again.url) : await tellOfRetry(call, plan, delayMs);
  if (refused !== undefined) return refused;
  counters.waiting += 1;
  call.waits(again.kind === 'poll' ? untilPoll(call, delayMs) : untilRetry(call, plan, delayMs));
  const slept = sleep(delayMs, clock, call.cancellation);
  await dropBody(call, plan, Math.max(delayMs, DRAIN_MS));
  const waited = await slept;
  // The connection of an answer is back in the pool by now.
  if (call.wantsFresh && call.outcome !== undefined) destroyIdle(call.outcome);
  counters.waiting -= 1;
  call.waitedMs += call.waited();
  return waited ? undefined : call.cancelled();
}

/** Gets another token after a 401; gives the reason where there is none. */
export async function refresh(call: CallUnderWay, plan: Plan): Promise<Refusal | undefined> {
  keepShown(call);
  const unauthorized = unauthorizedBy(call.outcome, call.errorText);
  // Before the refresh, not after it: the refresh may need the very socket that an unread body keeps.
  await dropBody(call, plan, DRAIN_MS);
  call.waits(TOKEN_WAIT);
  const refused = await plan.auth?.replace(call, unauthorized);
  call.refreshMs += call.waited();
  if (refused === undefined) call.next = 'replays';
  return refused;
}

/** The hooks hear of a retry, and may change what the sends to come are made of. */
async function tellOfRetry(call: CallUnderWay, plan: Plan, delayMs: number): Promise<Refusal | undefined> {
  const { clock, policy } = plan;
  if (policy.retry === false || policy.retry.onRetry.length === 0 || call.outcome === undefined) return undefined;
  const config = copyOfConfig(call.template);
  const retry = call.retries - call.retriesBefore + 1;
  const argument = Object.freeze({ ...endedSend(call, call.outcome), config, retry, delayMs });
  call.waits(HOOKS);
  const ran = await runHooks(policy.retry.onRetry, argument, call, clock);
  call.waited();
  if (ran === 'cancelled') return call.cancelled();
  // The hooks took time that the wait may have needed, or all that was left.
  if (clock.now() + delayMs >= call.deadlineAt) return call.deadlineRefusal();
  // A hook may have put a plain object in the place of axios' own headers.
  config.headers = copyOfHeaders(config.headers, call.config.headers);
  return reroute(call, plan, config);
}

/** The next send is a poll: of what the answer has named, if it has named anything. Such a one carries no key. */
function turnTo(call: CallUnderWay, plan: Plan, url: string | undefined): Refusal | undefined {
  call.next = 'polls';
  if (url === undefined) return undefined;
  const config = pollConfig(call.template, url, plan.keyHeader);
  call.asked = addressOf({ url });
  plan.idempotency?.retire(call);
  return reroute(call, plan, config);
}

/** All sends to come are made of this config: each station goes by it. */
function reroute(call: CallUnderWay, plan: Plan, config: InternalAxiosRequestConfig): Refusal | undefined {
  call.template = config;
  plan.auth?.reroute(call, config);
  plan.breaker?.reroute(call, config);
  plan.limit?.reroute(call, config);
  return plan.budget?.reroute(call, config);
}

/** Gets rid of the body of a send that will be repeated, so that its socket can be used again. */
async function dropBody({ cancellation, outcome }: CallUnderWay, { clock }: Plan, withinMs: number): Promise<void> {
  const body = outcome && responseOf(outcome)?.data;
  if (!isUnread(body)) return;
  await discard(body, { ms: withinMs, clock, cancellation });
}

function untilRetry(call: CallUnderWay, { policy }: Plan, delayMs: number): Wait {
  const last = call.sends.at(-1);
  const most = policy.retry === false ? Number.POSITIVE_INFINITY : policy.retry.maxRetries;
  const retry = `${call.retries - call.retriesBefore + 1}${most === Number.POSITIVE_INFINITY ? '' : ` of ${most}`}`;
  return {
    phase: 'retry-wait',
    until: () => call.since + delayMs,
    why: () => `waits ${durationOf(delayMs)} before retry ${retry} after ${last?.status ?? last?.code ?? 'no answer'}`,
  };
}

function untilPoll(call: CallUnderWay, delayMs: number): Wait {
  return {
    phase: 'poll',
    until: () => call.since + delayMs,
    why: () => `waits ${durationOf(delayMs)} before poll ${call.polls + 1}: ${call.sends.at(-1)?.status} is pending`,
  };
}
