/**
 * One process of a fleet. `node member.js CANDIDATE` does what the candidate's own process asks over IPC, and ends with it.
 * The candidate's file exports `open({ redisPort, id })`, which gives, or promises, `{ permit, close }`: `permit()` takes one permit
 * and gives it back.
 */
import { setTimeout as after } from 'node:timers/promises';
import { doTasks } from '../fleet/do-tasks.js';

const { open } = await import(process.argv[2]);
let opened;
let working;
let done = 0;
let failed = 0;
let goesOn = false;

async function work() {
  while (goesOn) {
    try {
      await opened.permit();
      done += 1;
    } catch (error) {
      if (!goesOn) break;
      if (failed === 0) console.error(error);
      failed += 1;
      // A candidate that refuses without I/O must not keep the process busy with nothing else.
      await after(1);
    }
  }
}

const tasks = {
  async open(context) {
    opened = await open(context);
    // The first one makes the connection.
    await opened.permit();
  },
  async alone({ forMs }) {
    const waits = [];
    const end = performance.now() + forMs;
    for (let now = performance.now(); now < end; ) {
      await opened.permit();
      const then = performance.now();
      waits.push(then - now);
      now = then;
    }
    return waits;
  },
  begin({ workers }) {
    failed = 0;
    goesOn = true;
    working = Array.from({ length: workers }, work);
  },
  mark() {
    done = 0;
  },
  count: () => done,
  async end() {
    goesOn = false;
    await Promise.all(working);
    await opened.close();
    return failed;
  },
};

doTasks(tasks);
