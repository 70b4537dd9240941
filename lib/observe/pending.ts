import type { Call } from '../call/call.ts';
import { durationOf } from '../call/time-shown.ts';
import type { CallContext } from '../context.ts';
import type { Clock } from '../time/clock.ts';
import { warn } from './warn.ts';

/** What a call that is under way is at. */
export type PendingPhase = 'limit' | 'retry-wait' | 'refresh' | 'sending' | 'body' | 'poll';

/** A call that has begun and not ended. */
export interface PendingCall {
  readonly call: Call;
  /**
   * `limit`: waits for a permit; `retry-wait`: for its next retry; `refresh`: for a token; `sending`: for an answer; `body`: for what
   * follows from one (its body is read, by its caller where it is a stream; a judge asked); `poll`: to ask again whether it is done.
   */
  readonly phase: PendingPhase;
  /** Since when, ms since the epoch. */
  readonly since: number;
  /** Until when, where that is known, ms since the epoch; of a `limit` the earliest. */
  readonly until?: number | undefined;
  /** For a person: `waits 1.2 s before retry 2 of 3 after 503`. */
  readonly why: string;
}

/** What a call waits for. What costs something to say is said when somebody asks. */
export interface Wait {
  readonly phase: PendingPhase;
  why(): string;
  /** On the clock. */
  until?(): number | undefined;
}

/** A call that waits for so long, and has nothing that ends the wait, is worth a warning; in ms. */
const LONG_MS = 5_000;

/** The calls of one attachment that have begun and not ended. */
export class UnderWay {
  readonly #clock: Clock;
  readonly #contexts = new Set<CallContext>();
  #emptied: (() => void)[] = [];
  /** Takes back the timer for the warning, where it runs. */
  #stopTimer: (() => void) | undefined;
  /** Whether it is left to run when nobody is under way. */
  #isLasting = false;
  #hasWarned = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begun(context: CallContext): void {
    this.#contexts.add(context);
  }

  ended(context: CallContext): void {
    this.#contexts.delete(context);
    if (this.#contexts.size > 0) return;
    if (this.#stopTimer !== undefined && !this.#isLasting) this.#stop();
    if (this.#emptied.length > 0) for (const tell of this.#emptied.splice(0)) tell();
  }

  /** When none is left; at most after so long. */
  async empty(withinMs: number): Promise<void> {
    if (this.#contexts.size === 0) return;
    await new Promise<void>((resolve) => {
      const stopTimer = withinMs < Number.POSITIVE_INFINITY ? this.#clock.after(withinMs, resolve) : undefined;
      this.#emptied.push(() => {
        stopTimer?.();
        resolve();
      });
    });
  }

  pending(): readonly PendingCall[] {
    return Array.from(this.#contexts, pendingOf);
  }

  /**
   * A call waits that has no deadline. One timer for all of them, since most waits are over long before; it is taken back when the last
   * call has ended. Not where calls wait for tokens: every send does, be it for no time, and it would be a timer for each.
   */
  watch(phase: PendingPhase): void {
    if (this.#hasWarned) return;
    this.#isLasting ||= phase === 'refresh';
    if (this.#stopTimer === undefined) this.#lookIn(LONG_MS);
  }

  #lookIn(ms: number): void {
    this.#stopTimer = this.#clock.meanwhile?.(ms, () => {
      this.#stop();
      this.#look();
    });
  }

  #stop(): void {
    this.#stopTimer?.();
    this.#stopTimer = undefined;
    this.#isLasting = false;
  }

  /** Warns of the first that has waited for long, once in the life of the attachment; looks again if there are others. */
  #look(): void {
    const now = this.#clock.now();
    let longest = Number.NEGATIVE_INFINITY;
    for (const context of this.#contexts) {
      if (context.waiting === undefined || context.isStreaming) continue;
      if (context.call.deadlineAt < Number.POSITIVE_INFINITY) continue;
      const ms = now - context.since;
      if (ms >= LONG_MS) {
        this.#hasWarned = true;
        warnOf(context, ms);
        return;
      }
      longest = Math.max(longest, ms);
    }
    if (longest > Number.NEGATIVE_INFINITY) this.#lookIn(Math.min(LONG_MS, LONG_MS - longest));
  }
}

function pendingOf(context: CallContext): PendingCall {
  const { call, shared, waiting } = context;
  const aheadMs = shared.wallAheadMs();
  const { phase, since, until, why } = waiting === undefined ? sending(context) : waitOf(waiting, context);
  return Object.freeze({
    call: call.snapshot(),
    phase,
    since: Math.ceil(since + aheadMs),
    until: until === undefined || until === Number.POSITIVE_INFINITY ? undefined : Math.ceil(until + aheadMs),
    why,
  });
}

type Standing = Omit<PendingCall, 'call'>;

const waitOf = (wait: Wait, { since }: CallContext): Standing => ({
  phase: wait.phase,
  since,
  until: wait.until?.(),
  why: wait.why(),
});

function sending({ call }: CallContext): Standing {
  const phase = 'sending';
  const deadline = call.deadlineAt === Number.POSITIVE_INFINITY ? undefined : call.deadlineAt;
  if (call.sent > call.sends.length) {
    return { phase, since: call.sentAt, until: deadline, why: `waits for the answer to send ${call.sent}` };
  }
  const last = call.sends.at(-1);
  const since = last === undefined ? call.startedAt : last.startedAt + last.durationMs;
  return { phase, since, until: deadline, why: `makes send ${call.sent + 1}: \`beforeSend\`, \`body\`` };
}

function warnOf({ call, waiting }: CallContext, ms: number): void {
  warn(
    'HOLDFAST_LONG_WAIT',
    `${call.method} ${call.url} has been waiting for ${durationOf(ms)} and has no deadline: it ${waiting?.why()}. \`deadlineMs\` bounds a call; attachment.pending() tells who else waits.`,
  );
}
