import type { Clock } from './clock.ts';

/** How long an answer may still lie unread, in ms: timers run before sockets are read. */
const READ_MS = 20;

/**
 * What a promise gives, if it does so within `ms`; else rejects with an error of code `ETIMEDOUT`, whose message says that
 * `who` did not answer. What the promise does later is nobody's error.
 *
 * @param late called when the time is up
 */
export async function inTime<T>(
  answer: Promise<T>,
  { ms, clock, who, late = () => {} }: { ms: number; clock: Clock; who: string; late?: (() => void) | undefined },
): Promise<T> {
  let stop = () => {};
  const timeout = new Promise<never>((_, reject) => {
    const giveUp = () => {
      late();
      reject(Object.assign(new Error(`${who} did not answer within ${Math.round(ms)} ms`), { code: 'ETIMEDOUT' }));
    };
    stop = clock.after(ms, () => {
      stop = clock.after(READ_MS, giveUp);
    });
  });
  try {
    return await Promise.race([answer, timeout]);
  } finally {
    stop();
  }
}
