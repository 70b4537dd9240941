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
const CONNECTING: ReadonlySet<unknown> = new Set(['connect', 'getaddrinfo']);

/** Codes that axios-retry's predicate lets pass although a repeat would end the same way. */
const HOPELESS =
  /^(ERR_(BAD_|DEPRECATED|FORM_DATA|FR_|INVALID_|NOT_SUPPORT|SSL_|TLS_)|EPROTO|ERR_HTTP_HEADERS_SENT|ERR_UNESCAPED)/;

/** What undici's fetch says where it gives no code, and a repeat would end the same way. */
const HOPELESS_FETCH = /^(bad port|unknown scheme|redirect count exceeded|invalid url|failed to parse url)/i;

const CANCELLED: Verdict = Object.freeze({ kind: 'cancelled' });

/** Judges an error without a usable answer by its meaning, since its code differs from adapter to adapter. */
export function verdictOfError(error: unknown): Verdict {
  const code = codeOf(error);
  if (code === undefined) return { kind: 'permanent' };
  if (code === 'ERR_CANCELED') return CANCELLED;
  const { cause, syscall, message } = fieldsOf(error);
  const root = cause === undefined ? { syscall, message } : fieldsOf(cause);
  if (NEVER_CONNECTED.has(code) || CONNECTING.has(root.syscall)) {
    return { kind: 'transient', unapplied: true, reason: code };
  }
  if (code === 'ECONNABORTED' || code === 'ETIMEDOUT') return { kind: 'transient', reason: code };
  const hopeless = HOPELESS.test(code) || (code === 'ERR_NETWORK' && HOPELESS_FETCH.test(String(root.message)));
  return { kind: !hopeless && isNetworkError({ code } as never) ? 'transient' : 'permanent', reason: code };
}
