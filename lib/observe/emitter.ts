import type { AnyEvent, EventName, EventOf, Listener } from '../call/events.ts';
import { type Clock, wallAheadMs } from '../time/clock.ts';
import { channels } from './channels.ts';
import { isLogged, type Log, logEvent } from './log.ts';

/** The listeners that one call's policy brings. */
export type PolicyListeners = { readonly [E in EventName | '*']?: readonly Listener<E>[] };

/** Whom one call's policy wants told. */
export interface Audience {
  readonly on: PolicyListeners;
  readonly log: false | Log;
}

/**
 * Tells an attachment's listeners, a policy's, its log and the diagnostics channels what happens.
 *
 * Ask `wants` before building an event: a call that nobody listens to builds none. No listener can break a call: what it
 * throws, or rejects with, goes nowhere.
 */
export class Emitter {
  readonly #clock: Pick<Clock, 'now' | 'wall'>;
  /** Every event goes to the console, whatever a policy says. */
  readonly #debugs: boolean;
  readonly #listeners = new Map<EventName | '*', Set<(event: never) => void>>();

  constructor(clock: Pick<Clock, 'now' | 'wall'>, debugs = false) {
    this.#clock = clock;
    this.#debugs = debugs;
  }

  on<E extends EventName | '*'>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    // Of this subscription's own: the same function may listen twice, and stop once.
    const heard: Listener<E> = (about) => listener(about);
    this.#listeners.set(event, listeners.add(heard));
    return () => {
      if (listeners.delete(heard) && listeners.size === 0) this.#listeners.delete(event);
    };
  }

  wants(name: EventName, { on, log }: Audience): boolean {
    return (
      on[name] !== undefined ||
      on['*'] !== undefined ||
      channels[name].hasSubscribers ||
      (this.#listeners.size > 0 && (this.#listeners.has(name) || this.#listeners.has('*'))) ||
      (log !== false && isLogged(name, log)) ||
      this.#debugs
    );
  }

  emit<E extends EventName>(name: E, { on, log }: Audience, event: EventOf<E>): void {
    Object.freeze(event);
    for (const listener of (on[name] ?? []) as readonly Listener<E>[]) tell(listener, event);
    for (const listener of [...(this.#listeners.get(name) ?? [])]) tell(listener as Listener<E>, event);
    const all = [...(on['*'] ?? []), ...((this.#listeners.get('*') ?? []) as Iterable<Listener<'*'>>)];
    if (all.length > 0) {
      const named = Object.freeze({ name, ...event }) as AnyEvent;
      for (const listener of all) tell(listener, named);
    }
    this.#note(name, log, event);
    if (channels[name].hasSubscribers) channels[name].publish(event);
  }

  /** What goes to the console anyway is not told there twice. */
  #note<E extends EventName>(name: E, log: false | Log, event: EventOf<E>): void {
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
    // A listener is a spectator.
  }
}
