import axios, { type InternalAxiosRequestConfig } from 'axios';
import { addressOf, originOf } from '../call/address.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { fieldsOf } from '../failure/code.ts';

/**
 * Whether a send was redirected on its way.
 *
 * axios follows redirects inside one send, so an answer may come from another request than the one that was made: the POST
 * may have been carried out and the GET behind its 303 been throttled. Then nothing that the answer says of itself
 * ("too many requests", "connection refused") says that the POST was not applied.
 */
export function wasRedirected(outcome: Outcome, sent: InternalAxiosRequestConfig): boolean {
  const request = responseOf(outcome)?.request ?? (outcome.error as { request?: unknown } | null | undefined)?.request;
  if (typeof request === 'object' && request !== null && 'socket' in request) {
    // Of follow-redirects, which axios' http adapter uses: its own request where it failed, else the last native one.
    const { _redirectable, _redirectCount } = request as {
      _redirectable?: { _redirectCount?: unknown };
      _redirectCount?: unknown;
    };
    return Number(_redirectCount ?? _redirectable?._redirectCount ?? 0) > 0;
  }
  if (failedElsewhere(outcome.error, sent)) return true;
  if (typeof request !== 'object' || request === null) return false;
  if (redirectedTo.has(request)) return true;
  // Of a fetch that could not be watched, because a function was given as the adapter: nobody can tell.
  if (typeof sent.adapter === 'function' && typeof Request === 'function' && request instanceof Request) {
    return request.redirect === 'follow';
  }
  // Of an XMLHttpRequest.
  const { responseURL } = request as { responseURL?: unknown };
  return typeof responseURL === 'string' && responseURL !== '' && !isSame(responseURL, sent);
}

/**
 * Under fetch, a connection that was refused behind a redirect can only be told by where it was to go. Another host behind
 * the same port is not told apart. Not asked of the http adapter, where it may be a proxy that was refused.
 */
function failedElsewhere(error: unknown, sent: InternalAxiosRequestConfig): boolean {
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
  const { request } = (responseOf(outcome) ?? {}) as {
    request?: { res?: { responseUrl?: unknown }; responseURL?: unknown };
  };
  const url = request?.res?.responseUrl ?? request?.responseURL;
  if (typeof url !== 'string' || url === '') return false;
  try {
    return new URL(url).origin !== originOf(sent);
  } catch {
    return false;
  }
}

/** Which URL answered, behind all redirects, as far as the adapter tells; else the one that was asked. */
export function urlOf(outcome: Outcome, { baseURL = '', ...sent }: InternalAxiosRequestConfig): string {
  const { request } = (responseOf(outcome) ?? {}) as {
    request?: { res?: { responseUrl?: unknown }; responseURL?: unknown };
  };
  const url = request?.res?.responseUrl ?? request?.responseURL ?? (request && redirectedTo.get(request));
  return typeof url === 'string' && url !== '' ? url : axios.getUri({ ...sent, baseURL });
}

/** With the query: where a POST's 303 leads is often the same path with another one. */
function isSame(responseUrl: string, { baseURL = '', ...sent }: InternalAxiosRequestConfig): boolean {
  try {
    const { origin, pathname, search } = new URL(responseUrl);
    const address = new URL(axios.getUri({ ...sent, baseURL }), responseUrl);
    return origin === address.origin && pathname === address.pathname && search === address.search;
  } catch {
    return false;
  }
}

/** Requests that fetch was redirected on, and where to. axios keeps the request and drops what fetch says of it. */
const redirectedTo = new WeakMap<object, string>();
const watched = new WeakMap<typeof fetch, typeof fetch>();

/** The settings by which axios' fetch adapter lets us see redirects. One function for each fetch, since axios keeps them. */
export function watchingEnv({ env }: InternalAxiosRequestConfig): NonNullable<InternalAxiosRequestConfig['env']> {
  const own = (env?.fetch as typeof fetch | undefined) ?? globalThis.fetch;
  let watching = watched.get(own);
  if (watching === undefined) {
    watching = async (input, init) => {
      const response = await own(input, init);
      if (response.redirected && typeof input === 'object') redirectedTo.set(input, response.url);
      return response;
    };
    watched.set(own, watching);
  }
  return { ...env, fetch: watching as never };
}
