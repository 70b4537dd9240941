import { type Page, WebLocksTokenStore } from '../../lib/auth/stores/web-locks.ts';
import type { ManualClock } from './manual-clock.ts';

type Request = Page['locks']['request'];
interface Waiting {
  readonly owner: object;
  grant(): void;
}

/** A tab as a fake: its store, and what may happen to it. */
export interface Tab {
  readonly store: WebLocksTokenStore;
  /** Its locks are freed, and it neither hears nor says anything more. */
  close(): void;
  /** What is said while it sleeps is lost to it. */
  sleep(): void;
  wake(): void;
}

/** The pages of one origin: locks and messages between them as a browser has them. A message arrives a turn after it is sent. */
export class Tabs {
  /** What was said, in order. */
  readonly said: { readonly kind: string; readonly key: string }[] = [];
  /** So long a message takes, in ms: 0 is a turn. */
  delayMs = 0;
  readonly #clock: ManualClock;
  readonly #held = new Map<string, object>();
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #ears = new Map<object, (message: unknown) => void>();

  constructor(clock: ManualClock) {
    this.#clock = clock;
  }

  open(): Tab {
    const owner = {};
    const state = { isAwake: true, isOpen: true };
    let woken = () => {};
    const page: Page = {
      clock: this.#clock,
      locks: { request: this.#request(owner) },
      open: (_name, hear) => {
        this.#ears.set(owner, (message) => {
          if (state.isAwake) hear(message);
        });
        return (message) => {
          if (!state.isOpen) return;
          this.said.push(JSON.parse(message));
          for (const [other, ear] of this.#ears) {
            if (other === owner) continue;
            if (this.delayMs === 0) queueMicrotask(() => ear(message));
            else this.#clock.after(this.delayMs, () => ear(message));
          }
        };
      },
      onWake: (listener) => {
        woken = listener;
      },
    };
    return {
      store: new WebLocksTokenStore('app', page),
      close: () => {
        state.isOpen = false;
        this.#ears.delete(owner);
        for (const [name, queue] of this.#waiting) {
          this.#waiting.set(
            name,
            queue.filter((each) => each.owner !== owner),
          );
        }
        for (const [name, holder] of this.#held) if (holder === owner) this.#free(name);
      },
      sleep: () => {
        state.isAwake = false;
      },
      wake: () => {
        state.isAwake = true;
        woken();
      },
    };
  }

  #request(owner: object): Request {
    const request = async (name: string, options: LockOptions, run: (lock: Lock | null) => unknown) => {
      if (options.ifAvailable === true && this.#held.has(name)) return run(null);
      if (this.#held.has(name)) await this.#wait(name, owner, options.signal);
      else this.#held.set(name, owner);
      try {
        return await run({ name, mode: 'exclusive' });
      } finally {
        if (this.#held.get(name) === owner) this.#free(name);
      }
    };
    return request as Request;
  }

  #wait(name: string, owner: object, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = this.#waiting.get(name) ?? [];
      const waiting: Waiting = {
        owner,
        grant: () => {
          this.#held.set(name, owner);
          resolve();
        },
      };
      this.#waiting.set(name, [...queue, waiting]);
      signal?.addEventListener('abort', () => {
        this.#waiting.set(
          name,
          (this.#waiting.get(name) ?? []).filter((each) => each !== waiting),
        );
        reject(signal.reason);
      });
    });
  }

  #free(name: string): void {
    this.#held.delete(name);
    const [next, ...rest] = this.#waiting.get(name) ?? [];
    this.#waiting.set(name, rest);
    next?.grant();
  }
}
