/** The work that is the same for every candidate: a steady load on an API that fails, and what came of it. */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import axios, { AxiosError } from 'axios';
import { systemClock } from '../../dist/wait/clock.js';
import { seeded } from '../adaptive/seeded.js';
import { HandMovedClock } from './hand-moved-clock.js';

const LATENCY_MS = 20;

/**
 * A candidate's `setup`. `equip(client, { clock, random, retries, oneBudget })` attaches what is measured, or gives another
 * way to make a call than `client.get(url)`.
 */
export function amplificationOf(equip) {
  let round = 0;
  return ({ case: scenario, size, shared }) => ({
    run() {
      round += 1;
      const seconds = size.seconds[scenario.lasts];
      return scenario.overHttp
        ? inRealTime(equip, { ...scenario, seconds }, shared.url)
        : simulated(equip, { ...scenario, seconds }, round);
    },
  });
}

async function simulated(equip, { perSecond, seconds, wellSeconds = 0, failing, retries, oneBudget }, seed) {
  const clock = new HandMovedClock();
  const random = seeded(2 * seed);
  const fate = seeded(2 * seed + 1);
  const origins = failing.map((likely, index) => ({ url: `http://origin-${index}.test/`, likely }));
  const failsFrom = clock.now() + 1_000 * wellSeconds;
  let sends = 0;

  /** Whether a send fails is settled when it leaves. */
  const adapter = (config) => {
    const origin = origins.find(({ url }) => url === config.url);
    const isCounted = clock.now() >= failsFrom;
    if (isCounted && origin === origins[0]) sends += 1;
    const fails = isCounted && fate() < origin.likely;
    return new Promise((resolve, reject) => {
      clock.after(LATENCY_MS, () => (fails ? reject(unavailable(config)) : resolve(answer(200, config))));
    });
  };

  const restore = clock.install(random);
  try {
    const client = axios.create({ adapter });
    const call = equip(client, { clock, random, retries, oneBudget }) ?? ((url) => client.get(url));
    const callAll = (from) =>
      steadily(clock, { from, perSecond, seconds: from === failsFrom ? seconds : wellSeconds }, () =>
        origins.map(({ url }) => call(url)),
      );
    if (wellSeconds > 0) await clock.runUntil(callAll(clock.now()));
    const settled = (await clock.runUntil(callAll(failsFrom))).map(([first]) => first);
    return figures(settled, sends);
  } finally {
    restore();
  }
}

async function inRealTime(equip, { perSecond, seconds, retries }, server) {
  const httpAgent = new http.Agent({ keepAlive: true });
  const url = `${server}/${randomUUID()}`;
  const client = axios.create({ httpAgent });
  const clock = systemClock;
  const call = equip(client, { clock, random: Math.random, retries }) ?? ((address) => client.get(address));
  const settled = await steadily(clock, { from: clock.now(), perSecond, seconds }, () => [call(`${url}/`)]);
  httpAgent.destroy();
  const sends = await (await fetch(`${url}/sends`)).json();
  return figures(
    settled.map(([only]) => only),
    sends,
  );
}

/** Makes calls in equal intervals, whatever becomes of them; resolves when the last has settled, to what each settled to. */
function steadily(clock, { from, perSecond, seconds }, begin) {
  const count = perSecond * seconds;
  const settled = [];
  return new Promise((resolve) => {
    const next = () => {
      settled.push(Promise.allSettled(begin()));
      if (settled.length === count) resolve(Promise.all(settled));
      else wait();
    };
    const wait = () => clock.after(from + (1_000 * settled.length) / perSecond - clock.now(), next);
    wait();
  });
}

function figures(settled, sends) {
  const succeeded = settled.filter(({ status }) => status === 'fulfilled').length;
  return { sendsPerCall: sends / settled.length, success: (100 * succeeded) / settled.length };
}

const answer = (status, config) => ({ status, statusText: '', headers: {}, config, request: {}, data: '' });

function unavailable(config) {
  const message = 'Request failed with status code 503';
  return new AxiosError(message, AxiosError.ERR_BAD_RESPONSE, config, {}, answer(503, config));
}
