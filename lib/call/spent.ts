import { durationOf } from './time-shown.ts';

/** What the time of a call went to, each in ms. The rest of `elapsedMs` went to hooks and judges, or the process was busy. */
export interface Spent {
  /** Waiting for the limiter's permits. */
  readonly queuedMs: number;
  /** Waiting for tokens: `auth.token` and the refresh. */
  readonly refreshMs: number;
  /** Waiting between an answer and the next retry or poll. */
  readonly waitedMs: number;
  /** From when a request left until it was answered or failed, all sends together. */
  readonly sendingMs: number;
}

/** A call that took less than this needs no explanation, in ms. */
const LONG_MS = 1_000;
/** A part that is less than this much of the whole is left out. */
const LEAST = 0.01;

/** How long a call took; from one second on, also what that went to: `40.2 s (queue 31.0 s, waits 8.0 s, sends 1.2 s)`. */
export function timeSpent(elapsedMs: number, { queuedMs, refreshMs, waitedMs, sendingMs }: Spent): string {
  const whole = durationOf(elapsedMs);
  if (elapsedMs < LONG_MS) return whole;
  const parts = { queue: queuedMs, token: refreshMs, waits: waitedMs, sends: sendingMs };
  const other = elapsedMs - queuedMs - refreshMs - waitedMs - sendingMs;
  const told = Object.entries({ ...parts, other }).filter(([, ms]) => ms >= LEAST * elapsedMs);
  return `${whole} (${told.map(([name, ms]) => `${name} ${durationOf(ms)}`).join(', ')})`;
}
