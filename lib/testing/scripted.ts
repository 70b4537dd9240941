import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import { isPlain, shown } from '../check.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { worldOf } from './world.ts';

/**
 * What a send gets:
 *
 * - a status, with an empty body
 * - an answer. A plain object or a list as `data` goes through JSON, as over a network. It comes after `delayMs` (by the clock; 0);
 *   `Infinity` is never
 * - `drop`: no answer, but an AxiosError with this code, as of a connection that is lost (`'ECONNRESET'`) or refused (`'ECONNREFUSED'`)
 * - an error, which is thrown as it is
 * - a function that gives one of these for this send
 */
export type ScriptedAnswer =
  | number
  | {
      readonly status: number;
      readonly headers?: { readonly [name: string]: string | readonly string[] } | undefined;
      readonly data?: unknown;
      readonly delayMs?: number | undefined;
    }
  | { readonly drop: string; readonly delayMs?: number | undefined }
  | Error
  | ((send: ScriptedSend, config: InternalAxiosRequestConfig) => ScriptedAnswer);

/** One answer for every send, or a list: one after the other, and then none. */
export type ScriptedAnswers = ScriptedAnswer | readonly ScriptedAnswer[];

/** Answers by route: `'GET /orders'`, `'/orders'` for every method, `'/orders/*'` for all below it. The first that fits counts. */
export interface ScriptedRoutes {
  readonly [route: `${string}/${string}`]: ScriptedAnswers;
}

/** What was sent. Frozen. */
export interface ScriptedSend {
  /** Counts from 1. */
  readonly n: number;
  /** When, in ms since the epoch, by the clock. */
  readonly at: number;
  /** Upper case. */
  readonly method: string;
  /** The whole URL, with its query. */
  readonly url: string;
  /** Without origin and query. */
  readonly path: string;
  /** By names in lower case. */
  readonly headers: { readonly [name: string]: string };
  /** The body as it goes over the wire: JSON is text here. */
  readonly data: unknown;
}

/** An adapter that answers from a script, and knows what it was sent. */
export interface Scripted extends AxiosAdapter {
  readonly sends: readonly ScriptedSend[];
  /** The instants of the sends, in ms from the first. */
  readonly sentAt: readonly number[];
}

export interface ScriptedOptions {
  /**
   * What delays and instants go by. By default that of `attachForTest`, where this is the adapter of the instance by then; else the
   * platform's, which fake timers move.
   */
  readonly clock?: Pick<Clock, 'now' | 'wall' | 'after'> | undefined;
}

/**
 * An adapter whose sends never leave the process: they are answered from a script, as axios' own adapters would (`validateStatus`, `timeout`
 * and `signal` hold). A send that the script has no answer for fails, and is not retried.
 *
 * @example
 * const api = scripted([503, { drop: 'ECONNRESET' }, { status: 200, data: { id: 7 } }]);
 * const client = axios.create({ baseURL: 'https://api.example.com', adapter: api });
 *
 * @example
 * const api = scripted({
 *   'POST /token': { status: 200, data: { token: 'new' } },
 *   '/orders/*': ({ headers }) => (headers.authorization === 'Bearer new' ? 200 : 401),
 * });
 */
export function scripted(script: ScriptedAnswers | ScriptedRoutes, options: ScriptedOptions = {}): Scripted {
  const routes = routesOf(script);
  const sends: ScriptedSend[] = [];
  const by = { clock: options.clock ?? systemClock };
  const adapter = async (config: InternalAxiosRequestConfig): Promise<AxiosResponse> => {
    const send = sendOf(config, sends.length + 1, by.clock);
    sends.push(send);
    let answer = nextOf(routes, send);
    while (typeof answer === 'function') answer = answer(send, config);
    if (answer instanceof Error) throw answer;
    requireAnswer(answer, send);
    const { delayMs = 0, ...rest } = typeof answer === 'number' ? { status: answer } : answer;
    if (delayMs > 0) await delay(delayMs, config, by.clock);
    if ('drop' in rest) throw new AxiosError(rest.drop, rest.drop, config, {});
    return settle(rest, config);
  };
  if (options.clock === undefined) unbound.set(adapter, by);
  return Object.defineProperties(adapter, {
    sends: { get: () => [...sends] },
    sentAt: { get: () => sends.map(({ at }) => at - (sends[0]?.at ?? at)) },
  }) as Scripted;
}

/** Has a scripted adapter that was given no clock go by this one. Anything else stays as it is. */
export function bindTo(clock: Clock, adapter: unknown): void {
  const by = typeof adapter === 'function' ? unbound.get(adapter) : undefined;
  if (by !== undefined) by.clock = clock;
}

const unbound = new WeakMap<object, { clock: Pick<Clock, 'now' | 'wall' | 'after'> }>();

interface Route {
  readonly name: string;
  fits(send: ScriptedSend): boolean;
  /** Those that are left, or the one for every send. */
  readonly answers: ScriptedAnswer[] | Exclude<ScriptedAnswer, readonly unknown[]>;
  readonly length: number;
}

function routesOf(script: ScriptedAnswers | ScriptedRoutes): readonly Route[] {
  const everything = !isPlain(script) || 'status' in script || 'drop' in script;
  if (everything) return [routeOf('', script as ScriptedAnswers)];
  return Object.entries(script as ScriptedRoutes).map(([name, answers]) => routeOf(name, answers));
}

