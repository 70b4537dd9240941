import type { AxiosInstance } from 'axios';
import { AxiosErrors } from './attempt/axios-errors.ts';
import type { Shared } from './attempt/context.ts';
import { Authenticators } from './auth/authenticators.ts';
import type { CredentialsPorts } from './auth/credentials.ts';
import { passThrough } from './auth/pass-through.ts';
import { publicCodeOf } from './auth/public-code.ts';
import { mayPass } from './classify/may-pass.ts';
import { Breaker } from './decide/breaker.ts';
import { RetryBudget } from './decide/budget.ts';
import { codeOf } from './failure/code.ts';
import { InvalidPolicyError } from './failure/errors.ts';
import { interceptor } from './interceptor.ts';
import { isLimiter, Limiters } from './limit/limiters.ts';
import { originOf } from './model/address.ts';
import { ByNumbers } from './model/by-numbers.ts';
import { Emitter } from './observe/emitter.ts';
import type { EventName, EventOf, Listener } from './observe/events.ts';
import { emptyTally, type Tally } from './observe/tally.ts';
import type { Policy, ResolvedBreaker, ResolvedBudget, ResolvedPolicy } from './policy/options.ts';
import { resolve } from './policy/resolve.ts';
import { validate } from './policy/validate.ts';
import { systemClock, systemRandom } from './wait/clock.ts';

declare module 'axios' {
  interface AxiosRequestConfig {
    /** This call's own policy, laid over the attached one; `false` lets the call through untouched. */
    holdfast?: false | Policy | undefined;
  }
}

/** What ties a policy to an instance. */
export interface Attachment {
  /** The policy with every default filled in, frozen. */
  readonly policy: ResolvedPolicy;
  /** Restores the instance: new calls pass through untouched, calls under way finish under their policy. */
  detach(): void;
  /**
   * Detaches, refuses this attachment's queued calls with a `LimitError`, and releases what it opened. A `Limiter` that was handed in stays open, since others may share
   * it.
   */
  close(): Promise<void>;
  stats(): Stats;
  /**
   * Listens to an event of every call; gives the function that stops listening. The listener is never awaited.
   *
   * @throws {InvalidPolicyError} when there is no such event
   */
  on<E extends EventName>(event: E, listener: Listener<E>): () => void;
}

/**
 * What `attach` needs of an axios instance. Structural, because the typings of two copies of axios, or of its ESM and its
 * CommonJS entry, do not fit each other.
 */
export interface AttachableInstance {
  readonly interceptors: { readonly request: { use(...args: never[]): number; eject(id: number): void } };
}

/** Numbers over the life of an attachment. */
export interface Stats extends Readonly<Tally> {
  /** Buckets that the limiter has paused now. */
  readonly pausedKeys: number;
  /** The retry budget's balance by key, in tokens. */
  readonly budget: { readonly [key: string]: number };
  /** The keys whose circuit is open, or waits for its probe. */
  readonly open: readonly string[];
}

/** Registered, so that a second copy of this package sees it too. */
const ATTACHED = Symbol.for('axios-holdfast.attached');

/**
 * Makes every call through an axios instance survive throttling, short outages and lost connections.
 *
 * The instance stays the same: its interceptors, transforms, defaults and adapters go on working, and run once per call.
 * Interceptors that are registered on it before or after make no difference.
 *
 * @param instance the default `axios` as well as one made by `axios.create`, of this or another copy of axios
 * @param policy see `Policy`; `{}` by default
 * @throws {InvalidPolicyError} when the policy is wrong: all its problems at once, and nothing is attached
 * @throws {TypeError} when `instance` is no axios instance
 * @throws {Error} when something is attached to it already: two loops around each other would multiply the sends
 */
export function attach(instance: AttachableInstance, policy: Policy = {}): Attachment {
  return attachWith({ clock: systemClock, random: systemRandom }, instance, policy);
}

