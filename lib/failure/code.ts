/**
 * The code that says what happened. Adapters differ: under fetch, axios says `ERR_NETWORK`, or nothing at all for a body that
 * broke off, and the network's own code stands on a cause.
 */
export function codeOf(error: unknown): string | undefined {
  let found: string | undefined;
  for (const { code } of chainOf(error)) {
    if (typeof code !== 'string') continue;
    if (code !== 'ERR_NETWORK') return code;
    found = code;
  }
  return found;
}

/** Codes of a system, of Node and of undici for a connection that was never made. */
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
  'ERR_PROXY_TUNNEL',
  'ERR_SOCKET_CLOSED_BEFORE_CONNECTION',
  'ERR_SOCKET_CONNECTION_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_PRX_TLS',
]);

/** System calls that come before anything is sent; `queryA` and the like are those of `dns.resolve`. */
const CONNECTING = /^(?:connect|getaddrinfo|socket|bind|query[A-Z]\w*)$/;

/**
 * Whether it failed before there was a connection, by what the error itself says. With a system call, that decides:
 * EHOSTUNREACH may also come from a read, long after the request was written. Where several addresses were tried, each of
 * them must have failed so.
 */
export function failedToConnect(error: unknown): boolean {
  for (const { errors, syscall } of chainOf(error)) {
    if (Array.isArray(errors) && errors.length > 0) return errors.every((each) => CONNECTING.test(syscallOf(each)));
    if (typeof syscall === 'string') return CONNECTING.test(syscall);
  }
  return NEVER_CONNECTED.has(codeOf(error) ?? '');
}

/** What ran out of time: the system's, axios' and undici's codes, and those of `agentkeepalive` and `request`. */
const TIMED_OUT: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'ERR_SOCKET_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Of a signal that `AbortSignal.timeout()` made, by which an adapter or a fetch of the caller's own bounds itself. */
export const isFromTimeoutSignal = (error: unknown): boolean =>
  chainOf(error).some(({ name }) => name === 'TimeoutError');

/** Whether a send ended by running out of time. A system that gives up connecting has found nobody: that is the network's. */
export function isTimeout(error: unknown): boolean {
  if (isFromTimeoutSignal(error)) return true;
  const code = codeOf(error) ?? '';
  // axios also uses ECONNABORTED for a request that the browser broke off.
  if (code === 'ECONNABORTED') return fieldsOf(error).message !== 'Request aborted';
  return TIMED_OUT.has(code) && !failedToConnect(error);
}

/** Codes of OpenSSL and of Node for a handshake that failed and a certificate that nobody trusts. */
const TLS =
  /^(?:EPROTO|ERR_SSL_\w+|ERR_TLS_CERT_\w+|(?:CERT|CRL|DEPTH_ZERO|ERROR_IN|SELF_SIGNED|UNABLE_TO)_\w+|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/;

/** Whether the two sides could not agree on TLS, or one does not trust the other: a repeat would end the same way. */
export const isTlsCode = (code: string): boolean => TLS.test(code);

export interface Fields {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
}

/** An adapter may reject with anything. */
export function fieldsOf(thrown: unknown): Fields {
  return typeof thrown === 'object' && thrown !== null ? thrown : {};
}

/** How many causes deep is looked: a cause may be its own. */
const DEPTH = 3;

/** An error and what caused it, outermost first. */
export function chainOf(error: unknown): readonly Fields[] {
  const chain = [fieldsOf(error)];
  for (let at = chain[0]?.cause; at !== undefined && chain.length <= DEPTH; at = chain.at(-1)?.cause) {
    chain.push(fieldsOf(at));
  }
  return chain;
}

function syscallOf(error: unknown): string {
  const { syscall } = fieldsOf(error);
  return typeof syscall === 'string' ? syscall : '';
}
