import { LimitError } from '../../failure/errors.ts';
import type { Permit, PermitRequest } from '../limiter.ts';
import { goesBefore, type Waiter } from './priority-queue.ts';

/** The instant beyond which there is no use in waiting, and which option set it: `maxWaitMs`, or else the deadline of the call. */
export interface Bound {
  readonly at: number;
  readonly maxWaitMs: number | undefined;
}

/** The bucket that it waits in. */
export interface Waited {
  /** The instant from which it may leave there; `Infinity`: something else has to happen first. */
  dueAt(now: number, waiter: QueuedSend, wanted: number): number;
}

/** A send that waits for its permit. There may be a million: so it has few fields, and none for a number that is no small integer. */
export class QueuedSend implements Waiter {
  sequence = 0;
  index = 0;
  readonly weight: number;
  readonly priority: number;
  readonly since: number;
  readonly nested: boolean;
  readonly call: PermitRequest['call'];
  readonly maxPauseMs: number;
  readonly clampsPause: boolean;
  readonly bound: Bound | undefined;
  resolve!: (permit: Permit) => void;
  reject!: (reason: unknown) => void;
  /** Lets go of timer and listener. */
  stopWatching: (() => void) | undefined = undefined;

  constructor(request: PermitRequest, now: number, bound: Bound | undefined) {
    const { weight = 1, priority = 0, since = now, nested = false, maxPauseMs, clampsPause = false } = request;
    this.weight = weight;
    this.priority = Number.isNaN(priority) ? 0 : priority;
    this.since = Number.isNaN(since) ? now : since;
    this.nested = nested;
    this.call = request.call;
    this.maxPauseMs = maxPauseMs ?? Number.POSITIVE_INFINITY;
    this.clampsPause = clampsPause;
    this.bound = bound;
  }

  /** The instant from which it may leave; `Infinity`: something else has to happen first. */
  leavesAt(now: number, bucket: Waited, wanted: number): number {
    return bucket.dueAt(now, this, wanted);
  }

  /** Lets those go who are before it elsewhere; gives whether it may not leave any more. */
  givesWay(): boolean {
    return false;
  }
}

/** The nearer of the two; `undefined` where nothing bounds the wait. */
export function boundOf(now: number, maxWaitMs: number, deadlineAt: number): Bound | undefined {
  if (now + maxWaitMs < deadlineAt) return { at: now + maxWaitMs, maxWaitMs };
  return deadlineAt === Number.POSITIVE_INFINITY ? undefined : { at: deadlineAt, maxWaitMs: undefined };
}

export function overdue({ maxWaitMs }: Bound): LimitError {
  return maxWaitMs === undefined
    ? new LimitError('ERR_LIMIT_DEADLINE', 'deadlineMs: no permit before the deadline of the call')
    : new LimitError('ERR_LIMIT_WAIT_TOO_LONG', `limit.maxWaitMs: no permit within ${maxWaitMs} ms`);
}

/** Whether one makes the better probe, where that call's was refused: one to another path, else of another call, else who goes first. */
export function isBetterProbe(a: QueuedSend, b: QueuedSend, shunned: { readonly url: string }): boolean {
  const rank = ({ call }: QueuedSend) => (call === shunned ? 2 : call?.url === shunned.url ? 1 : 0);
  const by = rank(a) - rank(b);
  return by === 0 ? goesBefore(a, b) : by < 0;
}
