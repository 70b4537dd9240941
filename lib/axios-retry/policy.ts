import { type AxiosError, type InternalAxiosRequestConfig, isCancel } from 'axios';
import { isNetworkOrIdempotentRequestError, namespace } from 'axios-retry';
import type { Call } from '../call/call.ts';
import type { Judgement } from '../call/verdict.ts';
import { shown } from '../check.ts';
import { conclude } from '../classify/classify.ts';
import { isRetryable } from '../classify/is-retryable.ts';
import type { Evidence } from '../classify/options.ts';
import { faultOf } from '../failure/fault.ts';
import type { Policy } from '../policy/options.ts';
import type { GiveUpContext, RetryContext } from '../retry/options.ts';
import { type Clock, wallAheadMs } from '../time/clock.ts';
import type { RetryOptions } from './options.ts';
import { RetryState } from './retry-state.ts';

const SUCCESS: Judgement = Object.freeze({ kind: 'success' });
const ACCEPTED: Judgement = Object.freeze({ kind: 'success', accept: true });
const PERMANENT: Judgement = Object.freeze({ kind: 'permanent' });

/** A longer wait than a timer of the platform can take, which is what axios-retry waits by: 24.8 days. */
const MAX_MS = 2 ** 31 - 1;

/** The AxiosError of a send, as far as it is one. */
interface Failed {
  readonly error: AxiosError;
  readonly config: InternalAxiosRequestConfig;
  readonly state: RetryState;
}

/**
 * The policy that makes of our loop what axios-retry does. There is one for all calls: each call's options stand in its config.
 *
 * @param isOn whether both interceptors are still registered
 */
export function policyOf(options: RetryOptions, isOn: () => boolean, clock: Clock): Policy {
  const now = () => clock.now() + wallAheadMs(clock);
  const judge = (evidence: Evidence) => judged(evidence, { options, isOn, now, clock });
  return {
    retry: {
      maxRetries: Number.POSITIVE_INFINITY,
      // What a judge names is waited out to the millisecond.
      retryAfter: { maxMs: MAX_MS },
      budget: false,
      onRetry: (context) => tellOfRetry(context),
      onGiveUp: (context) => tellOfTheEnd(context),
    },
    classify: judge,
  };
}

interface Terms {
  readonly options: RetryOptions;
  readonly isOn: () => boolean;
  /** The time of day by the loop's clock, ms since the epoch. */
  readonly now: () => number;
  readonly clock: Clock;
}

function judged(evidence: Evidence, terms: Terms): Judgement | undefined | Promise<Judgement> {
  const { error, response } = evidence;
  if (error === undefined) {
    const state = stateIn(response?.config);
    // That of a first send is right as it is.
    if (state !== undefined && state.retryCount > 0) state.sent(evidence.call);
    return SUCCESS;
  }
  if (isCancel(error)) return undefined;
  const failed = failedOf(error, terms);
  if (failed === undefined) return PERMANENT;
  const { state } = failed;
  const { call } = evidence;
  state.sent(call);
  state.retryCount = call.retries;
  showTransformed(evidence);
  if (response !== undefined && state.validateResponse?.(response)) return ACCEPTED;
  if (!terms.isOn()) return PERMANENT;
  if (call.retries >= state.retries) return exhausted(failed, call);
  const given: unknown = state.retryCondition(failed.error);
  if (typeof given === 'object')
    return saidLater(given).then((yes) => (yes ? retried(failed, evidence, terms) : PERMANENT));
  return given ? retried(failed, evidence, terms) : PERMANENT;
}

/** As axios-retry has it: a promise says no by `false`, and by being rejected. */
async function saidLater(given: unknown): Promise<boolean> {
  try {
    return (await given) !== false;
  } catch {
    return false;
  }
}

