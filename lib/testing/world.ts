import type { Attachment } from '../attach.ts';
import type { PendingCall } from '../observe/pending.ts';
import type { Clock } from '../time/clock.ts';

/** What goes on by a clock that a test moves. */
export class World {
  readonly attachments = new Set<Pick<Attachment, 'pending'>>();
  /** Sends that a scripted adapter answers later: nothing but the clock has to move for them. */
  scripted = 0;
  /** What was waited for in vain: it may itself wait for the clock, as a call within another's `beforeSend`. */
  #inVain = new Set<string>();

  /**
   * Whether somebody who does not go by the clock has to do something first: a mock of another library, a server, an `await` of real
   * input or output in a hook.
   */
  get isBusy(): boolean {
    return this.scripted === 0 && this.#elsewhere().some((state) => !this.#inVain.has(state));
  }

  /** What is under way elsewhere now is not waited for any more. */
  waitNoLonger(): void {
    this.#inVain = new Set(this.#elsewhere());
  }

  /** Who waits for what, for a person; empty where nobody does. */
  describe(): string {
    const calls = this.#pending();
    if (calls.length === 0) return '';
    const who = calls.slice(0, MOST_NAMED).map(({ call, why }) => `${call.method} ${call.url} ${why}`);
    const others = calls.length > MOST_NAMED ? [`and ${calls.length - MOST_NAMED} more`] : [];
    return `${calls.length} ${calls.length === 1 ? 'call is' : 'calls are'} under way: ${[...who, ...others].join('; ')}`;
  }

  #elsewhere(): string[] {
    const calls = this.#pending().filter(({ phase }) => ELSEWHERE.has(phase));
    return calls.map(({ call, phase }) => `${call.id} ${call.sends} ${phase}`);
  }

  #pending(): readonly PendingCall[] {
    return [...this.attachments].flatMap((attachment) => attachment.pending());
  }
}

const MOST_NAMED = 3;

/** The phases in which it is not for the clock to have the call go on. */
const ELSEWHERE: ReadonlySet<string> = new Set(['sending', 'refresh', 'body']);

const worlds = new WeakMap<object, World>();

export function worldOf(clock: Pick<Clock, 'now'>): World {
  const world = worlds.get(clock) ?? new World();
  worlds.set(clock, world);
  return world;
}
