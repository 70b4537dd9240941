/** The work that is the same for every candidate: an instance, and a batch of calls through it. */
import { batches, bytesPerCall, makeClient, requireAnswer } from './calls.js';

/**
 * A candidate's `setup`; `equip(client, value)` attaches what is measured and may return its teardown. With `config`, each call is given that
 * as its own.
 */
export function overheadOf(equip, config) {
  return ({ case: method, size, value }) => {
    const client = makeClient();
    const teardown = equip(client, value);
    const batch = batches[method];

    return {
      teardown,
      async run() {
        const cpuBefore = process.cpuUsage();
        const wallBefore = process.hrtime.bigint();
        const last = await batch(client, size.calls, config);
        const wall = process.hrtime.bigint() - wallBefore;
        const cpu = process.cpuUsage(cpuBefore);

        requireAnswer(last);
        return {
          wallNs: Number(wall) / size.calls,
          cpuNs: ((cpu.user + cpu.system) * 1_000) / size.calls,
          bytes: await bytesPerCall((calls) => batch(client, calls, config)),
        };
      },
    };
  };
}
