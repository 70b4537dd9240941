import { getEventListeners } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import { type Clock, systemClock } from '../../../lib/time/clock.ts';
import type { AdapterName } from '../../support/attached.ts';
import { settle } from '../../support/manual-clock.ts';

/** Long enough for the last `close` to have come on a machine that is busy, in ms; nothing is made of how long it took. */
const PATIENCE_MS = 2_000;

/** The system's clock, whose timers are counted, and which can be put forward. */
export class CountedClock implements Clock {
  private ahead = 0;
  private readonly timers = new Set<{ readonly at: number; readonly fire: () => void; readonly stop: () => void }>();

  now(): number {
    return systemClock.now() + this.ahead;
  }

  wall(): number {
    return systemClock.wall() + this.ahead;
  }

  after(ms: number, fire: () => void): () => void {
    const once = () => {
      this.timers.delete(timer);
      fire();
    };
    const timer = { at: this.now() + ms, fire: once, stop: systemClock.after(ms, once) };
    this.timers.add(timer);
    return () => {
      timer.stop();
      this.timers.delete(timer);
    };
  }

  /** Timers that have not fired and were not taken back. */
  get pending(): number {
    return this.timers.size;
  }

  /** Has so much time pass at once. */
  pass(ms: number): void {
    this.ahead += ms;
    const due = [...this.timers].filter(({ at }) => at <= this.now()).sort((a, b) => a.at - b.at);
    for (const timer of due) {
      timer.stop();
      timer.fire();
    }
  }
}

/** The connections of one client, kept alive, and how they are given to axios. */
export interface Pool {
  readonly config: object;
  /** Requests that somebody still waits for. */
  busy(): number;
  destroy(): Promise<void>;
}

export async function poolFor(adapter: AdapterName): Promise<Pool> {
  if (adapter === 'fetch') return undiciPool();
  const httpAgent = new http.Agent({ keepAlive: true });
  const httpsAgent = new https.Agent({ keepAlive: true });
  return {
    config: { httpAgent, httpsAgent },
    busy: () =>
      [httpAgent, httpsAgent]
        .flatMap(({ sockets, requests }) => [...Object.values(sockets), ...Object.values(requests)])
        .reduce((sum, list) => sum + (list?.length ?? 0), 0),
    async destroy() {
      httpAgent.destroy();
      httpsAgent.destroy();
    },
  };
}

/** What Node's own fetch sends through unless it is told otherwise is one for the whole process; this is another one of its kind. */
async function undiciPool(): Promise<Pool> {
  await fetch('data:,'); // only the first use of fetch loads undici
  const shared = Reflect.get(globalThis, Symbol.for('undici.globalDispatcher.1')) as object;
  const dispatcher = Reflect.construct(shared.constructor as new () => object, []) as { destroy(): Promise<void> };
  const running = symbolOf(dispatcher, 'running');
  return {
    config: { fetchOptions: { dispatcher } },
    busy: () => Number(Reflect.get(dispatcher, running)),
    destroy: () => dispatcher.destroy(),
  };
}

function symbolOf(object: object, description: string): symbol {
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((symbol) => symbol.description === description);
    if (found !== undefined) return found;
  }
  throw new Error(`this undici has no ${description}`);
}

const handles = (): readonly unknown[] =>
  (process as unknown as { _getActiveHandles(): readonly unknown[] })._getActiveHandles();

const timeouts = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;

/** What the process holds now. Taken before a call, it tells what that has left behind. */
export class Holdings {
  private readonly before = new Set(handles());
  private readonly timeouts = timeouts();

  /** Sockets and timers that keep the process alive and were not there before. */
  since(): { readonly sockets: number; readonly timers: number } {
    const sockets = handles().filter((handle) => handle instanceof Socket && !this.before.has(handle)).length;
    return { sockets, timers: Math.max(0, timeouts() - this.timeouts) };
  }
}

export const listenersOn = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

/** Gives what is left when nothing more goes away: nothing at all, as a rule. */
export async function leftOf(count: () => Readonly<Record<string, number>>): Promise<Readonly<Record<string, number>>> {
  const left = () => Object.fromEntries(Object.entries(count()).filter(([, number]) => number !== 0));
  for (const until = Date.now() + PATIENCE_MS; Date.now() < until; await settle()) {
    if (Object.keys(left()).length === 0) break;
  }
  return left();
}
