/** The work that is the same for every candidate: calls at random instants, an overload in between, and what came of it. */
import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import axios from 'axios';
import { seeded } from '../adaptive/seeded.js';
import { STEP_MS } from './step.js';

/** Goodput has recovered when it is at `RECOVERED` of before for so many steps. */
const STEPS = 4;
const RECOVERED = 0.95;

/**
 * A candidate's `setup`. `equip(client, { url, httpAgent, timeoutMs })` attaches what is measured to one of the clients, or
 * gives another way to make a call than `client.get('/', { signal })`.
 */
export function outageOf(name, equip) {
  return ({ case: { clients, chart, warmUp }, size, shared }) => ({
    async run() {
      const { load } = size;
      const seconds = { ...size.seconds, warmUp: size.seconds[warmUp] };
      const { url } = shared;
      const httpAgent = new http.Agent({ keepAlive: true });
      const calls = Array.from({ length: clients }, () => {
        const client = axios.create({ baseURL: url, httpAgent, timeout: load.timeoutMs });
        const own = equip(client, { url, httpAgent, timeoutMs: load.timeoutMs });
        return own ?? ((signal) => client.get('/', { signal }));
      });
      const server = control(url);
      const beginsAt = seconds.warmUp + seconds.before;
      const endsAt = beginsAt + seconds.during;

      await server('/reset', size.server);
      const loop = openLoop(load.perSecond, calls);
      await loop.until(beginsAt);
      await server('/workers', size.overload.workers);
      await loop.until(endsAt);
      await server('/workers', size.server.workers);
      await loop.until(endsAt + seconds.after);
      const { made, answered } = loop.end();
      const { sends } = await server('/stats');
      httpAgent.destroy();

      const span = { beginsAt, endsAt, end: endsAt + seconds.after };
      const series = { made: whole(made, span), answered: whole(answered, span), sends: whole(sends, span) };
      const result = figures(series, span, seconds);
      if (chart && size.chart) {
        const text = JSON.stringify({ ...size, ...span, ...series, ...result });
        await writeFile(join(shared.folder, `${name}.json`), text);
      }
      return result;
    },
  });
}

/** Makes calls at random instants, the same ones every time, until `end`; the clients take turns. */
function openLoop(perSecond, calls) {
  const random = seeded(1);
  const abort = new AbortController();
  // Every call listens: that is no leak to warn of.
  setMaxListeners(0, abort.signal);
  const begunAt = performance.now();
  const elapsed = () => performance.now() - begunAt;
  const made = [];
  const answered = [];
  let nextMs = 0;
  let turn = 0;
  let timer;

  const count = (steps) => {
    const step = Math.floor(elapsed() / STEP_MS);
    while (steps.length <= step) steps.push(0);
    steps[step] += 1;
  };
  const next = () => {
    // As many as are due: a timer may be late.
    while (nextMs <= elapsed()) {
      nextMs -= (1_000 * Math.log(1 - random())) / perSecond;
      count(made);
      calls[turn](abort.signal).then(
        () => count(answered),
        () => {},
      );
      turn = (turn + 1) % calls.length;
    }
    timer = setTimeout(next, nextMs - elapsed());
  };
  next();
  return {
    until: (seconds) => after(1_000 * seconds - elapsed()),
    /** Also ends the calls under way. */
    end() {
      clearTimeout(timer);
      const counted = { made: [...made], answered: [...answered] };
      abort.abort();
      return counted;
    },
  };
}

/** Exactly the steps that were measured: nobody counts what does not happen, and the end is never on time. */
function whole(steps, { end }) {
  return Array.from({ length: (1_000 * end) / STEP_MS }, (_, step) => steps[step] ?? 0);
}

function figures({ made, answered, sends }, { beginsAt, endsAt, end }, { warmUp, after }) {
  const total = (steps, from, to) => {
    const between = steps.slice((1_000 * from) / STEP_MS, (1_000 * to) / STEP_MS);
    return between.reduce((sum, number) => sum + number, 0);
  };
  const goodput = (from, to) => (100 * total(answered, from, to)) / total(made, from, to);
  const before = goodput(warmUp, beginsAt);
  const width = (STEPS * STEP_MS) / 1_000;
  let recoveredAt = endsAt;
  while (recoveredAt + width <= end && goodput(recoveredAt, recoveredAt + width) < RECOVERED * before) {
    recoveredAt += STEP_MS / 1_000;
  }
  return {
    before,
    during: goodput(beginsAt, endsAt),
    after: goodput(endsAt, end),
    recoverySeconds: recoveredAt + width <= end ? recoveredAt - endsAt : after,
    sendsPerCall: total(sends, beginsAt, end) / total(made, beginsAt, end),
  };
}

function control(url) {
  return async (path, value) => {
    const init = value === undefined ? {} : { method: 'POST', body: JSON.stringify(value) };
    return (await fetch(`${url}${path}`, init)).json();
  };
}
