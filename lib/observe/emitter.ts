import { type AnyEvent, EVENT_NAMES, type EventName, type EventOf, type Listener } from '../call/events.ts';
import { type Clock, wallAheadMs } from '../time/clock.ts';
import { channels } from './channels.ts';
import { isLogged, type Log, logEvent } from './log.ts';

/** For each event, whether anybody would hear of it now. */
export type Ears = { readonly [E in EventName]: () => boolean };

/** Who hears of the calls under one policy: asked by fixed names, for three events of every call. */
export function earsOf(events: Emitter, audience: Audience): Ears {
  const ears = EVENT_NAMES.map((name) => {
    const channel = channels[name];
    const always = events.isHeardBy(name, audience);
    return [name, () => always || channel.hasSubscribers || events.hasListeners(name)] as const;
  });
  return Object.fromEntries(ears) as Ears;
}

/** The listeners of one call's policy. */
type PolicyListeners = { readonly [E in EventName | '*']?: readonly Listener<E>[] };

/** Who is told of a call's events: a part of its policy. */
export interface Audience {
  readonly on: PolicyListeners;
  readonly log: false | Log;
}

/**
 * Tells what happens: to the listeners of a policy and of the attachment, to the log, and on the diagnostics channels.
 *
 * Ask `wants` before you make an event, so that a call to which nobody listens makes none. No listener can break a call: what it throws,
 * or rejects with, is dropped.
 */
export class Emitter {
  readonly #clock: Pick<Clock, 'now' | 'wall'>;
  /** Whether every event is printed, whatever a policy says. */
  readonly #debugs: boolean;
  readonly #listeners = new Map<EventName | '*', Set<(event: never) => void>>();

  constructor(clock: Pick<Clock, 'now' | 'wall'>, debugs = false) {
    this.#clock = clock;
    this.#debugs = debugs;
  }

  on<E extends EventName | '*'>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    // A function of this subscription's own: the same listener may be added twice, and removed once.
    const heard: Listener<E> = (about) => listener(about);
    this.#listeners.set(event, listeners.add(heard));
    return () => {
      if (listeners.delete(heard) && listeners.size === 0) this.#listeners.delete(event);
    };
  }

  /** Whether anybody would hear of this event. */
  wants(name: EventName, audience: Audience): boolean {
    return this.isHeardBy(name, audience) || this.hasListeners(name) || channels[name].hasSubscribers;
  }

  /** Whether a policy itself, or the debugger, wants that event: what does not change from call to call. */
  isHeardBy(name: EventName, { on, log }: Audience): boolean {
    return on[name] !== undefined || on['*'] !== undefined || this.#debugs || (log !== false && isLogged(name, log));
  }

  hasListeners(name: EventName): boolean {
    return this.#listeners.size > 0 && (this.#listeners.has(name) || this.#listeners.has('*'));
  }

  /** Freezes the event, and tells it to everybody who listens. */
  emit<E extends EventName>(name: E, { on, log }: Audience, event: EventOf<E>): void {
    Object.freeze(event);
    for (const listener of (on[name] ?? []) as readonly Listener<E>[]) tell(listener, event);
    for (const listener of [...(this.#listeners.get(name) ?? [])]) tell(listener as Listener<E>, event);
    const all = [...(on['*'] ?? []), ...((this.#listeners.get('*') ?? []) as Iterable<Listener<'*'>>)];
    if (all.length > 0) {
      const named = Object.freeze({ name, ...event }) as AnyEvent;
      for (const listener of all) tell(listener, named);
    }
    this.#log(name, log, event);
    if (channels[name].hasSubscribers) channels[name].publish(event);
  }

  /** Writes the event to the log of the policy, and prints it where it is debugged; not twice on the console. */
  #log<E extends EventName>(name: E, log: false | Log, event: EventOf<E>): void {
    const own = this.#debugs && typeof log === 'string' ? false : log;
    const shownNow = () => this.#clock.now() + wallAheadMs(this.#clock);
    for (const each of [this.#debugs ? 'all' : false, own] as const) {
      if (each !== false && isLogged(name, each)) tell((about) => logEvent(each, name, about, shownNow()), event);
    }
  }
}

function tell<T>(listener: (event: T) => void, event: T): void {
  try {
    const result: unknown = listener(event);
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(() => {});
  } catch {
    // A listener may look on, and no more.
  }
}
