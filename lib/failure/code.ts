/**
 * The code that says what happened: the first of an error and its causes that is not `ERR_NETWORK`. Adapters differ. Under fetch, axios
 * says `ERR_NETWORK`, or nothing where a body broke off, and the network's own code stands on a cause.
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

/** As `codeOf`; of what Redis answers, which clients give no code, the word in capitals that it begins with: `READONLY`, `LOADING`. */
export function storeCodeOf(error: unknown): string | undefined {
  return codeOf(error) ?? /^[A-Z]{2,}(?= )/.exec(String((error as Error | undefined)?.message))?.[0];
}

/** What the system, Node and undici say where no connection was made. */
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

/** System calls that come before anything is sent. `queryA` and the like are those of `dns.resolve`. */
const CONNECTING = /^(?:connect|getaddrinfo|socket|bind|query[A-Z]\w*)$/;

/**
 * Whether the error itself says that no connection was made, so that nothing was sent.
 *
 * Where it names a system call, that decides, and not the code: a `read` may fail with EHOSTUNREACH too, long after the request was
 * written. Where several addresses were tried, each of them must have failed while connecting.
 */
export function failedToConnect(error: unknown): boolean {
  for (const { errors, syscall } of chainOf(error)) {
    if (Array.isArray(errors) && errors.length > 0) return errors.every((each) => CONNECTING.test(syscallOf(each)));
    if (typeof syscall === 'string') return CONNECTING.test(syscall);
  }
  return NEVER_CONNECTED.has(codeOf(error) ?? '');
}

/** What axios, the system, undici, and the packages `agentkeepalive` and `request` say where time ran out. */
const TIMED_OUT: ReadonlySet<string> = new Set([
  'ETIMEDOUT',
  'ESOCKETTIMEDOUT',
  'ERR_SOCKET_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
]);

/** Whether a signal of `AbortSignal.timeout()` ended it: the caller's own adapter or fetch may bound itself by one. */
export const isFromTimeoutSignal = (error: unknown): boolean =>
  chainOf(error).some(({ name }) => name === 'TimeoutError');

/**
 * Whether time ran out for a send. Not where the system gave up connecting, although its code is ETIMEDOUT: then nobody was there, which
 * is the network's failure.
 */
export function isTimeout(error: unknown): boolean {
  if (isFromTimeoutSignal(error)) return true;
  const code = codeOf(error) ?? '';
  // axios uses ECONNABORTED for a timeout, and for a request that the browser broke off.
  if (code === 'ECONNABORTED') return fieldsOf(error).message !== 'Request aborted';
  return TIMED_OUT.has(code) && !failedToConnect(error);
}

/** What OpenSSL and Node say where a handshake failed or a certificate is not trusted. */
const TLS =
  /^(?:EPROTO|ERR_SSL_\w+|ERR_TLS_CERT_\w+|(?:CERT|CRL|DEPTH_ZERO|ERROR_IN|SELF_SIGNED|UNABLE_TO)_\w+|INVALID_(?:CA|PURPOSE)|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED)$/;

/** Whether the two sides could not agree on TLS, or one does not trust the other. A repeat would end the same way. */
export const isTlsCode = (code: string): boolean => TLS.test(code);

interface Fields {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly cause?: unknown;
  readonly errors?: unknown;
  readonly syscall?: unknown;
  readonly message?: unknown;
}

/** The fields of what was thrown, which may be anything: an adapter may reject with a string. */
export function fieldsOf(thrown: unknown): Fields {
  return typeof thrown === 'object' && thrown !== null ? thrown : {};
}

/** Most causes that are looked at, one behind the other. There must be an end: an error may be its own cause. */
const MAX_CAUSES = 3;

/** An error and what caused it, outermost first. */
export function chainOf(error: unknown): readonly Fields[] {
  const chain = [fieldsOf(error)];
  for (let at = chain[0]?.cause; at !== undefined && chain.length <= MAX_CAUSES; at = chain.at(-1)?.cause) {
    chain.push(fieldsOf(at));
  }
  return chain;
}

function syscallOf(error: unknown): string {
  const { syscall } = fieldsOf(error);
  return typeof syscall === 'string' ? syscall : '';
}
