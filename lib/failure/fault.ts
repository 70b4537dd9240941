import { chainOf, codeOf, failedToConnect, fieldsOf, isFromTimeoutSignal, isTlsCode } from './code.ts';
import { isOwnBodyError } from './own-body.ts';

/** Whose fault it is that no answer came. */
export type Fault =
  /** The network's, or the server's: nobody listens, a lost connection, a certificate that nobody trusts. */
  | 'network'
  /** Ours: a file or a stream, an option, a bug. It says nothing of the server. */
  | 'local';

/**
 * Whose fault is it? `undefined` where it is nobody's of the two (the server redirects for ever, an answer is too long) or nobody
 * can tell (an adapter of the caller's own gave an error of its own).
 *
 * @param error an error without an answer
 */
export function faultOf(error: unknown): Fault | undefined {
  if (isOwnBodyError(error) || chainOf(error).some(({ name }) => name === 'NotReadableError')) return 'local';
  if (isFromTimeoutSignal(error)) return 'network';
  const code = codeOf(error);
  if (code === undefined || code === 'ERR_NETWORK') return faultByWords(error, code);
  // So a unix socket that is not there, or a firewall that says EPERM, is not taken for a file.
  if (failedToConnect(error)) return isOutOfFiles(error) ? 'local' : 'network';
  if (BROKEN_OFF.test(String(fieldsOf(error).message))) return 'network';
  if (OF_ANSWERS.has(code)) return undefined;
  if (OF_CLIENTS.has(code)) return 'local';
  if (OF_NETWORKS.has(code) || NETWORK.test(code) || isTlsCode(code)) return 'network';
  // What is left of the system's and of Node's is a file's, an argument's, a bug's. Any other is an agent's or an adapter's own.
  if (/^(?:E[A-Z\d]+|ERR_\w+)$/.test(code)) return 'local';
  return wasMade(error) ? 'network' : undefined;
}

/** Whether this process had no descriptor left to connect with: ours, but it passes. */
export function isOutOfFiles(error: unknown): boolean {
  const code = codeOf(error);
  return (code === 'EMFILE' || code === 'ENFILE') && failedToConnect(error);
}

/** Codes of the system for what a connection may come to. Not every `E…`: a file that is missing has one as well. */
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

/** Families of them: of names that do not resolve, of browsers, of Node's parser, zlib and brotli, of undici. */
const NETWORK = /^(?:EAI_|ERR_NETWORK_|HPE_|Z_|ERR__ERROR_|UND_ERR_)\w+$/;

/** Undici's for how it was called, or closed by its owner. */
const OF_CLIENTS: ReadonlySet<string> = new Set([
  'UND_ERR_CLOSED',
  'UND_ERR_DESTROYED',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_INVALID_RETURN_VALUE',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

/** An answer came, and cannot be used. */
const OF_ANSWERS: ReadonlySet<string> = new Set([
  'ERR_BAD_RESPONSE',
  'ERR_FR_REDIRECTION_FAILURE',
  'ERR_FR_TOO_MANY_REDIRECTS',
]);

/** Older versions of axios say so of an answer that broke off, under the code of a bad one. */
const BROKEN_OFF = /^stream has been aborted$/;

/** The words of fetch, whoever has it: undici, Chromium, WebKit, Firefox; and axios' own, as axios-mock-adapter uses them. */
const LOST = /^(?:fetch failed|terminated|failed to fetch|network error|load failed|NetworkError when attempting)/i;

/** What undici's fetch says where it gives no code and was called wrongly. */
const MISCALLED = /^(?:bad port|unknown scheme|invalid url|failed to parse url)/i;

/** An adapter's, and those that axios' fetch adapter wraps: a header, a method or a URL that cannot be. */
const BUGS: ReadonlySet<unknown> = new Set(['TypeError', 'ReferenceError', 'RangeError']);

const ENDLESS = /^redirect count exceeded/i;

/** Agents, mocks and proxies give errors without a code; so does a bug. A request that was made, and no answer, is the network's. */
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
 * Whether axios made a request, and it failed. Under fetch axios wraps whatever is thrown while a request is there, such as the
 * error of a `validateStatus` of the caller's; what fetch itself throws gets the code ERR_NETWORK.
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
