import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import { Authenticators } from './auth/authenticators.ts';
import { isCredentials } from './auth/credential-set.ts';
import type { ResolvedAuth } from './auth/options.ts';
import { passThrough } from './auth/pass-through.ts';
import { publicCodeOf } from './auth/public-code.ts';
import type { Beginner } from './auth/refresh.ts';
import { Breaker } from './breaker/circuit.ts';
import { originOf } from './call/address.ts';
import type { EventName, EventOf, Listener } from './call/events.ts';
import { wholeMs } from './call/time-shown.ts';
import { aBoolean, type Check, number, object } from './check.ts';
import { isRetryable } from './classify/is-retryable.ts';
import { codeOf } from './failure/code.ts';
import { InvalidPolicyError, type PolicyProblem } from './failure/errors.ts';
import { isRegistered, type Mark, markOf, placeOfCall, removeMark, requireInstance, setMark } from './instance.ts';
import { interceptor, Rules } from './interceptor.ts';
import { Limiters } from './limit/limiters.ts';
import type { Shared } from './loop/plan.ts';
import { type Counters, zeroCounters } from './observe/counters.ts';
import { isDebugging } from './observe/debugging.ts';
import { Emitter } from './observe/emitter.ts';
import { type Instrumented, setInstrumented } from './observe/instrumentation.ts';
import { type PendingCall, UnderWay } from './observe/pending.ts';
import { DEFAULT_POLICY, DEFAULTS } from './policy/defaults.ts';
import { mergePolicies } from './policy/merge.ts';
import type { Policy, ResolvedPolicy } from './policy/options.ts';
import { asWritten, type PreparedPolicy } from './policy/prepared.ts';
import { resolve } from './policy/resolve.ts';
import { update } from './policy/update.ts';
import { validate } from './policy/validate.ts';
import { RetryBudget } from './retry/budget.ts';
import { AxiosErrors } from './send/axios-errors.ts';
import { systemClock, systemRandom, wallAheadMs } from './time/clock.ts';

declare module 'axios' {
  interface AxiosRequestConfig {
    /** This call's own policy, laid over the attached one; `false` lets the call through untouched. See `preparePolicy`. */
    holdfast?: false | Policy | PreparedPolicy | undefined;
  }
}

/** What ties a policy to an instance. */
export interface Attachment {
  /** The policy that holds now, with every default filled in, frozen. */
  readonly policy: ResolvedPolicy;
  /** Of the request interceptor that it has registered. `instance.interceptors.request.eject(id)` does what `detach()` does. */
  readonly interceptorId: number;
  /**
   * Lays a policy over the one that holds, as `mergePolicies` does, for all calls that begin from now on.
   *
   * Calls under way finish under the policy that they began with. But who waits for a permit goes by the new limit, in the same order: new
   * numbers change the limiter where it stands, another limiter takes its queue over, `limit: false` lets everybody go. (A call that has a
   * limit of its own keeps that.) The retry budget, the circuits and the session of `auth` go on where their numbers did not change, and begin
   * anew where they did. Listeners that `on` adds are kept.
   *
   * Numbers for a `Limiter` that was handed in are for that limiter, and so for whoever shares it.
   *
   * @example
   * holdfast.update({ limit: { requests: 10 } }); // what is left out stays
   *
   * @throws {InvalidPolicyError} when what comes of it is wrong, with all problems at once, or when a limiter that was handed in has no
   * `update`; nothing has changed then
   * @throws {Error} when the attachment is detached
   */
  update(policy: Policy | PreparedPolicy): void;
  /** Restores the instance: new calls pass through untouched, calls under way finish under their policy. */
  detach(): void;
  /**
   * Detaches, refuses this attachment's calls that wait for a permit (`LimitError`) or for a token (`TokenRefreshError`), and releases what
   * it opened. A `Limiter` and `credentials()` that were handed in stay open, since others may share them.
   *
   * @throws {TypeError} (rejects) when an option is wrong; nothing is closed then
   */
  close(options?: CloseOptions): Promise<void>;
  stats(): Stats;
  /** Every call that has begun and not ended, the oldest first: what it is at, since when, and why. */
  pending(): readonly PendingCall[];
  /**
   * Listens to an event of every call, `'*'` to all of them, each with its `name`; gives the function that stops listening. The listener
   * is never awaited.
   *
   * @throws {InvalidPolicyError} when there is no such event
   */
  on<E extends EventName | '*'>(event: E, listener: Listener<E>): () => void;
}

