import { expect } from 'vitest';

/** From one size to the next. Linear work grows as much, quadratic work 256 times. */
const STEP = 16;
const TOLERATED = 64;
/** What is done this fast, in ms, is too little to tell anything by. */
const NOISE_MS = 8;
/** What takes this long is not mistaken for another, whatever else the process has to do meanwhile. */
const SURE_MS = 2_000;
const MOST_TURNS = 9;

/**
 * Expects work to grow with its input and not with the square of it, up to 1 Mi: by comparing it with itself, so that it
 * doesn't matter how fast the machine is, and by the processor time that it took, so that it doesn't matter how busy. The
 * first sizes are small, so that a bad case is found before it takes minutes.
 */
export function expectLinear(work: (size: number) => unknown): void {
  for (let size = 2 ** 8; size < 2 ** 20; size *= STEP) {
    // More often where it looks bad: memory may have been cleared up, or code compiled, just then.
    for (let turns = 1; ; turns += 2) {
      const large = best(turns, () => work(size * STEP));
      if (large < NOISE_MS) break;
      const small = best(turns, () => work(size));
      if (large / Math.max(small, NOISE_MS / STEP) <= TOLERATED) break;
      if (turns >= MOST_TURNS || large > SURE_MS)
        expect.unreachable(`${size} took ${small} ms, ${size * STEP} took ${large} ms`);
    }
  }
}

/** The least processor time that it took, in ms. */
function best(turns: number, work: () => unknown): number {
  const times = Array.from({ length: turns }, () => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1_000;
  });
  return Math.min(...times);
}
