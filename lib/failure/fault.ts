import { chainOf, codeOf, failedToConnect, fieldsOf, isFromTimeoutSignal, isTlsCode } from './code.ts';
import { isOwnBodyError } from './own-body.ts';

/** Whose fault it is that no answer came. */
export type Fault =
  /** The network's or the server's: nobody listens, a connection is lost, a certificate is not trusted. */
  | 'network'
  /** This process's: a file, a stream, an option, a bug. It says nothing of the server. */
  | 'local';

/**
 * Whose fault it is that a send failed. `undefined` where it is neither's (the server redirects for ever, an answer is too long), or where
 * nobody can tell (the caller's own adapter gave an error of its own).
 *
 * @param error an error without an answer
 */
export function faultOf(error: unknown): Fault | undefined {
  if (isOwnBodyError(error) || chainOf(error).some(({ name }) => name === 'NotReadableError')) return 'local';
  if (isFromTimeoutSignal(error)) return 'network';
  const code = codeOf(error);
  if (code === undefined || code === 'ERR_NETWORK') return faultByWords(error, code);
  // Asked before the codes: a unix socket that is missing (ENOENT), or a firewall (EPERM), must not be taken for a file.
  if (failedToConnect(error)) return isOutOfFiles(error) ? 'local' : 'network';
  if (BROKEN_OFF.test(String(fieldsOf(error).message))) return 'network';
  if (OF_ANSWERS.has(code)) return undefined;
  if (OF_CLIENTS.has(code)) return 'local';
  if (OF_NETWORKS.has(code) || NETWORK.test(code) || isTlsCode(code)) return 'network';
  // The codes that are left, of the system and of Node, are of files, arguments and bugs. Any other code is of an agent or an adapter.
  if (/^(?:E[A-Z\d]+|ERR_\w+)$/.test(code)) return 'local';
  return wasMade(error) ? 'network' : undefined;
}

/** Whether this process had no file descriptor left to connect with. It is our fault, but a retry may go well. */
export function isOutOfFiles(error: unknown): boolean {
  const code = codeOf(error);
  return (code === 'EMFILE' || code === 'ENFILE') && failedToConnect(error);
}

/** What the system says of connections. By name, since files have codes that begin with `E` too. */
const OF_NETWORKS: ReadonlySet<string> = new Set([
  'EADDRINUSE',
  'EADDRNOTAVAIL',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETRESET',
  'ENETUNREACH',
  'ENOBUFS',
  'ENONET',
  'ENOTCONN',
  'ENOTFOUND',
  'EPIPE',
  'EPROTOTYPE', // macOS, for a write to a socket that is being closed
  'ESHUTDOWN',
  'ESOCKETTIMEDOUT',
  'ETIMEDOUT',
  // of c-ares, which resolves names
  'EBADRESP',
  'ENODATA',
  'EREFUSED',
  'ESERVFAIL',
  'ETIMEOUT',
  // of Node's streams and sockets
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ERR_PROXY_TUNNEL',
  'ERR_SOCKET_CLOSED',
  'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'ERR_SOCKET_TIMEOUT',
  // of its HTTP/2
  'ERR_HTTP2_ERROR',
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_INVALID_STREAM',
  'ERR_HTTP2_OUT_OF_STREAMS',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_CANCEL',
  'ERR_HTTP2_STREAM_ERROR',
]);

/** Families of codes: of names that do not resolve, of browsers, of Node's HTTP parser, of zlib and brotli, of undici. */
const NETWORK = /^(?:EAI_|ERR_NETWORK_|HPE_|Z_|ERR__ERROR_|UND_ERR_)\w+$/;

/** What undici says where it was called wrongly, or closed by its owner. */
const OF_CLIENTS: ReadonlySet<string> = new Set([
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_INVALID_RETURN_VALUE',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

/** An answer came, and can't be used. */
const OF_ANSWERS: ReadonlySet<string> = new Set([
  'ERR_BAD_RESPONSE',
  'ERR_FR_REDIRECTION_FAILURE',
  'ERR_FR_TOO_MANY_REDIRECTS',
]);

/** The words of older versions of axios where an answer broke off. Their code is that of a bad answer. */
const BROKEN_OFF = /^stream has been aborted$/;

/** The words of fetch where the connection is lost: of undici, Chromium, WebKit and Firefox. And axios' own, which axios-mock-adapter uses. */
const LOST = /^(?:fetch failed|terminated|failed to fetch|network error|load failed|NetworkError when attempting)/i;

/** The words of undici's fetch where it was called wrongly and gives no code. */
const MISCALLED = /^(?:bad port|unknown scheme|invalid url|failed to parse url)/i;

/** The errors of bugs in an adapter, and of headers, methods and URLs that can't be, which axios' fetch adapter wraps. */
const BUGS: ReadonlySet<unknown> = new Set(['TypeError', 'ReferenceError', 'RangeError']);

const ENDLESS = /^redirect count exceeded/i;

/**
 * Whose fault an error without a code of its own is. Agents, mocks and proxies give such errors, and bugs do. Where a request was made and
 * no answer came, it is the network's.
 */
function faultByWords(error: unknown, code: string | undefined): Fault | undefined {
  const chain = chainOf(error);
  const says = (words: RegExp) => chain.some(({ message }) => words.test(String(message)));
  if (says(ENDLESS)) return undefined;
  if (says(MISCALLED)) return 'local';
  if (code !== undefined || wasMade(error) || fieldsOf(error).message === 'Network Error') return 'network';
  if (chain.some(({ name, message }) => name === 'TypeError' && LOST.test(String(message)))) return 'network';
  return chain.some(({ name }) => BUGS.has(name)) ? 'local' : undefined;
}

/**
 * Whether axios made a request, and that request failed. Under fetch, axios wraps whatever is thrown once there is a request, also by the
 * caller's `validateStatus`. What fetch itself throws has the code ERR_NETWORK.
 */
function wasMade(error: unknown): boolean {
  const { isAxiosError, code, request } = fieldsOf(error) as {
    isAxiosError?: unknown;
    code?: unknown;
    request?: unknown;
  };
  if (isAxiosError !== true || typeof request !== 'object' || request === null) return false;
  return code === 'ERR_NETWORK' || typeof Request !== 'function' || !(request instanceof Request);
}
