/**
 * One server, some processes with workers that always have a next request, five minutes. A discrete-event simulation:
 * nothing waits, and the same seed gives the same result.
 *
 * A process drives its control the way that the library's limiter does: whoever wants to send queues up; the head of the
 * queue asks `nextAt`, leaves if it has come, else one timer is set; after every answer the head asks again.
 *
 * A control, as `lib/limit/adaptive/rate.ts` has it:
 *
 *   nextAt(now)                  the earliest instant for the next send; Infinity: not before an answer
 *   sent(now) → tag              it leaves
 *   answered(now, tag, answer)   { throttled, untilAt }
 *   delaysOnlyRefused?           it lets others send before a named time: only the refused request waits
 */
import { Agenda } from './agenda.js';
import { seeded } from './seeded.js';
import { servers } from './servers.js';

const COLD_MS = 60_000;
const END_MS = 300_000;
/** One-way latency in ms, from and to; uniform in between. */
const ONE_WAY_MS = [5, 30];
/** Goodput is judged in steps of so many ms, and a change has been followed when as many steps as this are good. */
const STEP_MS = 500;
const STEPS = 10;

/**
 * @param newControl makes the control of one process
 * @param scenario   see the cases in benchmark.js
 * @returns what the server saw: goodput relative to what it offers, the share refused, and so on; all finite
 */
export function simulate(newControl, scenario, seed) {
  const { perSecond, changes = [], stranger = 0, processes = 1, workers = 32, oneWayMs = ONE_WAY_MS } = scenario;
  const random = seeded(seed);
  const agenda = new Agenda();
  const oneWay = () => oneWayMs[0] + (oneWayMs[1] - oneWayMs[0]) * random();
  const perMs = perSecond / 1_000;
  const server = new servers[scenario.server]({ ...scenario, perMs, phase: random() });
  const seen = new Seen(processes);

  for (const { atMs, factor } of changes) {
    agenda.at(atMs, () => {
      server.perMs = perMs * factor;
    });
  }
  if (stranger > 0) visit(agenda, server, stranger * perMs, random);
  for (let i = 0; i < processes; i++) {
    const note = (isRefused, isEarly) => seen.note(agenda.now, i, isRefused, isEarly);
    const process = new Process({ agenda, server, control: newControl(scenario), random, oneWay, note });
    process.start(workers / processes);
  }
  agenda.runUntil(END_MS);
  return seen.summary(perMs * (1 - stranger), changes);
}

/** Somebody else who draws on the same quota, at random instants, and never tries again. */
function visit(agenda, server, perMs, random) {
  const next = () => {
    server.ask(agenda.now);
    agenda.at(agenda.now - Math.log(1 - random()) / perMs, next);
  };
  agenda.at(-Math.log(1 - random()) / perMs, next);
}

class Process {
  #queue = [];
  #timer = 0;
  #namedAt = 0;

  constructor(parts) {
    Object.assign(this, parts);
  }

  start(workers) {
    this.agenda.at(this.oneWay(), () => {
      for (let i = 0; i < workers; i++) this.#queue.push(i);
      this.#leave();
    });
  }

  /** What the process's clock shows: whole ms. */
  #clock() {
    return Math.floor(this.agenda.now);
  }

  #leave() {
    this.#timer += 1;
    while (this.#queue.length > 0) {
      const nextAt = this.control.nextAt(this.#clock());
      if (nextAt > this.#clock()) {
        if (nextAt < Infinity) this.#wakeAt(nextAt, this.#timer);
        return;
      }
      this.#send(this.#queue.shift());
    }
  }

  /** A timer of Node fires after whole ms, and up to one later. */
  #wakeAt(at, timer) {
    const afterMs = Math.max(1, Math.ceil(at - this.#clock()));
    this.agenda.at(this.agenda.now + afterMs + this.random(), () => {
      if (timer === this.#timer) this.#leave();
    });
  }

  #send(worker) {
    const tag = this.control.sent(this.#clock());
    const isEarly = this.#clock() < this.#namedAt;
    const { agenda, server } = this;
    agenda.at(agenda.now + this.oneWay(), () => {
      const seconds = server.ask(agenda.now);
      this.note(seconds > 0, isEarly);
      const quota = server.quota?.(agenda.now);
      agenda.at(agenda.now + this.oneWay(), () => this.#answered(worker, tag, seconds, quota));
    });
  }

  #answered(worker, tag, seconds, quota) {
    const now = this.#clock();
    const untilAt = seconds > 0 ? now + 1_000 * seconds : undefined;
    this.control.answered(now, tag, { throttled: seconds > 0, untilAt, quota });
    if (untilAt !== undefined) this.#namedAt = Math.max(this.#namedAt, untilAt);
    if (untilAt !== undefined && this.control.delaysOnlyRefused) {
      this.agenda.at(this.agenda.now + 1_000 * seconds + this.random(), () => {
        this.#queue.unshift(worker);
        this.#leave();
      });
    } else {
      this.#queue.push(worker);
    }
    this.#leave();
  }
}

/** What reached the server. */
class Seen {
  #admitted = new Float64Array(END_MS / STEP_MS);
  #refused = new Float64Array(END_MS / STEP_MS);
  #early = 0;
  #byProcess;

  constructor(processes) {
    this.#byProcess = new Float64Array(processes);
  }

  note(now, process, refused, early) {
    const step = Math.min(Math.floor(now / STEP_MS), this.#admitted.length - 1);
    if (refused) this.#refused[step] += 1;
    else {
      this.#admitted[step] += 1;
      if (now >= COLD_MS) this.#byProcess[process] += 1;
    }
    if (early) this.#early += 1;
  }

  summary(perMs, changes) {
    const cold = COLD_MS / STEP_MS;
    const all = sum(this.#admitted) + sum(this.#refused);
    return {
      ...share('cold', this.#admitted.subarray(0, cold), this.#refused.subarray(0, cold), perMs),
      ...share('warm', this.#admitted.subarray(cold), this.#refused.subarray(cold), perMs * meanFactor(changes)),
      down: this.#followed(perMs, changes[0]),
      up: this.#followed(perMs, changes[1]),
      early: (100 * this.#early) / all,
      fair: Math.min(...this.#byProcess) / Math.max(...this.#byProcess),
    };
  }

  /** Seconds after the change until five seconds together are at 0.9 of the new quota, at most the whole rest. */
  #followed(perMs, change) {
    if (change === undefined) return 0;
    const from = change.atMs / STEP_MS;
    for (let step = from; step + STEPS <= this.#admitted.length; step++) {
      const admitted = sum(this.#admitted.subarray(step, step + STEPS));
      if (admitted >= 0.9 * perMs * change.factor * STEPS * STEP_MS) return ((step - from) * STEP_MS) / 1_000;
    }
    return (END_MS - change.atMs) / 1_000;
  }
}

/** What the quota is in the mean after the cold minute, relative to what it was at first. */
function meanFactor(changes) {
  let [total, from, factor] = [0, COLD_MS, 1];
  for (const change of changes) {
    total += factor * (change.atMs - from);
    [from, factor] = [change.atMs, change.factor];
  }
  return (total + factor * (END_MS - from)) / (END_MS - COLD_MS);
}

function share(name, admitted, refused, perMs) {
  const good = sum(admitted);
  const bad = sum(refused);
  return {
    [`${name}Goodput`]: (100 * good) / (perMs * STEP_MS * admitted.length),
    [`${name}Refused`]: good + bad === 0 ? 0 : (100 * bad) / (good + bad),
  };
}

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
