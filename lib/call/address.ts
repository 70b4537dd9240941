import type { AxiosRequestConfig } from 'axios';

/** What of a request config says where the call goes. axios' http adapter takes a `URL` too, whatever the typings say. */
type Addressed = Pick<AxiosRequestConfig, 'baseURL' | 'url' | 'allowAbsoluteUrls'>;

const ABSOLUTE = /^([a-z][a-z\d+.-]*:)?\/\//i;
const USUAL = /^([a-z][a-z\d+.-]*:)?\/\/[^/\\]/i;
/** What `new URL` leaves out, wherever it stands. */
export const LEFT_OUT = /[\t\r\n]/g;
const REMEMBERED = 256;

/** Parsing a URL costs more than the rest of a successful call's bookkeeping, and callers use few base URLs. */
const origins = new Map<string, string>();
let lastBase: string | undefined;
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

/** Where a relative URL points: the page's origin in a browser, nowhere in particular elsewhere. */
const here = (): string => (globalThis as { location?: { origin?: string } }).location?.origin ?? '';

/**
 * The origin a call goes to, for instance `https://api.example.com`: the default key of budgets and limiters.
 * Holds no credentials. An empty string where the config names none (a relative URL outside a browser).
 */
export function originOf(config: Addressed): string {
  const { baseURL, allowAbsoluteUrls } = config;
  const url = textOf(config.url);
  const ownWay = url !== undefined && (allowAbsoluteUrls !== false || !baseURL) && ABSOLUTE.test(url);
  const absolute = ownWay ? url : baseURL;
  if (typeof absolute !== 'string') return here();
  if (absolute !== lastBase) {
    lastOrigin = lookedUp(absolute);
    lastBase = absolute;
  }
  return lastOrigin;
}

function lookedUp(absolute: string): string {
  const slashes = absolute.indexOf('//');
  const path = slashes < 0 ? -1 : absolute.indexOf('/', slashes + 2);
  const authority = path < 0 ? absolute : absolute.slice(0, path);
  let origin = origins.get(authority);
  if (origin === undefined) {
    origin = originIn(authority);
    if (origins.size >= REMEMBERED) origins.clear();
    origins.set(authority, origin);
  }
  return origin;
}

/** Origin and path of a call, fit to be shown: no query, no fragment, no user and password. */
export function addressOf(config: Addressed): string {
  const full = joined(config).replace(LEFT_OUT, '');
  const end = full.search(/[?#]/);
  const address = end < 0 ? full : full.slice(0, end);
  if (!USUAL.test(address)) return withoutUser(address);
  const path = address.indexOf('/', address.indexOf('//') + 2);
  return path < 0 ? `${originOf(config)}/` : originOf(config) + address.slice(path);
}

/** Takes out user and password where only `new URL` takes a URL for absolute: after a blank, or with too few or too many slashes. */
function withoutUser(address: string): string {
  const first = segmentAt(address, 0);
  const at = first.lastIndexOf('@');
  const colon = first.indexOf(':');
  if (colon >= 0 && colon < at) return address.slice(at + 1);
  const slashes = /^[/\\]*/.exec(address.slice(first.length))?.[0].length ?? 0;
  if (!first.endsWith(':') && !(first === '' && slashes >= 2)) return address;
  const begin = first.length + slashes;
  // Up to a slash alone: a backslash ends no authority where the scheme is none of the web's.
  const [authority = ''] = address.slice(begin).split('/', 1);
  return address.slice(authority.includes('@') ? begin + authority.lastIndexOf('@') + 1 : 0);
}

function segmentAt(address: string, begin: number): string {
  const length = address.slice(begin).search(/[/\\]/);
  return length < 0 ? address.slice(begin) : address.slice(begin, begin + length);
}

/** The origin is what tells calls apart: where there is none (`file:`, nonsense), the empty string. */
function originIn(authority: string): string {
  try {
    const { origin } = new URL(authority, here() || undefined);
    return origin === 'null' ? '' : origin;
  } catch {
    return here();
  }
}