/**
 * What `attach` needs of an axios instance. Structural, because the typings of two copies of axios, or of its ESM and its
 * CommonJS entry, do not fit each other.
 */
export interface AttachableInstance {
  readonly interceptors: { readonly request: { use(...args: never[]): number; eject(id: number): void } };
}

/** Numbers over the life of an attachment. */
export interface Stats extends Readonly<Counters> {
  /** Buckets that the limiter has paused now. */
  readonly pausedKeys: number;
  /** The retry budget's balance by key, in tokens. */
  readonly budget: { readonly [key: string]: number };
  /** The keys whose circuit is open, or waits for its probe. */
  readonly open: readonly string[];
}

/** How an attachment is closed. */
export interface CloseOptions {
  /** Lets what is queued and under way end first, streamed answers too. New calls pass through untouched meanwhile. Default `false`: who is queued is refused. */
  readonly drain?: boolean | undefined;
  /** How long that may take, in ms; then whoever is still queued is refused. From 0; default `Infinity`: as long as the calls take. */
  readonly timeoutMs?: number | undefined;
}

/** How `attach` deals with an instance that has an attachment. */
export interface AttachOptions {
  /**
   * Takes the place of the attachment that is there: detaches that one, and does not close it, so its calls under way finish under
   * their policy. For hot reload, React's StrictMode, tests. Default `false`: a second attachment is refused.
   */
  readonly replace?: boolean | undefined;
}

/**
 * Makes every call through an axios instance survive throttling, short outages and lost connections.
 *
 * The instance stays the same: its interceptors, transforms, defaults and adapters go on working, and run once per call.
 * Interceptors that are registered on it before or after make no difference.
 *
 * One that answers by itself should be there first: call axios-cache-interceptor's `setupCache` before `attach`. The other way
 * round, an answer from the cache takes a permit too, and fails while a circuit is open.
 *
 * @param instance the default `axios` as well as one made by `axios.create`, of this or another copy of axios. What is made of it
 * by `instance.create()` is another instance, and not attached
 * @param policy see `Policy`; `{}` by default
 * @throws {InvalidPolicyError} when the policy is wrong: all its problems at once, and nothing is attached
 * @throws {TypeError} when `instance` is no axios instance, or is frozen, or when there is no such option
 * @throws {Error} when something is attached to it already, unless that is to be replaced: two loops around each other would
 * multiply the sends
 */
export function attach(
  instance: AttachableInstance,
  policy: Policy | PreparedPolicy = {},
  options: AttachOptions = {},
): Attachment {
  return attachWith({ clock: systemClock, random: systemRandom }, instance, policy, options, attach);
}

