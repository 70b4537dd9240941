import type { InternalAxiosRequestConfig } from 'axios';
import { originOf } from '../call/address.ts';
import { headerOf } from '../call/header.ts';
import { type Outcome, responseOf } from '../call/outcome.ts';
import { urlOf } from '../send/redirects.ts';
import { copyOfConfig } from '../send/snapshot.ts';

/** Where an answer says what has become of the request: RFC 9110 §10.2.2, and what Azure's long-running operations have. */
const NAMED_IN = ['location', 'operation-location'];

/**
 * What an answer names to be asked from now on: absolute, and of http or https. `undefined` where it names nothing of that kind.
 *
 * @param sent what it is the answer to, which relative URLs go by where the adapter does not tell who answered
 */
export function pollUrlOf(outcome: Outcome, sent: InternalAxiosRequestConfig): string | undefined {
  const headers = responseOf(outcome)?.headers;
  for (const name of NAMED_IN) {
    const named = headerOf(headers, name);
    const url = named ? (parsed(named) ?? parsed(named, () => urlOf(outcome, sent))) : undefined;
    if (url?.protocol === 'http:' || url?.protocol === 'https:') return url.href;
  }
  return undefined;
}

function parsed(named: string, base?: () => string): URL | undefined {
  try {
    return new URL(named, base?.());
  } catch {
    return undefined;
  }
}

/** What speaks of the body, of one resource or of the method, and so not of what is asked now. */
const OF_ONE_REQUEST = /^(?:content-|if-|transfer-encoding$|expect$|range$|digest$|x-(?:http-)?method)/i;
/** What is shown to nobody else, as with a redirect to another origin. */
const OF_ONE_ORIGIN = new Set(['authorization', 'proxy-authorization', 'cookie', 'host']);

/**
 * The config of a GET that asks what has become of another request: the caller's settings and headers, but nothing of the body. To
 * another origin it takes no credentials along.
 *
 * @param keyHeader the header of the idempotency key: a GET needs none
 */
export function pollConfig(
  config: InternalAxiosRequestConfig,
  url: string,
  keyHeader: string,
): InternalAxiosRequestConfig {
  const asking = copyOfConfig(config);
  const leaves = originOf({ url }) !== originOf(config);
  // `params` are in the URL already, if the server wants them there.
  Object.assign(asking, { method: 'get', url, baseURL: undefined, params: undefined, data: undefined });
  if (leaves) Object.assign(asking, { auth: undefined });
  const secret = new Set(OF_ONE_ORIGIN);
  for (const name of config.sensitiveHeaders ?? []) secret.add(name.toLowerCase());
  for (const name of Object.keys(asking.headers)) {
    const lower = name.toLowerCase();
    if (lower === keyHeader.toLowerCase() || OF_ONE_REQUEST.test(name) || (leaves && secret.has(lower))) {
      delete asking.headers[name];
    }
  }
  return asking;
}
