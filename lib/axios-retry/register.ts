import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import { type IAxiosRetryConfig, type IAxiosRetryReturn, namespace } from 'axios-retry';
import { attachIn } from '../attach.ts';
import { isPlain } from '../check.ts';
import { markOf, requireInstance } from '../instance.ts';
import { House } from '../policy/house.ts';
import { type Clock, type Random, wallAheadMs } from '../time/clock.ts';
import { optionsOf } from './options.ts';
import { policyOf } from './policy.ts';
import { hasAxiosRetry } from './real-one.ts';
import { RetryState } from './retry-state.ts';

const NAME = 'axiosRetry';
const BESIDE =
  'axios-retry is registered on this axios instance too, and their sends would multiply: take one of them off';

interface Ports {
  readonly clock: Clock;
  readonly random: Random;
}

/** `axiosRetry` with the ports in the caller's hand. */
export function register(
  ports: Ports,
  instance: AxiosInstance,
  given: IAxiosRetryConfig | undefined,
  callee: (...args: never[]) => unknown,
): IAxiosRetryReturn {
  requireInstance(instance);
  const options = optionsOf(given);
  const there = markOf(instance);
  if (there !== undefined && there.entry !== NAME) throw new Error(attachedAlready(there.place()));
  if (hasAxiosRetry(instance)) throw new Error(BESIDE);
  const { clock } = ports;
  const responses = instance.interceptors.response;
  // It does nothing: it is there to be ejected.
  const passOn = (error: unknown) => Promise.reject(error);
  const isOn = () => isRegistered(responses, passOn);
  const prepare = (config: InternalAxiosRequestConfig) => {
    const own: unknown = config[namespace];
    // What comes with a count may have it from the real one, registered after us.
    if (isPlain(own) && typeof own.retryCount === 'number' && hasAxiosRetry(instance)) throw new Error(BESIDE);
    const state = new RetryState(optionsOf(own, options), clock.now() + wallAheadMs(clock));
    return prepared(config, state);
  };
  const entry = { name: NAME, prepare, detach: () => responses.eject(responseInterceptorId) };
  const policy = policyOf(options, isOn, clock);
  const { interceptorId } = attachIn(new House({}), { ...ports, entry }, instance, policy, { replace: true }, callee);
  const responseInterceptorId = responses.use(null, passOn);
  return { requestInterceptorId: interceptorId, responseInterceptorId };
}

/** axios rejects whatever `validateStatus` refuses; whether it is good is then asked of `validateResponse`. */
const NONE = () => false;

function prepared(config: InternalAxiosRequestConfig, state: RetryState): InternalAxiosRequestConfig {
  const changes = { [namespace]: state, ...(state.validateResponse && { validateStatus: NONE }) };
  // An interceptor before this one may have frozen what it returned.
  return Object.isExtensible(config) ? Object.assign(config, changes) : { ...config, ...changes };
}

function isRegistered(interceptors: AxiosInstance['interceptors']['response'], rejected: unknown): boolean {
  const { handlers } = interceptors as unknown as {
    handlers?: readonly ({ readonly rejected?: unknown } | null)[];
  };
  return handlers === undefined || handlers.some((handler) => handler?.rejected === rejected);
}

function attachedAlready(place: string | undefined): string {
  const where = place === undefined ? '' : ` (at ${place})`;
  return `holdfast is attached to this axios instance already${where}, and retries by the policy given there: detach() that first, or leave axiosRetry out`;
}
