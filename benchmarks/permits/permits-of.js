/** The work that is the same for every candidate: calls that do nothing, one after the other or many at once. */
import { setTimeout as after } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export const SLOTS = 10;
const IN_A_ROW = 100;
const ABORTED = 100;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc');

/**
 * A candidate's `setup`. `open()` makes a limiter of so many SLOTS: `{ call(work, signal?), queued(), close() }`, where `call`
 * promises what `work()` does, and `close` drops whatever still waits.
 */
export function permitsOf(open) {
  return ({ case: atOnce, size }) => ({
    run: () => (atOnce === 1 ? oneAfterTheOther(open, size) : manyAtOnce(open, atOnce, size)),
  });
}

async function oneAfterTheOther(open, { batchMs }) {
  const limiter = open();
  let calls = 0;
  let addedMs = 0;
  for (const end = performance.now() + batchMs; performance.now() < end; calls += IN_A_ROW) {
    addedMs += await inARow(() => limiter.call(nothing));
    addedMs -= await inARow(nothing);
  }
  await limiter.close();
  const us = (addedMs / calls) * 1_000;
  return { us, perSecond: 1e6 / us, queueUs: 0, bytes: 0, abortUs: 0, leftPercent: 0 };
}

async function inARow(call) {
  const begun = performance.now();
  for (let i = 0; i < IN_A_ROW; i++) await call();
  return performance.now() - begun;
}

async function manyAtOnce(open, atOnce, { batchMs, drainMs }) {
  const end = performance.now() + batchMs;
  const first = await episode(open, { atOnce, drainMs, look: inspect });
  const all = [first];
  while (performance.now() < end) all.push(await episode(open, { atOnce, drainMs }));

  const queueUs = perEach(all, 'queueMs', 'queued');
  const us = queueUs + perEach(all, 'runMs', 'done');
  return { us, perSecond: 1e6 / us, queueUs, ...first.seen };
}

/** Queues so many up behind slots that are taken, then gives the slots back. `look(limiter, queueUp)` queues up by itself. */
async function episode(open, { atOnce, drainMs, look = (_limiter, queueUp) => queueUp(atOnce) }) {
  const limiter = open();
  let giveBack;
  const taken = new Promise((resolve) => {
    giveBack = resolve;
  });
  for (let i = 0; i < SLOTS; i++) limiter.call(() => taken);
  await afterThat();

  let queueMs = 0;
  let queued = 0;
  let done = 0;
  let endAt = Number.POSITIVE_INFINITY;
  let end;
  const ended = new Promise((resolve) => {
    end = resolve;
  });
  const work = async () => {
    done += 1;
    if (done === atOnce || (done % 10 === 0 && performance.now() > endAt)) end();
  };
  const queueUp = (count) => {
    const begun = performance.now();
    for (let i = 0; i < count; i++) limiter.call(work).catch(nothing);
    queueMs += performance.now() - begun;
    queued += count;
  };
  const seen = await look(limiter, queueUp, atOnce);

  const begun = performance.now();
  endAt = begun + drainMs;
  giveBack();
  await ended;
  const result = { queueMs, queued, runMs: performance.now() - begun, done, seen };
  await limiter.close();
  return result;
}

/** What one who waits holds of the heap, and what it takes to give up waiting. */
async function inspect(limiter, queueUp, atOnce) {
  const before = await heapUsed();
  queueUp(atOnce / 2);
  const bytes = ((await heapUsed()) - before) / (atOnce / 2);

  const aborts = Array.from({ length: ABORTED }, () => new AbortController());
  const aborted = aborts.map(({ signal }) => limiter.call(nothing, signal));
  queueUp(atOnce / 2);
  await afterThat();
  const waiting = limiter.queued();
  const begun = performance.now();
  for (const abort of aborts) abort.abort();
  const settled = await Promise.allSettled(aborted);
  const abortMs = performance.now() - begun;
  if (settled.some(({ status }) => status === 'fulfilled')) throw new Error('an aborted call has run');
  const left = ABORTED - (waiting - limiter.queued());
  return { bytes, abortUs: (abortMs / ABORTED) * 1_000, leftPercent: (left / ABORTED) * 100 };
}

async function heapUsed() {
  await afterThat();
  collectGarbage();
  await afterThat();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

/** Lets those that queue up by promises and timers of their own get to it. */
async function afterThat() {
  await after(5);
}

function perEach(episodes, ms, count) {
  const sum = (key) => episodes.reduce((total, each) => total + each[key], 0);
  return (sum(ms) / sum(count)) * 1_000;
}

async function nothing() {}
