/** The work that is the same for every candidate: calls to an API that fails, and what came of them. */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import axios, { AxiosError } from 'axios';
import { systemClock } from '../../build/time/clock.js';
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

async function simulated(equip, scenario, seed) {
  const { failing = [0], failingSends = 0, wellSeconds = 0, outSeconds = 0, retries, oneBudget } = scenario;
  const clock = new HandMovedClock();
  const random = seeded(2 * seed);
  const fate = seeded(2 * seed + 1);
  const origins = failing.map((likely, index) => ({ url: `http://origin-${index}.test`, likely }));
  const wellUntil = clock.now() + 1_000 * wellSeconds;
  const sendsOf = new Map();

  /** Whether a send fails is settled when it leaves. Every call has a URL of its own. */
  const adapter = (config) => {
    const origin = origins.find(({ url }) => config.url.startsWith(url));
    const earlier = sendsOf.get(config.url) ?? 0;
    sendsOf.set(config.url, earlier + 1);
    const fails = clock.now() >= wellUntil && (earlier < failingSends || fate() < origin.likely);
    return new Promise((resolve, reject) => {
      clock.after(LATENCY_MS, () => (fails ? reject(unavailable(config)) : resolve(answer(200, config))));
    });
  };

  const restore = clock.install(random);
  try {
    const client = axios.create({ adapter });
    const get = equip(client, { clock, random, retries, oneBudget }) ?? ((url) => client.get(url));
    const begin = (number) => Promise.allSettled(origins.map(({ url }) => get(`${url}/${number}`)));
    const settled = await clock.runUntil(makeCalls(scenario, clock, begin));
    const notCounted = (scenario.perSecond ?? 0) * (wellSeconds + outSeconds);
    const sends = settled.map((_, number) => sendsOf.get(`${origins[0].url}/${number}`));
    return figures(settled.slice(notCounted), sum(sends.slice(notCounted)));
  } finally {
    restore();
  }
}

/** As the scenario has it; resolves when the last has settled, to what each settled to. */
async function makeCalls({ atOnce, inTurn, perSecond, seconds, wellSeconds = 0, outSeconds = 0 }, clock, begin) {
  if (atOnce !== undefined) return Promise.all(Array.from({ length: atOnce }, (_, number) => begin(number)));
  if (inTurn === undefined) return steadily(clock, { perSecond, seconds: wellSeconds + outSeconds + seconds }, begin);
  const settled = [];
  while (settled.length < inTurn) settled.push(await begin(settled.length));
  return settled;
}

async function inRealTime(equip, { perSecond, seconds, retries }, server) {
  const httpAgent = new http.Agent({ keepAlive: true });
  const url = `${server}/${randomUUID()}`;
  const client = axios.create({ httpAgent });
  const get = equip(client, { clock: systemClock, random: Math.random, retries }) ?? ((address) => client.get(address));
  const settled = await steadily(systemClock, { perSecond, seconds }, () => Promise.allSettled([get(`${url}/`)]));
  httpAgent.destroy();
  const sends = await (await fetch(`${url}/sends`)).json();
  return figures(settled, sends);
}

/** Makes calls in equal intervals, whatever becomes of them; resolves when the last has settled, to what each settled to. */
function steadily(clock, { perSecond, seconds }, begin) {
  const from = clock.now();
  const count = perSecond * seconds;
  const settled = [];
  return new Promise((resolve) => {
    const next = () => {
      settled.push(begin(settled.length));
      if (settled.length === count) resolve(Promise.all(settled));
      else wait();
    };
    const wait = () => clock.after(from + (1_000 * settled.length) / perSecond - clock.now(), next);
    wait();
  });
}

/** The figures are those of the first origin. */
function figures(settled, sends) {
  const succeeded = settled.filter(([{ status }]) => status === 'fulfilled').length;
  return { sendsPerCall: sends / settled.length, success: (100 * succeeded) / settled.length };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

const answer = (status, config) => ({ status, statusText: '', headers: {}, config, request: {}, data: '' });

function unavailable(config) {
  const message = 'Request failed with status code 503';
  return new AxiosError(message, AxiosError.ERR_BAD_RESPONSE, config, {}, answer(503, config));
}
