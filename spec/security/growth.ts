import { expect } from 'vitest';

/** From one size to the next. Linear work grows as much, quadratic work 256 times. */
const STEP = 16;
const TOLERATED = 64;
/** What is done this fast, in ms, is too little to tell anything by. */
const NOISE_MS = 8;
/** What takes this long is not mistaken for another, however busy the machine is. */
const SURE_MS = 200;

/**
 * Expects work to grow with its input and not with the square of it, up to 1 Mi: by comparing it with itself, so that it
 * doesn't matter how fast or how busy the machine is. The first sizes are small, so that a bad case is found
 * before it takes minutes.
 */
export function expectLinear(work: (size: number) => unknown): void {
  for (let size = 2 ** 8; size < 2 ** 20; size *= STEP) {
    // More often where it looks bad: the machine may have been busy with something else.
    for (let turns = 1; ; turns += 2) {
      const large = best(turns, () => work(size * STEP));
      if (large < NOISE_MS) break;
      const small = best(turns, () => work(size));
      if (large / Math.max(small, NOISE_MS / STEP) <= TOLERATED) break;
      if (turns > 5 || large > SURE_MS) expect.unreachable(`${size} took ${small} ms, ${size * STEP} took ${large} ms`);
    }
  }
}

function best(turns: number, work: () => unknown): number {
  const times = Array.from({ length: turns }, () => {
    const begun = performance.now();
    work();
    return performance.now() - begun;
  });
  return Math.min(...times);
}
