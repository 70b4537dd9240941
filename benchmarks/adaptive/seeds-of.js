/** The work that is the same for every candidate: all the seeds of a case, and what they give together. */
import { simulate } from './simulation.js';

/** A candidate's `setup`. `newControl()` makes the control of one process. */
export function seedsOf(newControl) {
  return ({ case: scenario, size }) => ({
    run() {
      const seeds = Math.ceil(size.seeds * (scenario.seeds ?? 1));
      const runs = Array.from({ length: seeds }, (_, seed) => simulate(newControl, scenario, seed + 1));
      const all = (key) => runs.map((run) => run[key]);
      return {
        coldGoodput: mean(all('coldGoodput')),
        coldWorst: Math.min(...all('coldGoodput')),
        coldRefused: mean(all('coldRefused')),
        warmGoodput: mean(all('warmGoodput')),
        warmWorst: Math.min(...all('warmGoodput')),
        warmRefused: mean(all('warmRefused')),
        down: mean(all('down')),
        up: mean(all('up')),
        fair: mean(all('fair')),
        early: mean(all('early')),
      };
    },
  });
}

const mean = (numbers) => numbers.reduce((total, number) => total + number, 0) / numbers.length;
