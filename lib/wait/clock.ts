/**
 * The only ambient time and randomness of the library; everything else is handed these.
 *
 * Wall-clock time, because tokens expire and servers answer in it. A clock that is set back makes a duration
 * look short, never negative: whoever subtracts two readings clamps at 0.
 */
export interface Clock {
  /** Now, in ms since the epoch. */
  now(): number;
  /** Calls `fire` once after `ms`, never more than 2³¹−1 ms away; gives the function that takes the timer back. */
  after(ms: number, fire: () => void): () => void;
  /** The same, but it does not keep the process alive. Where it is missing, nothing is done that nobody waits for. */
  meanwhile?(ms: number, fire: () => void): () => void;
}

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** Beyond this `setTimeout` overflows and fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (ms, fire) => {
    const timer = setTimeout(fire, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
    return () => clearTimeout(timer);
  },
  meanwhile: (ms, fire) => {
    const timer: unknown = setTimeout(fire, Math.min(Math.max(ms, 0), MAX_TIMER_MS));
    // In a browser it is a number.
    (timer as { unref?(): void }).unref?.();
    return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0]);
  },
};

export const systemRandom: Random = () => Math.random();

/** A random UUID (RFC 9562, version 4); also where the page is not a secure context and `randomUUID` is missing. */
export function randomId(): string {
  if (typeof crypto.randomUUID === 'function') return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (Number(bytes[6]) & 0x0f) | 0x40;
  bytes[8] = (Number(bytes[8]) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
