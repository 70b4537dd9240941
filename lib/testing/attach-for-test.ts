import type { AxiosInstance } from 'axios';
import type { AttachableInstance, Attachment } from '../attach.ts';
import { shown } from '../check.ts';
import { attachWith } from '../full.ts';
import type { Policy } from '../policy/options.ts';
import type { PreparedPolicy } from '../policy/prepared.ts';
import type { Random } from '../time/clock.ts';
import { keepLog } from './log-of-sends.ts';
import { ManualClock } from './manual-clock.ts';
import { bindTo } from './scripted.ts';
import { worldOf } from './world.ts';

/** What a test has in its hand. */
export interface TestPorts {
  /** Every wait, pause, deadline and delay of the attachment goes by it. */
  readonly clock: ManualClock;
  /** In [0, 1): what jitter goes by. Default: always 0.5. So the default backoff waits 375, 750 and 1,500 ms. */
  readonly random?: Random | undefined;
}

/**
 * `attach` for a test: time and chance are in its hand. Takes the place of an attachment that is there, so a client that attaches
 * itself can be tested as it is.
 *
 * What a policy is handed ready made (`localLimiter`, `credentials`, stores) keeps the clock that it was made with: the platform's. Give the
 * options of it, or move that by your runner's fake timers.
 *
 * @param policy see `Policy`. By default that of the attachment that is there, else `{}`
 * @throws as `attach` does, and a TypeError where the clock is no `manualClock()`
 *
 * @example
 * const clock = manualClock();
 * const api = scripted([{ status: 429, headers: { 'retry-after': '30' } }, 200]);
 * const client = axios.create({ baseURL: 'https://api.example.com', adapter: api });
 * const holdfast = attachForTest(client, {}, { clock });
 * await clock.run(client.get('/orders'));
 * expectNoEarlySend(holdfast, 30_000);
 */
export function attachForTest(
  instance: AttachableInstance,
  policy: Policy | PreparedPolicy | undefined,
  ports: TestPorts,
): Attachment {
  const { clock, random = () => 0.5 } = (ports ?? {}) as Partial<TestPorts>;
  if (!(clock instanceof ManualClock)) {
    throw new TypeError(
      `attachForTest needs { clock: manualClock() } as its third argument, got ${shown(clock)} for a clock`,
    );
  }
  if (typeof random !== 'function')
    throw new TypeError(`attachForTest: random must be a function, got ${shown(random)}`);
  const holdfast = attachWith({ clock, random }, instance, policy, { replace: true }, attachForTest);
  bindTo(clock, (instance as Partial<AxiosInstance>).defaults?.adapter);
  worldOf(clock).attachments.add(holdfast);
  keepLog(holdfast, clock);
  return holdfast;
}
