/** What lives on the heap, in bytes, once everything that can be collected has been. */
import { setTimeout as after } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

export async function heapUsed() {
  for (let time = 0; time < 2; time++) {
    // What was said to be over may have a turn to go.
    await after(5);
    collectGarbage();
  }
  return process.memoryUsage().heapUsed;
}
