import type { Attachment } from '../attach.ts';
import { durationOf } from '../call/time-shown.ts';
import { assertionError } from './assertion.ts';
import { logOf } from './log-of-sends.ts';

/**
 * Proves that calls waited: no call was sent again sooner than so many ms after the answer before (or after it was lost). A send that is
 * still to come is not early, so the proof may be asked for just before it leaves.
 *
 * @param holdfast what `attachForTest` gave
 * @param ms the wait that there had to be, above 0: for instance what Retry-After named
 * @throws {Error} an `AssertionError` that names the send that was early, or says that nothing was waited for: where all calls were answered
 * once, there is nothing to prove
 *
 * @example
 * const clock = manualClock();
 * const api = scripted([{ status: 429, headers: { 'retry-after': '30' } }, 200]);
 * const client = axios.create({ baseURL: 'https://api.example.com', adapter: api });
 * const holdfast = attachForTest(client, {}, { clock });
 * await clock.run(client.get('/orders'));
 * expectNoEarlySend(holdfast, 30_000);
 */
export function expectNoEarlySend(holdfast: Attachment, ms: number): void {
  if (!(ms > 0)) throw new TypeError(`expectNoEarlySend needs a wait above 0 ms, got ${ms}`);
  const { sends } = logOf(holdfast, 'expectNoEarlySend');
  for (const next of sends) {
    const last = sends.find(({ call, send }) => call === next.call && send === next.send - 1);
    if (last?.answer === undefined) continue;
    const waitedMs = next.at - last.answer.at;
    if (waitedMs >= ms) continue;
    const after = `${durationOf(waitedMs)} after send ${last.send} ended with ${last.answer.by ?? 'an error'}`;
    const message = `${next.what}: send ${next.send} left ${after}; expected ${durationOf(ms)} at least`;
    throw assertionError(message, waitedMs, ms);
  }
  const underWay = new Set(holdfast.pending().map(({ call }) => call.id));
  const hasWaited = sends.some(({ call, send, answer }) => send > 1 || (answer !== undefined && underWay.has(call)));
  if (hasWaited) return;
  const seen = `${sends.length} sends, each the only one of its call`;
  const message = `no call was sent again, or waits to be: ${seen}. Nothing shows that ${durationOf(ms)} were waited for`;
  throw assertionError(message, sends.length, sends.length + 1);
}
