import axios, { type InternalAxiosRequestConfig } from 'axios';
import { addressOf, originOf } from '../call/address.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { fieldsOf } from '../failure/code.ts';
import { noteFailedConnections, originNotReached } from './failed-connections.ts';

/**
 * Whether a send was redirected on its way, as far as the adapter tells.
 *
 * axios follows redirects inside of one send, so an answer may be that of another request. For instance, a POST was applied and answered
 * with a 303, and the GET behind that got the 429. Then "too many requests", or "connection refused", does not mean that the POST was not
 * applied.
 */
export function wasRedirected(outcome: Outcome, sent: InternalAxiosRequestConfig): boolean {
  const request = responseOf(outcome)?.request ?? (outcome.error as { request?: unknown } | null | undefined)?.request;
  if (typeof request === 'object' && request !== null && 'socket' in request) {
    // axios' http adapter uses follow-redirects. Where the send failed, the request is its own; else it is Node's, of the last hop.
    const { _redirectable, _redirectCount } = request as {
      _redirectable?: { _redirectCount?: unknown };
      _redirectCount?: unknown;
    };
    return Number(_redirectCount ?? _redirectable?._redirectCount ?? 0) > 0;
  }
  if (failedElsewhere(outcome.error, sent)) return true;
  if (typeof request !== 'object' || request === null) return false;
  if (redirectedTo.has(request)) return true;
  // A fetch that could not be watched, since the adapter is a function: it may have been redirected.
  if (typeof sent.adapter === 'function' && typeof Request === 'function' && request instanceof Request) {
    return request.redirect === 'follow';
  }
  // An XMLHttpRequest.
  const { responseURL } = request as { responseURL?: unknown };
  return typeof responseURL === 'string' && responseURL !== '' && !isSame(responseURL, sent);
}

/**
 * Whether a connection failed that was to go elsewhere than the send: so it shows under fetch that a redirect lies between. Where nothing
 * was noted of it (Node before 20.16), another host with the same port can't be told. Not asked under the http adapter, where the
 * connection may be one to a proxy.
 */
function failedElsewhere(error: unknown, sent: InternalAxiosRequestConfig): boolean {
  const origin = originNotReached(error);
  if (origin !== undefined) return origin !== originOf(sent);
  const { cause } = fieldsOf(error);
  const [first = cause] = (fieldsOf(cause) as { errors?: readonly unknown[] }).errors ?? [];
  const { port, hostname } = fieldsOf(first) as { port?: unknown; hostname?: unknown };
  if (port === undefined && hostname === undefined) return false;
  try {
    const url = new URL(addressOf(sent));
    const sentPort = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
    return (typeof port === 'number' && port !== sentPort) || (hostname !== undefined && hostname !== url.hostname);
  } catch {
    return false;
  }
}

/** Whether the answer came from another origin than the send went to, as far as the adapter tells. */
export function leftOrigin(outcome: Outcome, sent: InternalAxiosRequestConfig): boolean {
  const url = urlTold(responseOf(outcome)?.request);
  if (url === undefined) return false;
  try {
    return new URL(url).origin !== originOf(sent);
  } catch {
    return false;
  }
}

/** The URL that answered, behind all redirects, as far as the adapter tells; else the URL that was asked. */
export function urlOf(outcome: Outcome, { baseURL = '', ...sent }: InternalAxiosRequestConfig): string {
  const request = responseOf(outcome)?.request;
  return urlTold(request) ?? redirectedTo.get(request) ?? axios.getUri({ ...sent, baseURL });
}

/** The URL that answered, as a request of Node's http or an XMLHttpRequest tells it. */
function urlTold(request: { res?: { responseUrl?: unknown }; responseURL?: unknown } | undefined): string | undefined {
  const url = request?.res?.responseUrl ?? request?.responseURL;
  return typeof url === 'string' && url !== '' ? url : undefined;
}

/** Whether that is the URL that was asked. The query counts: a 303 often leads to the same path with another query. */
function isSame(responseUrl: string, { baseURL = '', ...sent }: InternalAxiosRequestConfig): boolean {
  try {
    const { origin, pathname, search } = new URL(responseUrl);
    const address = new URL(axios.getUri({ ...sent, baseURL }), responseUrl);
    return origin === address.origin && pathname === address.pathname && search === address.search;
  } catch {
    return false;
  }
}

/** Where fetch was redirected to, by its request: axios keeps the request, and drops what fetch says of redirects. */
const redirectedTo = new WeakMap<object, string>();
const watched = new WeakMap<typeof fetch, typeof fetch>();

/**
 * A config's `env` with a `fetch` that notes redirects, and from then on connections that fail, for axios' fetch adapter. There is one such function for each `fetch`, and no more,
 * since axios keeps what it makes of each.
 */
export function watchingEnv({ env }: InternalAxiosRequestConfig): NonNullable<InternalAxiosRequestConfig['env']> {
  const own = (env?.fetch as typeof fetch | undefined) ?? globalThis.fetch;
  let watching = watched.get(own);
  if (watching === undefined) {
    noteFailedConnections();
    watching = async (input, init) => {
      const response = await own(input, init);
      if (response.redirected && typeof input === 'object') redirectedTo.set(input, response.url);
      return response;
    };
    watched.set(own, watching);
  }
  return { ...env, fetch: watching as never };
}
