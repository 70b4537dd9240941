import { isNetworkError } from 'axios-retry';
import { codeOf, fieldsOf } from '../failure/code.ts';
import type { Verdict } from '../model/verdict.ts';

/** Codes of the system and of undici for a connection that was never made, so that nothing was sent over it. */
const NEVER_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ENETUNREACH',
  'ENETDOWN',
  'EHOSTUNREACH',
  'EHOSTDOWN',
  'EADDRNOTAVAIL',
  'EMFILE',
  'ENFILE',
  'UND_ERR_CONNECT_TIMEOUT',
]);

/** System calls that come before anything is sent. */
const CONNECTING: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo', 'socket']);

/** What the network's codes look like: of the system, of Node's streams and sockets, of its parser, zlib and brotli, of undici. */
const NETWORK = /^(E[A-Z\d]+|(ERR_(NETWORK|STREAM_|HTTP2_|SOCKET_)|HPE_|UND_ERR_|Z_|ERR__ERROR_)\w*)$/;

/** Those among them after which a repeat would end the same way. axios-retry's predicate knows the rest: bad certificates. */
const HOPELESS: ReadonlySet<string> = new Set([
  'EPROTO',
  'HPE_HEADER_OVERFLOW',
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
]);

/** What undici's fetch says where it gives no code, and a repeat would end the same way. */
const HOPELESS_FETCH = /^(bad port|unknown scheme|redirect count exceeded|invalid url|failed to parse url)/i;

const CANCELLED: Verdict = Object.freeze({ kind: 'cancelled' });

/** Judges an error without a usable answer by its meaning, since its code differs from adapter to adapter. */
export function verdictOfError(error: unknown): Verdict {
  const code = codeOf(error);
  // axios-mock-adapter's network errors have axios' words, but no code.
  if (code === undefined) return { kind: fieldsOf(error).message === 'Network Error' ? 'transient' : 'permanent' };
  if (code === 'ERR_CANCELED') return CANCELLED;
  const { cause, syscall, message } = fieldsOf(error);
  const root = cause === undefined ? { syscall, message } : fieldsOf(cause);
  // With a system call, that decides: EHOSTUNREACH may also come from a read, long after the request was written.
  if (root.syscall === undefined ? NEVER_CONNECTED.has(code) : CONNECTING.has(root.syscall)) {
    return { kind: 'transient', unapplied: true, reason: code };
  }
  // axios-retry's predicate does not count axios' own timeout among the network's errors.
  if (code === 'ECONNABORTED') return { kind: 'transient', reason: code };
  const hopeless =
    !NETWORK.test(code) || HOPELESS.has(code) || (code === 'ERR_NETWORK' && HOPELESS_FETCH.test(String(root.message)));
  return { kind: !hopeless && isNetworkError({ code } as never) ? 'transient' : 'permanent', reason: code };
}
