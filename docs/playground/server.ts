/** The server of the playground, as an adapter of axios: it throttles, fails and expires tokens by its options, or as a family does. */
import axios, {
  type AxiosAdapter,
  AxiosError,
  AxiosHeaders,
  type AxiosResponse,
  type InternalAxiosRequestConfig,
} from 'axios';
import type { Send, ServerOptions } from './scenario.ts';
import { type StandIn, standInOf } from './stand-in.ts';
import { virtualNow } from './virtual-time.ts';

export interface ModelServer {
  readonly adapter: AxiosAdapter;
  readonly sends: readonly Send[];
  readonly calls: StandIn['calls'];
  /** A token that is good from now on. */
  grant(): Promise<{ value: string; expiresAt: number }>;
}

export function modelServer(options: ServerOptions): ModelServer {
  const sends: Send[] = [];
  const granted = new Map<string, number>();
  const server = options.family === '' ? serverOf(options, granted) : standInOf(options.family);

  const answer = (config: InternalAxiosRequestConfig) => {
    const now = virtualNow();
    if (now >= options.outageFromMs && now < options.outageToMs) return { status: 503, isRefused: false };
    const { pathname, search } = new URL(axios.getUri(config));
    const headers = Object.entries(config.headers.toJSON()).map(([name, value]) => [name.toLowerCase(), String(value)]);
    return server.answer({
      method: (config.method ?? 'get').toUpperCase(),
      url: pathname + search,
      headers: Object.fromEntries(headers),
      body: String(config.data ?? ''),
    });
  };

  const half = () => (options.latencyMs / 2) * (0.8 + 0.4 * Math.random());
  const adapter: AxiosAdapter = async (config) => {
    const fromMs = virtualNow();
    await later(half());
    const { status, headers, body = '', isRefused }: Answered = answer(config);
    const date = new Date().toUTCString();
    await later(half());
    sends.push({ call: Number(config.headers.get('X-Call') ?? -1), fromMs, toMs: virtualNow(), status, isRefused });
    const response: AxiosResponse = {
      status,
      statusText: '',
      headers: new AxiosHeaders({ date, 'content-type': 'application/json', ...headers }),
      data: typeof body === 'string' ? body : JSON.stringify(body),
      config,
      request: {},
    };
    if (status < 400) return response;
    const code = status < 500 ? AxiosError.ERR_BAD_REQUEST : AxiosError.ERR_BAD_RESPONSE;
    throw new AxiosError(`Request failed with status code ${status}`, code, config, {}, response);
  };

  return {
    adapter,
    sends,
    calls: server.calls,
    async grant() {
      await later(options.latencyMs);
      const value = `token-${granted.size + 1}`;
      const expiresAt = virtualNow() + options.tokenLifeMs;
      granted.set(value, expiresAt);
      return { value, expiresAt: Date.now() + options.tokenLifeMs };
    },
  };
}

type Answered = ReturnType<StandIn['answer']>;

/** The server that the form describes. */
function serverOf(options: ServerOptions, granted: ReadonlyMap<string, number>): StandIn {
  const quota = quotaOf(options);
  return {
    calls: [{ method: 'get', url: '/things' }],
    answer({ headers: { authorization = '' } }) {
      const now = virtualNow();
      if (options.tokenLifeMs > 0 && (granted.get(String(authorization).replace('Bearer ', '')) ?? -1) < now) {
        return { status: 401, headers: { 'www-authenticate': 'Bearer' }, isRefused: false };
      }
      const { admitted, left, resetMs } = quota(now);
      const headers: Record<string, string> = {};
      if (options.headers === 'ratelimit') {
        headers['x-ratelimit-limit'] = String(options.requests);
        headers['x-ratelimit-remaining'] = String(left);
        headers['x-ratelimit-reset'] = String(Math.ceil(resetMs / 1_000));
      }
      if (!admitted && options.headers !== 'none') headers['retry-after'] = String(Math.ceil(resetMs / 1_000));
      return { status: admitted ? 200 : 429, headers, body: '{}', isRefused: !admitted };
    },
  };
}

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Asked of every request that has come. */
type Quota = (nowMs: number) => { readonly admitted: boolean; readonly left: number; readonly resetMs: number };

function quotaOf({ quota, requests, perMs }: ServerOptions): Quota {
  if (quota === 'fixed') {
    let window = -1;
    let count = 0;
    return (now) => {
      if (Math.floor(now / perMs) !== window) {
        window = Math.floor(now / perMs);
        count = 0;
      }
      const admitted = count < requests;
      if (admitted) count += 1;
      return { admitted, left: requests - count, resetMs: (window + 1) * perMs - now };
    };
  }
  if (quota === 'sliding') {
    let times: number[] = [];
    return (now) => {
      times = times.filter((at) => at > now - perMs);
      const admitted = times.length < requests;
      if (admitted) times.push(now);
      return { admitted, left: requests - times.length, resetMs: (times[0] ?? now) + perMs - now };
    };
  }
  if (quota === 'bucket') {
    let tokens = requests;
    let at = 0;
    return (now) => {
      tokens = Math.min(requests, tokens + ((now - at) * requests) / perMs);
      at = now;
      const admitted = tokens >= 1;
      if (admitted) tokens -= 1;
      return { admitted, left: Math.floor(tokens), resetMs: Math.max(0, ((1 - tokens) * perMs) / requests) };
    };
  }
  return () => ({ admitted: true, left: requests, resetMs: 0 });
}
