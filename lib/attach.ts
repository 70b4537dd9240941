import type { AxiosInstance, InternalAxiosRequestConfig } from 'axios';
import type { EventName, EventOf, Listener } from './call/events.ts';
import type { Outcome } from './call/outcome.ts';
import { aBoolean, type Check, number, object, required } from './check.ts';
import { evidenceOn } from './classify/judging.ts';
import { storeCodeOf } from './failure/code.ts';
import type { PolicyProblem } from './failure/errors.ts';
import { hasSameNumbers } from './group.ts';
import { isRegistered, type Mark, markOf, placeOfCall, removeMark, requireInstance, setMark } from './instance.ts';
import { interceptor, Rules } from './interceptor.ts';
import type { CallUnderWay } from './loop/call-under-way.ts';
import { OpenRooms } from './loop/open-rooms.ts';
import type { Shared } from './loop/plan.ts';
import { type Counters, zeroCounters } from './observe/counters.ts';
import { isDebugging } from './observe/debugging.ts';
import { Emitter } from './observe/emitter.ts';
import { type Instrumented, setInstrumented } from './observe/instrumentation.ts';
import { type PendingCall, UnderWay } from './observe/pending.ts';
import type { House } from './policy/house.ts';
import { merge } from './policy/merge.ts';
import { POLICY_OPTIONS, type Policy, type ResolvedPolicy } from './policy/options.ts';
import { asWritten, type PreparedPolicy } from './policy/prepared.ts';
import { resolve } from './policy/resolve.ts';
import { update } from './policy/update.ts';
import { validate } from './policy/validate.ts';
import { RetryBudget } from './retry/budget.ts';
import { RETRY } from './retry/options.ts';
import { AxiosErrors } from './send/axios-errors.ts';
import { wallAheadMs } from './time/clock.ts';

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
   * numbers change the limiter where it stands, another limiter takes its queue over, `limit: false` lets everybody go. What has left by numbers
   * of the attachment counts in those that follow, alone or in a list, where their `key` is the same; and a pause goes along. (A call that has a
   * `Limiter` of its own keeps that; a `priority` of its own is laid over the new limit.) The retry budget, the circuits and the session of
   * `auth` go on where their numbers did not change, and begin anew where they did. Listeners that `on` adds are kept.
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

/** What another entry of the package, of a signature of its own, has in addition. */
interface Entry {
  readonly name: string;
  /** Makes ready the config of each call; gives that, or another in its place. */
  prepare(config: InternalAxiosRequestConfig): InternalAxiosRequestConfig;
  /** Takes off what else it has put on the instance. */
  detach(): void;
}

/** Time and chance, and who asks. */
export interface AttachPorts extends Pick<Shared, 'clock' | 'random'> {
  readonly entry?: Entry;
}

/**
 * `attach` by the rooms of an entry, with the ports in the caller's hand.
 *
 * @param given by default the policy of the attachment that is there
 * @param callee the function that somebody called, whose place is told to whoever attaches another
 */
export function attachIn(
  house: House,
  { clock, random, entry }: AttachPorts,
  instance: AttachableInstance,
  given: Policy | PreparedPolicy | undefined,
  options: AttachOptions = {},
  callee: (...args: never[]) => unknown = attachIn,
): Attachment {
  const axios: unknown = instance;
  requireInstance(axios);
  requireOptions('attach', options, ATTACH_OPTIONS);
  const there = markOf(axios);
  if (there !== undefined && options.replace !== true) throw new Error(alreadyAttached(there.place()));
  // `null` is none, and is refused like anything else that is no policy.
  const policy = given === undefined ? (there?.policy?.() ?? {}) : given;
  const furnished = house.with(policy);
  const resolved = resolve(furnished, policy);
  const events = new Emitter(clock, isDebugging());
  const underWay = new UnderWay(clock);
  const counters = zeroCounters();
  const instrumented: Instrumented = { by: undefined, isDetached: false };
  // One of each for all calls. What is off here a call may turn on, and has the defaults then.
  const budget = new RetryBudget((resolved.retry || RETRY.defaults).budget || RETRY.defaults.budget);
  const tell: Tell = (name, event) => {
    const { policy } = current;
    if (events.wants(name, policy)) events.emit(name, policy, event);
  };
  const storeLost = (key: string, error: unknown) => tell('store-lost', { key, code: storeCodeOf(error) });
  const queue = new Set<() => void>();
  let bare: AxiosInstance | undefined;
  const bareInstance = () => {
    bare ??= withoutDefaults(axios.create());
    return bare;
  };
  const lent = {
    clock,
    wallAheadMs: () => wallAheadMs(clock),
    random,
    counters,
    queue,
    axios,
    evidence: (call: CallUnderWay, outcome: Outcome) => evidenceOn(call, outcome, clock),
    tell,
    storeLost,
  };
  const rooms = new OpenRooms(furnished, lent, { resolved, written: asWritten(policy) });
  const shared: Shared = {
    ...lent,
    rooms,
    events,
    underWay,
    instrumented,
    budget,
    errors: new AxiosErrors(bareInstance),
    bareInstance,
  };

  let current = { house: furnished, policy: resolved, shared };
  const rules = new Rules(furnished, resolved, shared);
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
    policy: () => merge(current.house, written),
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
      const house = current.house.with(given);
      const { policy, numbers } = update(house, before, given);
      const limitHolds = rooms.update(house, { resolved: policy, written: asWritten(given) }, numbers);
      current = { house, policy, shared: goOn(current.shared, before, policy) };
      rules.update(house, policy, current.shared, limitHolds);
      written.push(given);
    },
    detach,
    close: async (options: CloseOptions = {}) => {
      requireOptions('close', options, CLOSE_OPTIONS);
      const { drain = false, timeoutMs = Number.POSITIVE_INFINITY } = options;
      detach();
      if (drain) await underWay.empty(timeoutMs);
      for (const refuse of [...queue]) refuse();
      rooms.authenticators?.close();
      await rooms.limiters?.close();
    },
    stats: () => ({
      ...counters,
      pausedKeys: rooms.limiters?.paused() ?? 0,
      budget: current.shared.budget.balances(clock.now()),
      open: rooms.breakers?.open() ?? [],
    }),
    pending: () => underWay.pending(),
    on: <E extends EventName | '*'>(event: E, listener: Listener<E>) => {
      // A policy's `on` also takes a list and `undefined`; here there is exactly one listener.
      validate(house, { on: { [event]: listener === undefined || Array.isArray(listener) ? null : listener } });
      return events.on(event, listener);
    },
  });
  setInstrumented(attachment, instrumented);
  return attachment;
}

/** What the calls share from now on. A budget whose numbers are as they were goes on, and also one that is off: a call may turn it on. */
function goOn(shared: Shared, before: ResolvedPolicy, policy: ResolvedPolicy): Shared {
  const budgetOf = ({ retry }: ResolvedPolicy) => retry !== false && retry.budget;
  const budget = budgetOf(policy);
  if (budget === false || hasSameNumbers(budgetOf(before), budget)) return shared;
  return { ...shared, budget: new RetryBudget(budget) };
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
const IN_THE_POLICY = Object.fromEntries(POLICY_OPTIONS.map((name) => [name, 'the policy is the second argument']));

const ATTACH_OPTIONS = object({ replace: aBoolean }, { names: IN_THE_POLICY });
const CLOSE_OPTIONS = object({ drain: aBoolean, timeoutMs: number(0) });

function requireOptions(callee: string, options: unknown, check: Check): void {
  const problems: PolicyProblem[] = [];
  required(check)(options, 'options', problems);
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