/** `attach` with the ports in the caller's hand: for tests. */
export function attachWith(
  { clock, random }: Pick<Shared, 'clock' | 'random'>,
  instance: AttachableInstance,
  policy: Policy,
): Attachment {
  const axios = instance as AxiosInstance;
  if (typeof instance?.interceptors?.request?.use !== 'function') {
    throw new TypeError('attach needs an axios instance: axios itself, or what axios.create() gives');
  }
  if (isRegistered(axios, (instance as { [ATTACHED]?: unknown })[ATTACHED])) {
    throw new Error('holdfast is attached to this axios instance already; detach() the other attachment first');
  }
  const resolved = resolve(policy);
  requireOrigins(resolved, axios);
  const events = new Emitter();
  const tally = emptyTally();
  const budgets = new ByNumbers((options: ResolvedBudget) => new RetryBudget(options));
  const breakers = new ByNumbers((options: ResolvedBreaker) => new Breaker(options));
  const tell: Tell = (name, event) => {
    if (events.wants(name, resolved.on)) events.emit(name, resolved.on, event);
  };
  const limiters = new Limiters(clock, (key, error) => tell('store-lost', { key, code: codeOf(error) }));
  const authenticators = new Authenticators(credentialPorts(axios, tell, { clock, tally }));
  const queue = new Set<() => void>();
  let bare: AxiosInstance | undefined;
  const bareInstance = () => {
    bare ??= withoutDefaults(axios.create());
    return bare;
  };
  const shared: Shared = {
    clock,
    random,
    events,
    tally,
    queue,
    budget: (options) => budgets.of(options),
    breaker: (options) => breakers.of(options),
    limiter: (limit) => limiters.of(limit),
    authenticator: (options) => authenticators.of(options),
    errors: new AxiosErrors(bareInstance),
    bareInstance,
  };

  const intercept = interceptor(resolved, shared);
  // First, since it throws where the instance is frozen, and nothing must be left behind then.
  Object.defineProperty(instance, ATTACHED, { value: intercept, configurable: true });
  // Synchronous, since one asynchronous interceptor makes axios queue a promise for each of them.
  const id = axios.interceptors.request.use(intercept, null, { synchronous: true });

  const { limit } = resolved;
  const given = isLimiter(limit) ? limiters.of(limit) : undefined;

  let attached = true;
  const detach = () => {
    if (!attached) return;
    attached = false;
    // After a clear(), older versions of axios may have given the id to somebody else.
    if (isRegistered(axios, intercept)) axios.interceptors.request.eject(id);
    Reflect.deleteProperty(instance, ATTACHED);
  };
  return Object.freeze({
    policy: resolved,
    detach,
    close: async () => {
      detach();
      for (const refuse of [...queue]) refuse();
      await limiters.close();
    },
    stats: () => ({
      ...tally,
      pausedKeys: limiters.paused() + (given?.stats().paused ?? 0),
      budget: Object.fromEntries(budgets.all().flatMap((budget) => Object.entries(budget.balances(clock.now())))),
      open: breakers.all().flatMap((breaker) => breaker.open()),
    }),
    on: <E extends EventName>(event: E, listener: Listener<E>) => {
      // A policy's `on` also takes a list and `undefined`; here there is exactly one listener.
      validate({ on: { [event]: listener === undefined || Array.isArray(listener) ? null : listener } });
      return events.on(event, listener);
    },
  });
}

/** Tells of what happens outside of any one call. */
type Tell = <E extends EventName>(name: E, event: EventOf<E>) => void;

/** Whether an interceptor still stands among the instance's; `clear()` takes them all away. */
function isRegistered({ interceptors }: AxiosInstance, intercept: unknown): boolean {
  const { handlers } = interceptors.request as unknown as {
    handlers?: readonly ({ readonly fulfilled?: unknown } | null)[];
  };
  if (intercept === undefined) return false;
  return handlers === undefined || handlers.some((handler) => handler?.fulfilled === intercept);
}

/** What goes through it has been merged with the defaults already; they would bring back what an interceptor took out. */
function withoutDefaults(bare: AxiosInstance): AxiosInstance {
  for (const name of Object.keys(bare.defaults)) Reflect.deleteProperty(bare.defaults, name);
  return bare;
}

function credentialPorts(
  axios: AxiosInstance,
  tell: Tell,
  { clock, tally }: Pick<Shared, 'clock' | 'tally'>,
): CredentialsPorts {
  return {
    clock,
    http: passThrough(axios),
    mayPass,
    refreshing: (key, reason) => tell('refreshing', { key, reason }),
    refreshed: (key, durationMs) => {
      tally.refreshes += 1;
      tell('refreshed', { key, durationMs });
    },
    refreshFailed: (key, error, durationMs) => tell('refresh-failed', { key, code: publicCodeOf(error), durationMs }),
    storeLost: (key, error) => tell('store-lost', { key, code: codeOf(error) }),
  };
}

/** Without either, no call would ever carry the token, and nobody would know why. */
function requireOrigins({ auth }: ResolvedPolicy, axios: AxiosInstance): void {
  if (auth === false || auth.origins !== undefined || originOf({ baseURL: axios.defaults?.baseURL ?? '' }) !== '')
    return;
  const bound = 'given where the instance has no baseURL';
  const message = `auth.origins must be ${bound}: it says who may see the token`;
  throw new InvalidPolicyError([{ path: 'auth.origins', bound, value: undefined, message }]);
}
