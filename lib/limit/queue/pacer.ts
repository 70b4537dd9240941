import type { Answer } from '../limiter.ts';
import type { Place } from './priority-queue.ts';

/** A refusal that names no time counts as a pause of so long, in ms: so it costs the bursts of windows up to a second. */
export const UNNAMED_MS = 1_000;

/**
 * When the sends of one bucket may leave: what an engine brings, and what a `Turnstile` asks. `Leave` is what it wants to be
 * told of a send again when that is answered or over.
 */
export interface Pace<Leave> {
  /** How many may leave in one turn of the event loop, after one that was blocked for long. */
  readonly atOnce: number;
  /** It learns from refusals by itself: how long to pause, and how to go on. Else the turnstile does both. */
  readonly learns?: boolean | undefined;
  /** It knows how fast sends may leave after a pause, once one has been answered well. */
  readonly hasWindows?: boolean | undefined;
  /**
   * The instant from which the next send may leave; `Infinity`: something else has to happen first.
   *
   * @param wanted how many permits could be used now
   * @param weight how many of them the next send needs
   * @param nested that send must not wait for the end of another
   */
  nextAt(nowMs: number, wanted: number, weight: number, nested?: boolean): number;
  /** When a send that has so many before it may leave at the earliest; a lower bound, to refuse what cannot be in time. */
  earliest(nowMs: number, ahead: number): number;
  /** A send stands in line now, one of `waiting`; `nextAt` is asked next. */
  queued?(nowMs: number, place: Place, waiting: number): void;
  /** A send leaves. `waited`: it stood in line. */
  leave(nowMs: number, weight: number, waited: boolean): Leave;
  answered(nowMs: number, leave: Leave, answer: Answer): void;
  /** The send is over; `answered` came first, if there was an answer. */
  ended(nowMs: number, leave: Leave): void;
  /** The send did not take place: all is to be as if it had never been let go. `ended` is not told then. */
  dropped?(nowMs: number, leave: Leave): void;
  /** Nothing may leave before that instant. */
  pause(nowMs: number, untilAt: number): void;
  /** The pause is over before its time: a probe is to leave. */
  resume(nowMs: number): void;
  pausedUntil(): number;
  /** Whether it would do the same if it were made anew. */
  isFresh(nowMs: number): boolean;
}