/** What another entry of the package, of a signature of its own, has in addition. */
interface Entry {
  readonly name: string;
  /** Makes ready the config of each call; gives that, or another in its place. */
  prepare(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig;
  /** Takes off what else it has put on the instance. */
  detach(): void;
}

/** What `attach` is made of. */
interface Ports extends Pick<Shared, 'clock' | 'random'> {
  readonly entry?: Entry;
}

/**
 * `attach` with the ports in the caller's hand: for other entries, and for tests.
 *
 * @param given by default the policy of the attachment that is there
 */
export function attachWith(
  { clock, random, entry }: Ports,
  instance: AttachableInstance,
  given: Policy | PreparedPolicy | undefined,
  options: AttachOptions = {},
  callee: (...args: never[]) => unknown = attachWith,
): Attachment {
  const axios: unknown = instance;
  requireInstance(axios);
  requireOptions('attach', options, ATTACH_OPTIONS);
  const there = markOf(axios);
  if (there !== undefined && options.replace !== true) throw new Error(alreadyAttached(there.place()));
  const policy = given ?? there?.policy?.() ?? {};
  const resolved = resolve(policy);
  requireOrigins(resolved, axios);
  const events = new Emitter(clock, isDebugging());
  const underWay = new UnderWay(clock);
  const counters = zeroCounters();
  const instrumented: Instrumented = { by: undefined, isDetached: false };
  // One of each for all calls. What is off here a call may turn on, and has the defaults then.
  const budget = new RetryBudget((resolved.retry || DEFAULTS.retry).budget || DEFAULTS.retry.budget);
  const breaker = new Breaker(resolved.breaker || DEFAULTS.breaker);
  const tell: Tell = (name, event) => {
    const { policy } = current;
    if (events.wants(name, policy)) events.emit(name, policy, event);
  };
  const storeLost = (key: string, error: unknown) => tell('store-lost', { key, code: codeOf(error) });
  const limiters = new Limiters(resolved.limit, { clock, random, storeLost });
  const authenticators = new Authenticators({
    clock,
    beginner: beginnerOf(axios, tell, counters),
    baseUrl: () => axios.defaults?.baseURL,
  });
  const { auth } = resolved;
  // Not before it is known to be right, since others may share them.
  if (auth !== false && !isCredentials(auth))
    authenticators.join(auth, asWritten(policy).auth || auth, originsOf(auth, axios));
  const queue = new Set<() => void>();
  let bare: AxiosInstance | undefined;
  const bareInstance = () => {
    bare ??= withoutDefaults(axios.create());
    return bare;
  };
  const shared: Shared = {
    clock,
    wallAheadMs: () => wallAheadMs(clock),
    random,
    events,
    counters: counters,
    underWay,
    instrumented,
    queue,
    budget,
    breaker,
    limiter: (limit) => limiters.of(limit),
    authenticator: (auth) => authenticators.of(auth),
    errors: new AxiosErrors(bareInstance),
    bareInstance,
  };

  let current = { policy: resolved, shared };
  const rules = new Rules(resolved, shared);
  const around = interceptor(rules);
  const intercept = entry === undefined ? around : preparedBy(entry, around);
  // Not before everything that may be refused has been looked at.
  there?.detach();
  // Synchronous, since one asynchronous interceptor makes axios queue a promise for each of them.
  const id = axios.interceptors.request.use(intercept, null, { synchronous: true });

  let attached = true;
  const detach = () => {
    if (!attached) return;
    attached = false;
    // After a clear(), older versions of axios may have given the id to somebody else.
    if (isRegistered(axios, intercept)) axios.interceptors.request.eject(id);
    entry?.detach();
    removeMark(axios, mark);
    instrumented.isDetached = true;
    instrumented.by?.detached();
  };
  const written = [policy];
  const mark: Mark = {
    intercept,
    entry: entry?.name,
    policy: () => mergePolicies(...written),
    detach,
    place: placeOfCall(callee),
  };
  setMark(axios, mark);
  const attachment: Attachment = Object.freeze({
    interceptorId: id,
    get policy() {
      return current.policy;
    },
    update: (given: Policy | PreparedPolicy) => {
      if (!attached) throw new Error('holdfast is not attached to this instance any more: attach again');
      const before = current.policy;
      const { policy, numbers } = update(before, given);
      requireOrigins(policy, axios);
      numbers?.of.update?.(numbers.options);
      limiters.update(policy.limit);
      const { auth } = policy;
      if (auth !== false && !isCredentials(auth)) {
        // Options that were laid over others are nobody's object.
        const isWhole = before.auth === false || isCredentials(before.auth);
        authenticators.update(before.auth, auth, (isWhole && asWritten(given).auth) || auth, originsOf(auth, axios));
      }
      current = { policy, shared: goOn(current.shared, before, policy) };
      rules.update(policy, current.shared);
      written.push(given);
    },
    detach,
    close: async (options: CloseOptions = {}) => {
      requireOptions('close', options, CLOSE_OPTIONS);
      const { drain = false, timeoutMs = Number.POSITIVE_INFINITY } = options;
      detach();
      if (drain) await underWay.empty(timeoutMs);
      for (const refuse of [...queue]) refuse();
      authenticators.close();
      await limiters.close();
    },
    stats: () => ({
      ...counters,
      pausedKeys: limiters.paused(),
      budget: current.shared.budget.balances(clock.now()),
      open: current.shared.breaker.open(),
    }),
    pending: () => underWay.pending(),
    on: <E extends EventName | '*'>(event: E, listener: Listener<E>) => {
      // A policy's `on` also takes a list and `undefined`; here there is exactly one listener.
      validate({ on: { [event]: listener === undefined || Array.isArray(listener) ? null : listener } });
      return events.on(event, listener);
    },
  });
  setInstrumented(attachment, instrumented);
  return attachment;
}

/** What the calls share from now on. Whose numbers are as they were goes on, and also what is off: a call may turn it on. */
function goOn(shared: Shared, before: ResolvedPolicy, policy: ResolvedPolicy): Shared {
  const budgetOf = ({ retry }: ResolvedPolicy) => retry !== false && retry.budget;
  const budget = budgetOf(policy);
  return {
    ...shared,
    budget: budget && !isSame(budgetOf(before), budget) ? new RetryBudget(budget) : shared.budget,
    breaker: policy.breaker && !isSame(before.breaker, policy.breaker) ? new Breaker(policy.breaker) : shared.breaker,
  };
}

/** Whether they have the same numbers. What stands beside them is asked at each call. */
function isSame(before: object | false, after: object): boolean {
  return before !== false && JSON.stringify(before) === JSON.stringify(after);
}

type Intercept = ReturnType<typeof interceptor>;

/** What an entry refuses the adapter says: axios 1.7 hides what a synchronous interceptor throws behind a TypeError of its own. */
function preparedBy(entry: Entry, around: Intercept): Intercept {
  return (config) => {
    try {
      return around(entry.prepare(config));
    } catch (error) {
      return { ...config, adapter: () => Promise.reject(error) };
    }
  };
}

/** Names of the policy, in the wrong argument. */
const IN_THE_POLICY = Object.fromEntries(
  Object.keys(DEFAULT_POLICY).map((name) => [name, 'the policy is the second argument']),
);

const ATTACH_OPTIONS = object({ replace: aBoolean }, { names: IN_THE_POLICY });
const CLOSE_OPTIONS = object({ drain: aBoolean, timeoutMs: number(0) });

function requireOptions(callee: string, options: unknown, check: Check): void {
  const problems: PolicyProblem[] = [];
  check(options ?? null, 'options', problems);
  if (problems.length > 0) throw new TypeError(`${callee}: ${problems.map(({ message }) => message).join('; ')}`);
}

function alreadyAttached(place: string | undefined): string {
  const where = place === undefined ? '' : ` (at ${place})`;
  const ways = 'detach() the other attachment first, or take its place: attach(instance, policy, { replace: true })';
  return `holdfast is attached to this axios instance already${where}; ${ways}`;
}

/** Tells of what happens outside of any one call. */
type Tell = <E extends EventName>(name: E, event: EventOf<E>) => void;

/** What goes through it has been merged with the defaults already; they would bring back what an interceptor took out. */
function withoutDefaults(bare: AxiosInstance): AxiosInstance {
  for (const name of Object.keys(bare.defaults)) Reflect.deleteProperty(bare.defaults, name);
  return bare;
}

function beginnerOf(axios: AxiosInstance, tell: Tell, counters: Counters): Beginner {
  return {
    http: passThrough(axios),
    isRetryable,
    refreshing: (key, reason) => tell('refreshing', { key, reason }),
    refreshed: (key, durationMs) => {
      counters.refreshes += 1;
      tell('refreshed', { key, durationMs: wholeMs(durationMs) });
    },
    refreshFailed: (key, error, durationMs) =>
      tell('refresh-failed', { key, code: publicCodeOf(error), durationMs: wholeMs(durationMs) }),
    storeLost: (key, error) => tell('store-lost', { key, code: codeOf(error) }),
  };
}

/** Who may see the token, as one text; empty where nobody may. */
function originsOf({ origins }: ResolvedAuth, axios: AxiosInstance): string {
  return String(origins ?? originOf({ baseURL: axios.defaults?.baseURL ?? '' }));
}

/** Without either, no call would ever carry the token, and nobody would know why. */
function requireOrigins({ auth }: ResolvedPolicy, axios: AxiosInstance): void {
  const options = isCredentials(auth) ? auth.options : auth;
  if (options === false || options.origins !== undefined || originsOf(options, axios) !== '') return;
  const bound = "given where the instance has no baseURL: a list of origins, or 'any' where all its URLs are your own";
  const message = `auth.origins must be ${bound}; it says who may see the token`;
  throw new InvalidPolicyError([{ path: 'auth.origins', bound, value: undefined, message }]);
}
