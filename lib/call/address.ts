import type { AxiosRequestConfig } from 'axios';

/** What of a request config says where the call goes. axios' http adapter takes a `URL` too, whatever the typings say. */
type Addressed = Pick<AxiosRequestConfig, 'baseURL' | 'url' | 'allowAbsoluteUrls'>;

/**
 * The origin that a call goes to, for instance `https://api.example.com`: the default key of budgets, limiters and breakers.
 *
 * It holds no user and no password. A relative URL has the page's origin in a browser, and the empty string elsewhere; so has a URL
 * without an origin (`file:`, nonsense).
 */
export function originOf(config: Addressed): string {
  const { baseURL, allowAbsoluteUrls } = config;
  const url = textOf(config.url);
  const ignoresBase = url !== undefined && (allowAbsoluteUrls !== false || !baseURL) && ABSOLUTE.test(url);
  const absolute = ignoresBase ? url : baseURL;
  if (typeof absolute !== 'string') return pageOrigin();
  if (absolute !== lastUrl) {
    lastOrigin = cachedOrigin(absolute);
    lastUrl = absolute;
  }
  return lastOrigin;
}

/** Origin and path of a call, fit to be shown: no query, no fragment, no user and password. */
export function addressOf(config: Addressed): string {
  const full = joined(config).replace(REMOVED_BY_URL, '');
  const end = full.search(/[?#]/);
  const address = end < 0 ? full : full.slice(0, end);
  if (!USUAL.test(address)) return withoutUser(address);
  const path = address.indexOf('/', address.indexOf('//') + 2);
  return path < 0 ? `${originOf(config)}/` : originOf(config) + address.slice(path);
}

/** Tabs and line breaks: `new URL` removes them, wherever they stand in a URL. */
export const REMOVED_BY_URL = /[\t\r\n]/g;

const ABSOLUTE = /^([a-z][a-z\d+.-]*:)?\/\//i;
/** Absolute, with exactly two slashes before the host. */
const USUAL = /^([a-z][a-z\d+.-]*:)?\/\/[^/\\]/i;

/** Most origins that are kept. */
const MAX_ORIGINS = 256;

/** Origins by scheme and authority. To parse a URL costs more than all else that a successful call needs, and callers use few of them. */
const origins = new Map<string, string>();
let lastUrl: string | undefined;
let lastOrigin = '';

/** The call's URL as axios joins it, without `params`. */
function joined({ baseURL, url, allowAbsoluteUrls }: Addressed): string {
  const path = textOf(url) ?? '';
  if (typeof baseURL !== 'string' || baseURL === '') return path;
  if (allowAbsoluteUrls !== false && ABSOLUTE.test(path)) return path;
  return path === '' ? baseURL : `${trimEnd(baseURL)}/${path.replace(/^\/+/, '')}`;
}

const textOf = (url: unknown): string | undefined =>
  typeof url === 'string' ? url : url instanceof URL ? url.href : undefined;

const trimEnd = (base: string): string => base.replace(/\/?\/$/, '');

const pageOrigin = (): string => (globalThis as { location?: { origin?: string } }).location?.origin ?? '';

function cachedOrigin(absolute: string): string {
  const slashes = absolute.indexOf('//');
  const path = slashes < 0 ? -1 : absolute.indexOf('/', slashes + 2);
  const authority = path < 0 ? absolute : absolute.slice(0, path);
  let origin = origins.get(authority);
  if (origin === undefined) {
    origin = parsedOrigin(authority);
    if (origins.size >= MAX_ORIGINS) origins.clear();
    origins.set(authority, origin);
  }
  return origin;
}

function parsedOrigin(authority: string): string {
  try {
    const { origin } = new URL(authority, pageOrigin() || undefined);
    return origin === 'null' ? '' : origin;
  } catch {
    return pageOrigin();
  }
}

/**
 * Takes user and password out of a URL that is not written in the usual way. `new URL` takes some more for absolute: with a blank before
 * it, with one slash after the scheme, with three.
 */
function withoutUser(address: string): string {
  const first = segmentAt(address, 0);
  const at = first.lastIndexOf('@');
  const colon = first.indexOf(':');
  if (colon >= 0 && colon < at) return address.slice(at + 1);
  const slashes = /^[/\\]*/.exec(address.slice(first.length))?.[0].length ?? 0;
  if (!first.endsWith(':') && !(first === '' && slashes >= 2)) return address;
  const begin = first.length + slashes;
  // Only a slash ends the authority for sure: a backslash does so in schemes of the web only (http, https, ws …).
  const [authority = ''] = address.slice(begin).split('/', 1);
  return address.slice(authority.includes('@') ? begin + authority.lastIndexOf('@') + 1 : 0);
}

function segmentAt(address: string, begin: number): string {
  const length = address.slice(begin).search(/[/\\]/);
  return length < 0 ? address.slice(begin) : address.slice(begin, begin + length);
}
