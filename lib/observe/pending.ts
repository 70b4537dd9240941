import type { Call } from '../call/call.ts';
import type { LiveCall } from '../call/live-call.ts';
import { durationOf } from '../call/time-shown.ts';
import type { PendingPhase, Wait } from '../call/wait.ts';
import type { Clock } from '../time/clock.ts';
import { warn } from './warn.ts';

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

/** A call that waits for so long, and has nothing that ends the wait, is worth a warning; in ms. */
const LONG_MS = 5_000;

/** The calls of one attachment that have begun and not ended. */
export class UnderWay {
  readonly #clock: Clock;
  /** The ends of a list that goes through all of them, the oldest first: a set would cost each call a hundredth of itself. */
  #oldest: LiveCall | undefined;
  #newest: LiveCall | undefined;
  #emptied: (() => void)[] = [];
  /** Takes back the timer for the warning, where it runs. */
  #stopTimer: (() => void) | undefined;
  /** Whether it is left to run when nobody is under way. */
  #isLasting = false;
  #hasWarned = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begun(call: LiveCall): void {
    call.before = this.#newest;
    if (this.#newest === undefined) this.#oldest = call;
    else this.#newest.after = call;
    this.#newest = call;
  }

  ended(call: LiveCall): void {
    const { after, before } = call;
    if (before === undefined && call !== this.#oldest) return;
    if (before === undefined) this.#oldest = after;
    else before.after = after;
    if (after === undefined) this.#newest = before;
    else after.before = before;
    call.before = undefined;
    call.after = undefined;
    if (this.#oldest !== undefined) return;
    if (this.#stopTimer !== undefined && !this.#isLasting) this.#stop();
    if (this.#emptied.length > 0) for (const tell of this.#emptied.splice(0)) tell();
  }

  /** When none is left; at most after so long. */
  async empty(withinMs: number): Promise<void> {
    if (this.#oldest === undefined) return;
    await new Promise<void>((resolve) => {
      const stopTimer = this.#clock.after(withinMs, resolve);
      this.#emptied.push(() => {
        stopTimer();
        resolve();
      });
    });
  }

  pending(): readonly PendingCall[] {
    return Array.from(this.all(), pendingOf);
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

  /** The oldest first. */
  *all(): Iterable<LiveCall> {
    for (let call = this.#oldest; call !== undefined; call = call.after) yield call;
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
    for (const call of this.all()) {
      if (call.waiting === undefined || call.isStreaming) continue;
      if (call.deadlineAt < Number.POSITIVE_INFINITY) continue;
      const ms = now - call.since;
      if (ms >= LONG_MS) {
        this.#hasWarned = true;
        warnOf(call, ms);
        return;
      }
      longest = Math.max(longest, ms);
    }
    if (longest > Number.NEGATIVE_INFINITY) this.#lookIn(LONG_MS - longest);
  }
}

function pendingOf(call: LiveCall): PendingCall {
  const { terms, waiting } = call;
  const aheadMs = terms.wallAheadMs();
  const { phase, since, until, why } = waiting === undefined ? sending(call) : waitOf(waiting, call);
  return Object.freeze({
    call: call.snapshot(),
    phase,
    since: Math.ceil(since + aheadMs),
    until: until === undefined || until === Number.POSITIVE_INFINITY ? undefined : Math.ceil(until + aheadMs),
    why,
  });
}

type Standing = Omit<PendingCall, 'call'>;

const waitOf = (wait: Wait, { since }: LiveCall): Standing => ({
  phase: wait.phase,
  since,
  until: wait.until?.(),
  why: wait.why(),
});

function sending(call: LiveCall): Standing {
  const phase = 'sending';
  const until = call.deadlineAt;
  if (call.sent > call.sends.length) {
    return { phase, since: call.sentAt, until, why: `waits for the answer to send ${call.sent}` };
  }
  const last = call.sends.at(-1);
  const since = last === undefined ? call.startedAt : last.startedAt + last.durationMs;
  return { phase, since, until, why: `makes send ${call.sent + 1}: \`beforeSend\`, \`body\`` };
}

function warnOf(call: LiveCall, ms: number): void {
  warn(
    'HOLDFAST_LONG_WAIT',
    `${call.method} ${call.url} has been waiting for ${durationOf(ms)} and has no deadline: it ${call.waiting?.why()}. \`deadlineMs\` bounds a call; attachment.pending() tells who else waits.`,
  );
}
