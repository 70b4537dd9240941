import { durationOf } from './time-shown.ts';

/** What a call's time went to, in ms each. What is left went to hooks and judges, or the process was busy. */
export interface Spent {
  /** In the limiter's queue. */
  readonly queuedMs: number;
  /** Until there was a token: `auth.token` and the refresh. */
  readonly refreshMs: number;
  /** Between an answer and the retry. */
  readonly waitedMs: number;
  /** From when a request left until its answer was read, all sends together. */
  readonly sendingMs: number;
}

/** A call that took less needs no explanation, in ms. */
const LONG_MS = 1_000;
/** What is less than this part of the whole explains nothing. */
const LEAST = 0.01;

/** How long a call took; where that was long, also for what: `40.2 s (queue 31.0 s, waits 8.0 s, sends 1.2 s)`. */
export function timeSpent(elapsedMs: number, { queuedMs, refreshMs, waitedMs, sendingMs }: Spent): string {
  const whole = durationOf(elapsedMs);
  if (elapsedMs < LONG_MS) return whole;
  const parts = { queue: queuedMs, token: refreshMs, waits: waitedMs, sends: sendingMs };
  const other = elapsedMs - queuedMs - refreshMs - waitedMs - sendingMs;
  const told = Object.entries({ ...parts, other }).filter(([, ms]) => ms >= LEAST * elapsedMs);
  return told.length === 0 ? whole : `${whole} (${told.map(([name, ms]) => `${name} ${durationOf(ms)}`).join(', ')})`;
}
