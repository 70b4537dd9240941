import axios, { type AxiosInstance, type CreateAxiosDefaults } from 'axios';
import { onTestFinished } from 'vitest';
import type { Attachment } from '../../lib/attach.ts';
import type { EventName, EventOf } from '../../lib/call/events.ts';
import { attachWith } from '../../lib/full.ts';
import type { Policy } from '../../lib/policy/options.ts';
import { type Answer, type Loopback, loopback } from './loopback.ts';
import { ManualClock, settle } from './manual-clock.ts';

export interface ByHand<C extends ManualClock> {
  readonly server: Loopback;
  readonly client: AxiosInstance;
  readonly holdfast: Attachment;
  readonly clock: C;
}

interface Ports<C> {
  readonly clock?: C;
  readonly random?: () => number;
}

/** A real server, and a client of it whose time the test moves; chance is a half unless the test says otherwise. */
export async function byHand<C extends ManualClock = ManualClock>(
  answer: Answer,
  policy: Policy = {},
  defaults: CreateAxiosDefaults = {},
  { clock = new ManualClock() as C, random = () => 0.5 }: Ports<C> = {},
): Promise<ByHand<C>> {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  const client = axios.create({ baseURL: server.url, ...defaults });
  return { server, client, clock, holdfast: attachWith({ clock, random }, client, policy) };
}

/** The next event of that name, when everything that goes on at once has gone on. Ask before it can happen. */
export function next<E extends EventName>(holdfast: Attachment, name: E): Promise<EventOf<E>> {
  return new Promise((resolve) => {
    const stop = holdfast.on(name, (event) => {
      stop();
      settle().then(() => resolve(event));
    });
  });
}

/** Moves the clock by each wait as it is scheduled, so that a call runs through; gives the delays. */
export function runThrough({ clock, holdfast }: Pick<ByHand<ManualClock>, 'clock' | 'holdfast'>): readonly number[] {
  const delays: number[] = [];
  holdfast.on('retry-scheduled', ({ delayMs }) => {
    delays.push(delayMs);
    settle().then(() => clock.advance(delayMs));
  });
  return delays;
}

/** Lets I/O go on until the condition holds; the test's own time limit ends it. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await settle();
}

/** Moves the clock to the next timer whenever all that has left is answered, until the promise has settled; gives what it settled to. */
export async function runQuietly<T>(
  { clock, holdfast }: Pick<ByHand<ManualClock>, 'clock' | 'holdfast'>,
  promise: Promise<T>,
): Promise<T> {
  let isSettled = false;
  const settled = promise.finally(() => {
    isSettled = true;
  });
  settled.catch(() => {});
  // What is due is done while others are under way: it takes no time.
  const isDue = () => clock.nextIn === 0 || (holdfast.stats().inFlight === 0 && clock.nextIn !== undefined);
  while (!isSettled) {
    // What goes on at once may send yet.
    await settle();
    if (!isSettled && isDue()) await clock.advance(Number(clock.nextIn));
  }
  return settled;
}
