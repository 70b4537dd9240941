import type { AxiosRequestConfig } from 'axios';

/** What of a request config says where the call goes. */
type Addressed = Pick<AxiosRequestConfig, 'baseURL' | 'url' | 'allowAbsoluteUrls'>;

const ABSOLUTE = /^([a-z][a-z\d+.-]*:)?\/\//i;
const REMEMBERED = 256;

/** Parsing a URL costs more than the rest of a successful call's bookkeeping, and callers use few origins. */
const origins = new Map<string, string>();

/** The call's URL as axios joins it, without `params`. */
function joined({ baseURL, url, allowAbsoluteUrls }: Addressed): string {
  const path = typeof url === 'string' ? url : '';
  if (typeof baseURL !== 'string' || baseURL === '') return path;
  if (allowAbsoluteUrls !== false && ABSOLUTE.test(path)) return path;
  return path === '' ? baseURL : `${trimEnd(baseURL)}/${path.replace(/^\/+/, '')}`;
}

const trimEnd = (base: string): string => base.replace(/\/?\/$/, '');

/** Where a relative URL points: the page's origin in a browser, nowhere in particular elsewhere. */
const here = (): string => (globalThis as { location?: { origin?: string } }).location?.origin ?? '';

/**
 * The origin a call goes to, for instance `https://api.example.com`: the default key of budgets and limiters.
 * Holds no credentials. An empty string where the config names none (a relative URL outside a browser).
 */
export function originOf(config: Addressed): string {
  const { baseURL, url } = config;
  const absolute = typeof url === 'string' && config.allowAbsoluteUrls !== false && ABSOLUTE.test(url) ? url : baseURL;
  if (typeof absolute !== 'string') return here();
  const slashes = absolute.indexOf('//');
  const path = slashes < 0 ? -1 : absolute.indexOf('/', slashes + 2);
  const authority = path < 0 ? absolute : absolute.slice(0, path);
  let origin = origins.get(authority);
  if (origin === undefined) {
    origin = parsed(authority)?.origin ?? here();
    if (origins.size >= REMEMBERED) origins.clear();
    origins.set(authority, origin);
  }
  return origin;
}

/** Origin and path of a call, fit to be shown: no query, no fragment, no user and password. */
export function addressOf(config: Addressed): string {
  const full = joined(config);
  const url = ABSOLUTE.test(full) ? parsed(full) : undefined;
  if (url !== undefined) return (url.origin === 'null' ? `${url.protocol}//${url.host}` : url.origin) + url.pathname;
  return full.replace(/[?#].*$/s, '').replace(/^([a-z][a-z\d+.-]*:)?\/\/[^/]*@/i, '$1//');
}

function parsed(url: string): URL | undefined {
  try {
    return new URL(url, here() || 'http://localhost');
  } catch {
    return undefined;
  }
}