function routeOf(name: string, given: ScriptedAnswers): Route {
  const list: readonly ScriptedAnswer[] | undefined = Array.isArray(given) ? given : undefined;
  const [, method, pattern = '*'] = /^(?:([A-Za-z]+) +)?(\S+)$/.exec(name) ?? [];
  const [base = '', star] = pattern.split(/(\*)$/);
  return {
    name,
    answers: list === undefined ? (given as ScriptedAnswer) : [...list],
    length: list?.length ?? Number.POSITIVE_INFINITY,
    fits: (send) => {
      if (method !== undefined && method.toUpperCase() !== send.method) return false;
      const at = /^[a-z]+:/i.test(base) ? send.url.replace(/\?.*$/s, '') : send.path;
      return star === undefined ? at === base : at.startsWith(base);
    },
  };
}

function nextOf(routes: readonly Route[], send: ScriptedSend): ScriptedAnswer {
  const route = routes.find((each) => each.fits(send));
  const what = `${send.method} ${send.url}`;
  if (route === undefined) {
    throw new Error(`the script has no route for ${what}; it has ${routes.map(({ name }) => name).join(', ')}`);
  }
  if (!Array.isArray(route.answers)) return route.answers;
  const answer = route.answers.shift();
  if (answer !== undefined) return answer;
  const where = route.name === '' ? '' : ` for ${route.name}`;
  throw new Error(`the script has ${route.length} answers${where}, and none is left for ${what} (send ${send.n})`);
}

/** A mistake in a script is told as that, and not as an odd answer. */
function requireAnswer(answer: unknown, { method, url }: ScriptedSend): void {
  const {
    status,
    drop,
    delayMs = 0,
  } = (typeof answer === 'number' ? { status: answer } : (answer ?? {})) as {
    status?: unknown;
    drop?: unknown;
    delayMs?: unknown;
  };
  const isAnswer =
    typeof drop === 'string' || (Number.isInteger(status) && Number(status) >= 100 && Number(status) < 1_000);
  if (isAnswer && typeof delayMs === 'number' && delayMs >= 0) return;
  const what = isAnswer
    ? `delayMs: ${shown(delayMs)}`
    : isPlain(answer)
      ? `{ ${Object.keys(answer).join(', ')} }`
      : shown(answer);
  throw new TypeError(
    `the script has a wrong answer for ${method} ${url}: a status, or an object with a status or a drop, and delayMs from 0; got ${what}`,
  );
}

function sendOf(config: InternalAxiosRequestConfig, n: number, clock: Pick<Clock, 'now'>): ScriptedSend {
  const url = axios.getUri(config);
  const headers = Object.entries(AxiosHeaders.from(config.headers).toJSON(true));
  return Object.freeze({
    n,
    at: clock.now(),
    method: String(config.method ?? 'get').toUpperCase(),
    url,
    path: new URL(url, 'http://localhost').pathname,
    headers: Object.freeze(Object.fromEntries(headers.map(([name, value]) => [name.toLowerCase(), String(value)]))),
    data: config.data,
  });
}

/** Waits as long as axios' adapters would. */
function delay(
  ms: number,
  config: InternalAxiosRequestConfig,
  clock: Pick<Clock, 'now' | 'wall' | 'after'>,
): Promise<void> {
  const world = worldOf(clock);
  const { signal, transitional } = config;
  const timeoutMs = Number(config.timeout) > 0 ? Number(config.timeout) : Number.POSITIVE_INFINITY;
  return new Promise((resolve, reject) => {
    const end = (settleIt: () => void) => () => {
      stop();
      signal?.removeEventListener?.('abort', cancel);
      world.scripted -= 1;
      settleIt();
    };
    const code = transitional?.clarifyTimeoutError ? AxiosError.ETIMEDOUT : AxiosError.ECONNABORTED;
    const message = config.timeoutErrorMessage || `timeout of ${timeoutMs}ms exceeded`;
    // axios makes a CanceledError of it.
    const cancel = end(() => reject(new AxiosError('canceled', AxiosError.ERR_CANCELED, config)));
    const late = end(() => reject(new AxiosError(message, code, config, {})));
    const stop = ms <= timeoutMs ? clock.after(ms, end(resolve)) : clock.after(timeoutMs, late);
    world.scripted += 1;
    if (signal?.aborted) cancel();
    else signal?.addEventListener?.('abort', cancel);
  });
}

interface Answer {
  readonly status: number;
  readonly headers?: { readonly [name: string]: string | readonly string[] } | undefined;
  readonly data?: unknown;
}

/** What axios' own adapters do with an answer. */
function settle({ status, headers = {}, data = '' }: Answer, config: InternalAxiosRequestConfig): AxiosResponse {
  const isJson = isPlain(data) || Array.isArray(data);
  const response: AxiosResponse = {
    status,
    statusText: '',
    headers: new AxiosHeaders({
      ...(isJson && { 'content-type': 'application/json' }),
      ...(headers as { [name: string]: string }),
    }),
    config,
    data: isJson ? JSON.stringify(data) : data,
    request: {},
  };
  if (!config.validateStatus || config.validateStatus(status)) return response;
  const code = status >= 500 ? AxiosError.ERR_BAD_RESPONSE : AxiosError.ERR_BAD_REQUEST;
  throw new AxiosError(`Request failed with status code ${status}`, code, config, {}, response);
}
