/**
 * The only ambient time and randomness of the library; everything else is handed these.
 *
 * What lasts is measured on `now()`, which no correction of the system's clock moves: a clock that is set forward sends nothing early,
 * and one that is set back keeps no call for ever. The time of day is asked at the edges only.
 */
export interface Clock {
  /** Now, in ms on the scale of the epoch. It only goes forward, and does not follow where the system's clock is set. */
  now(): number;
  /** The time of day, ms since the epoch: for what is compared with the outside (dates, the expiry of tokens), and for what is shown. */
  wall(): number;
  /**
   * Calls `fire` once, when `now()` has come so far and never before, however far that is; gives the function that takes the timer
   * back. `Infinity` is never.
   */
  after(ms: number, fire: () => void): () => void;
  /** The same, but it does not keep the process alive. Where it is missing, nothing is done that nobody waits for. */
  meanwhile?(ms: number, fire: () => void): () => void;
  /** The same, for a timer that is used again and again. Where it is missing, a timer is taken back and set anew. */
  lasting?(ms: number, fire: () => void): LastingTimer;
}

/** A timer that nobody may be waiting for now. */
export interface LastingTimer {
  stop(): void;
  /** Somebody waits for it: it keeps the process alive. Gives whether it is known that it will still fire; if not, another is needed. */
  wake(): boolean;
  /** Nobody does: it may fire all the same, unless the process ends before. */
  rest(): void;
}

/** Two clocks that are read one after the other differ by less, in ms. */
const GRAIN_MS = 2;

const knownAhead = new WeakMap<object, number>();

/**
 * How far the time of day is ahead of `now()`, in ms: to be added where an instant of `now()` is shown or handed out, and taken off one
 * that is handed in. 0 until the system's clock is set, or the machine sleeps. What differs by the grain of the clocks is the same, so
 * that an instant that is shown twice is shown the same.
 */
export function wallAheadMs(clock: Pick<Clock, 'now' | 'wall'>): number {
  const known = knownAhead.get(clock) ?? 0;
  const ahead = clock.wall() - clock.now();
  if (Math.abs(ahead - known) < GRAIN_MS) return known;
  knownAhead.set(clock, ahead);
  return ahead;
}

/** A source of numbers in [0, 1). */
export type Random = () => number;

/** Beyond this `setTimeout` overflows and fires at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** A timer of the platform is early by less; one that is early by more was fired by hand, as fake timers are. In ms. */
const EARLY_MS = 50;

/** What an instant since 1970 may be off in a double, and more, in ms. */
const ROUNDING_MS = 0.01;

/** Added to `performance.now()`. Not by its `timeOrigin`, which some fake timers do not have. */
let originMs = Date.now() - performance.now();
let lastReading = 0;
/** The last reading at which a timer was found to be fired by hand: what fires with it is, too. */
let byHandAt = Number.NEGATIVE_INFINITY;

/**
 * The clock of the platform. It trusts its timers: where one fires more than 50 ms before its time by `now()`, a test has moved it by hand,
 * and `now()` is moved on to that time. So a wait of 1 s ends with `advanceTimersByTime(1_000)`, whether `performance` is faked or
 * not. Time in which the machine slept may not count.
 */
export const systemClock: Clock = {
  now() {
    const reading = performance.now();
    // It was replaced by a fake one, which begins at 0.
    if (reading < lastReading) {
      originMs += lastReading - reading;
      byHandAt = Number.NEGATIVE_INFINITY;
    }
    lastReading = reading;
    return originMs + reading;
  },
  wall: () => Date.now(),
  after: (ms, fire) => arm(ms, fire, setTimeout),
  meanwhile: (ms, fire) =>
    arm(ms, fire, (due, inMs) => {
      const timer = setTimeout(due, inMs);
      (timer as KeepingAlive).unref?.();
      return timer;
    }),
  lasting(ms, fire) {
    const set = setTimeout;
    let timer: KeepingAlive = {};
    const stop = arm(ms, fire, (due, inMs) => {
      const made = set(due, inMs);
      timer = made as KeepingAlive;
      return made;
    });
    return {
      stop,
      wake() {
        if (set !== setTimeout || timer._destroyed !== false) return false;
        timer.ref?.();
        return true;
      },
      rest() {
        if (timer._destroyed === false) timer.unref?.();
        else stop();
      },
    };
  },
};

type Timer = ReturnType<typeof setTimeout>;

/** A timer of Node's. In a browser it is a number, and keeps nothing alive. */
interface KeepingAlive {
  ref?(): void;
  unref?(): void;
  /** Not documented. But nothing else tells whether it will still fire: fake timers do not, and a test may have cleared them all. */
  readonly _destroyed?: boolean;
}

function arm(ms: number, fire: () => void, set: (due: () => void, inMs: number) => Timer): () => void {
  if (ms === Number.POSITIVE_INFINITY) return () => {};
  const dueAt = systemClock.now() + ms;
  // Of the timers as they are now: fake ones may come or go before it is taken back.
  const clear = clearTimeout;
  let timer: Timer;
  let isCorrected = false;
  const rest = (leftMs: number) => {
    const inMs = Math.min(Math.max(Math.ceil(leftMs - ROUNDING_MS), 0), MAX_TIMER_MS);
    const until = inMs < MAX_TIMER_MS ? dueAt : systemClock.now() + inMs;
    timer = set(() => {
      const earlyMs = until - systemClock.now();
      if (earlyMs > EARLY_MS) byHandAt = lastReading;
      const isByHand = lastReading - byHandAt <= EARLY_MS;
      if (earlyMs > ROUNDING_MS && !isByHand && !isCorrected) {
        isCorrected = true;
        rest(dueAt - systemClock.now());
        return;
      }
      if (earlyMs > 0) originMs += earlyMs;
      if (until < dueAt) rest(dueAt - until);
      else fire();
    }, inMs);
  };
  rest(ms);
  return () => clear(timer);
}

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
