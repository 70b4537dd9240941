/**
 * Time that passes only when nothing else is left to do: `setTimeout`, `Date` and `performance` of this worker follow it. So an hour of
 * waiting takes a moment, and the libraries that wait are the real ones, unchanged. It must be imported before them.
 */

interface Timer {
  readonly at: number;
  readonly id: number;
  readonly fire: () => void;
}

const START_MS = Date.UTC(2026, 0, 1);
let nowMs = 0;
let lastId = 0;
const timers = new Map<number, Timer>();
const RealDate = Date;

class VirtualDate extends RealDate {
  constructor(...parts: [number?]) {
    super(...((parts.length === 0 ? [START_MS + nowMs] : parts) as [number]));
  }

  static override now(): number {
    return START_MS + nowMs;
  }
}

const set = (fire: () => void, ms = 0): number => {
  lastId += 1;
  timers.set(lastId, { at: nowMs + Math.max(0, Number(ms) || 0), id: lastId, fire });
  return lastId;
};
const clear = (id?: unknown): void => void timers.delete(Number(id));

Object.assign(globalThis, { Date: VirtualDate, setTimeout: set, clearTimeout: clear });
Object.defineProperty(performance, 'now', { value: () => nowMs });
Object.defineProperty(performance, 'timeOrigin', { value: START_MS });

let beganMs = 0;

/** ms since the simulation began. */
export const virtualNow = (): number => nowMs - beganMs;

/** From here on numbers at random are the same for the same seed. */
export function seedRandom(seed: number): void {
  let state = seed >>> 0;
  // mulberry32
  Math.random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Lets time pass until the promise has settled, or for `mostMs`, or until nobody waits for a timer any more. */
export async function passUntil(settled: Promise<unknown>, mostMs: number): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  settled.then(settle, settle);
  for (;;) {
    await turn();
    if (isSettled) return;
    const [first, ...rest] = timers.values();
    if (first === undefined) return;
    const next = rest.reduce((least, timer) => (timer.at < least.at ? timer : least), first);
    if (next.at > beganMs + mostMs) return;
    timers.delete(next.id);
    nowMs = Math.max(nowMs, next.at);
    next.fire();
  }
}

/** Forgets what is still waiting, and counts from 0 again. The clocks go on: they never go back. */
export function beginAnew(): void {
  timers.clear();
  beganMs = nowMs;
}

const { port1, port2 } = new MessageChannel();
let resume: (() => void) | undefined;
port1.onmessage = () => resume?.();

/** A real turn of the event loop, after which all that was ready to run has run. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    resume = resolve;
    port2.postMessage(undefined);
  });
}
