import type { Answer } from '../limiter.ts';
import type { Waiter } from './priority-queue.ts';

/** A refusal that names no time costs the bursts of windows up to so long, in ms, as a pause of a second would. */
export const UNNAMED_MS = 1_000;

/**
 * When the next send of one bucket may leave: what an engine brings. A `Bucket` asks it, and does the rest: it keeps who waits, who
 * has a permit, and every pause. `Handle` is what the pacer has to remember of a send; it is handed in again with the answer and the end.
 */
export interface Pacer<Handle> {
  /** How many may leave in one turn of the event loop, after one that was blocked for long. Default: all. */
  readonly atOnce?: number | undefined;
  /** Being asked takes something elsewhere: so it is asked last, when nothing else stands in the way of a send. */
  readonly isRemote?: boolean | undefined;
  /** It learns from refusals by itself how long to pause and how fast to go on; else the bucket does (`Recovery`). */
  readonly learns?: boolean | undefined;
  /** It knows how fast sends may leave after a pause, once one has been answered well. */
  readonly hasWindows?: boolean | undefined;
  /**
   * The instant from which the next send may leave; `Infinity`: something else has to happen first. Not asked during a pause.
   *
   * @param wanted how many sends could leave now
   * @param weight how many permits the next of them needs
   * @param nested that send must not wait for the end of another
   */
  nextAt(nowMs: number, wanted: number, weight: number, nested?: boolean): number;
  /** Before when a send cannot leave that has so many before it: to refuse at once what cannot be in time. Default: nobody knows. */
  earliest?(nowMs: number, ahead: number): number;
  /** A send has joined the queue, in which so many wait now; `nextAt` is asked next. */
  queued?(nowMs: number, waiter: Waiter, waiting: number): void;
  /** A send leaves. `waited`: it was in the queue. */
  send(nowMs: number, weight: number, waited: boolean): Handle;
  /** A send was answered; gives until when to pause, where it learns that by itself. */
  answered(nowMs: number, handle: Handle, answer: Answer): number | undefined;
  /** The send is over; `answered` came first, if there was an answer. */
  ended(nowMs: number, handle: Handle): void;
  /** The send did not take place: all is to be as if it had never left. `ended` is not told then. */
  dropped?(nowMs: number, handle: Handle): void;
  /** The bucket is paused, or paused for longer: nothing leaves before that instant. */
  paused(nowMs: number, untilAt: number): void;
  /** The pause has ended before its time: a probe is to leave. */
  resumed(nowMs: number): void;
  /** From when a send of that weight may use what is reserved elsewhere, if enough is; nobody is asked for it. */
  reservedAt?(weight: number): number | undefined;
  /** How many permits are reserved for until then; `Infinity` where there may be more by then, or nothing is known. */
  reservedBy?(atMs: number): number;
  /** Who waits here cannot leave before that instant for other limits: what is reserved and would be wasted by then is given back. */
  heldUp?(nowMs: number, untilAt: number): void;
  /** Whether it would do the same if it were made anew. */
  isFresh(nowMs: number): boolean;
}