/** What is needed of an error to retry its call; without a config there can be no retry. */
function failedOf(error: Evidence['error'], { options, now }: Terms): Failed | undefined {
  // What an adapter rejects with may be anything; whoever gave a condition expects an AxiosError.
  const axiosError = error as AxiosError;
  const config = axiosError?.config;
  if (typeof config !== 'object' || config === null) return undefined;
  const state = stateIn(config) ?? new RetryState(options, now());
  // An interceptor may have made a config of its own.
  if (config[namespace] !== state) Reflect.set(config, namespace, state);
  return { error: axiosError, config, state };
}

function stateIn(config: InternalAxiosRequestConfig | undefined): RetryState | undefined {
  const state = config?.[namespace];
  return state instanceof RetryState ? state : undefined;
}

/** A condition and the hooks see an answer as an interceptor would. */
function showTransformed({ data, headers, response }: Evidence): void {
  if (response === undefined) return;
  // `undefined`: there is none, or `transformResponse` throws, which axios will tell of.
  if (data !== undefined) Reflect.set(response, 'data', data);
  // Adapters of their own, and mocks, leave it to axios to make them of its class.
  if (!isMade(response.headers)) Reflect.set(response, 'headers', headers);
}

const isMade = (headers: unknown): boolean =>
  typeof (headers as { normalize?: unknown } | undefined)?.normalize === 'function';

/** The condition is not asked any more. So whether the retries are to blame is guessed, for `failureOf`. */
function exhausted({ error }: Failed, { retries }: Call): Judgement {
  return retries > 0 || isRetryable(error) ? { kind: kindOf(error), ends: 'retries-exhausted' } : PERMANENT;
}

function retried(failed: Failed, { call, outcome, response }: Evidence, { clock, now }: Terms): Judgement {
  const { config, error, state } = failed;
  const kind = kindOf(error);
  // Its default takes whatever brings no answer for the network's fault: a wrong URL, a body that is too large. And it repeats a POST whose
  // connection was lost, so that an order may be placed twice. Here only what the loop would repeat; a condition of the caller's own is obeyed.
  const byDefault = state.retryCondition === isNetworkOrIdempotentRequestError;
  if (byDefault && response === undefined && faultOf(error) === 'local') return PERMANENT;
  const retry = call.retries + 1;
  state.retryCount = retry;
  const retryAfterMs = waitOf(state.retryDelay(retry, error), error);
  if (!state.shareTimeout(config, now() - state.lastRequestTime, retryAfterMs)) return { kind, ends: 'deadline' };
  if (!byDefault) return { kind, retryAfterMs, vouched: true };
  return { kind, retryAfterMs, unapplied: conclude(undefined, outcome, NO_RULES, clock).unapplied };
}

const NO_RULES = { statuses: {} };

const kindOf = ({ response }: AxiosError) => (response?.status === 429 ? 'throttled' : 'transient');

/** @throws {TypeError} where that is no wait: to guess one would hide the mistake, to wait for none would be a storm */
function waitOf(ms: unknown, error: unknown): number {
  if (typeof ms === 'number' && ms < Number.POSITIVE_INFINITY) return Math.max(0, ms);
  throw new TypeError(`retryDelay must return a finite number of ms, and at once; got ${shown(ms)}`, { cause: error });
}

function tellOfRetry({ config, error, retry }: RetryContext): Promise<void> | undefined {
  const failed = error as AxiosError;
  return stateIn(failed.config)?.tellOfRetry(retry, failed, config);
}

function tellOfTheEnd({ call, endedBecause, error }: GiveUpContext): void | Promise<void> {
  const failed = error as AxiosError | undefined;
  const state = stateIn(failed?.config);
  // What a hook or a condition has thrown ends the call as it is.
  if (failed === undefined || !state?.isOf(call.id) || endedBecause === 'deadline') return;
  // It may have been counted, and not have been made.
  state.retryCount = call.retries;
  if (call.retries >= state.retries) return state.onMaxRetryTimesExceeded(failed, call.retries);
}
