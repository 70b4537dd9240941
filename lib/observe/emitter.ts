import { channels } from './channels.ts';
import type { EventName, EventOf, Listener } from './events.ts';

/** The listeners that one call's policy brings. */
export type PolicyListeners = { readonly [E in EventName]?: readonly Listener<E>[] };

/**
 * Tells an attachment's listeners, a policy's and the diagnostics channels what happens.
 *
 * Ask `wants` before building an event: a call that nobody listens to builds none. No listener can break a call: what it
 * throws, or rejects with, goes nowhere.
 */
export class Emitter {
  readonly #listeners = new Map<EventName, Set<(event: never) => void>>();

  on<E extends EventName>(event: E, listener: Listener<E>): () => void {
    const listeners = this.#listeners.get(event) ?? new Set();
    // Of this subscription's own: the same function may listen twice, and stop once.
    const heard: Listener<E> = (about) => listener(about);
    this.#listeners.set(event, listeners.add(heard));
    return () => {
      if (listeners.delete(heard) && listeners.size === 0) this.#listeners.delete(event);
    };
  }

  wants(name: EventName, own: PolicyListeners): boolean {
    return (
      own[name] !== undefined ||
      channels[name].hasSubscribers ||
      (this.#listeners.size > 0 && this.#listeners.has(name))
    );
  }

  emit<E extends EventName>(name: E, own: PolicyListeners, event: EventOf<E>): void {
    Object.freeze(event);
    for (const listener of (own[name] ?? []) as readonly Listener<E>[]) tell(listener, event);
    for (const listener of [...(this.#listeners.get(name) ?? [])]) tell(listener as Listener<E>, event);
    if (channels[name].hasSubscribers) channels[name].publish(event);
  }
}

function tell<E extends EventName>(listener: Listener<E>, event: EventOf<E>): void {
  try {
    const result: unknown = listener(event);
    if (typeof result === 'object' && result !== null) Promise.resolve(result).catch(() => {});
  } catch {
    // A listener is a spectator.
  }
}
