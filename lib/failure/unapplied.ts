import { chainOf, codeOf, failedToConnect, fieldsOf } from './code.ts';

/**
 * Was it sent, and may it have been applied? `true` only where the request provably had no effect, so that even a POST may be
 * repeated; whatever is in doubt may have been applied.
 *
 * The proofs: no connection was made; the request never got a socket (a proxy that refused, a full pool); the TLS handshake was
 * not done, before which no byte of HTTP leaves; what was written still waits for the TCP connection; HTTP/2 refused the stream,
 * or never gave it a number (RFC 9113 §8.7).
 *
 * A redirect is not looked for here: what this says is said of the last hop.
 *
 * @param error an error without an answer
 */
export function isUnapplied(error: unknown): boolean {
  if (failedToConnect(error) || UNSENT.has(codeOf(error) ?? '')) return true;
  if (chainOf(error).some(({ message }) => UNSENT_WORDS.test(String(message)))) return true;
  const request = requestOf(error);
  if (request === undefined) return false;
  if ('rstCode' in request) return isRefusedStream(error, request);
  const { socket } = request;
  if (socket === null) return true;
  if (typeof socket !== 'object') return false;
  // Node's own field, and the only one that still tells once the socket is destroyed: what was written before the connection
  // stood, until it stands. Where it is missing, nothing is claimed.
  const { secureConnecting, _pendingData: pending } = socket as { secureConnecting?: unknown; _pendingData?: unknown };
  return secureConnecting === true || (pending !== undefined && pending !== null);
}

/**
 * Whether an answer is not the server's, but of a proxy that would not open a tunnel to it (RFC 9110 §9.3.6), so that the request
 * was never sent: an agent hands it out as if it were the server's, on a socket that was never encrypted nor written to.
 *
 * @param response an answer, or an error that has a `request`
 */
export function isTunnelAnswer(response: unknown): boolean {
  const { protocol, socket } = requestOf(response) ?? {};
  if (protocol !== 'https:' || typeof socket !== 'object' || socket === null) return false;
  const { encrypted, bytesWritten } = socket as { encrypted?: unknown; bytesWritten?: unknown };
  return encrypted !== true && bytesWritten === 0;
}

/** Codes of Node for an HTTP/2 session that was over before the stream was begun. */
const UNSENT: ReadonlySet<string> = new Set([
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_OUT_OF_STREAMS',
]);

/** What only words tell, as under fetch: of Node on TLS, and of undici on a proxy's tunnel. */
const UNSENT_WORDS =
  /Client network socket disconnected before secure TLS connection|^Proxy response \(\d+\) !== 200 when HTTP Tunneling/;

/** NGHTTP2_REFUSED_STREAM. A GOAWAY without error gives it to every stream above its last id. */
const REFUSED_STREAM = 7;

/** What Node's ClientRequest and its HTTP/2 stream have; a mock's or a browser's request has none of it. */
interface NativeRequest {
  readonly protocol?: unknown;
  readonly socket?: unknown;
  readonly rstCode?: unknown;
  readonly pending?: unknown;
}

function isRefusedStream(error: unknown, { rstCode, pending }: NativeRequest): boolean {
  // With an error, GOAWAY ends all streams alike, under its own code.
  return pending === true || (rstCode === REFUSED_STREAM && codeOf(error) !== 'ERR_HTTP2_SESSION_ERROR');
}

/** The native request; follow-redirects, which axios' http adapter uses, keeps it inside of its own. */
function requestOf(error: unknown): NativeRequest | undefined {
  const { request } = fieldsOf(error) as { request?: { _currentRequest?: object } | null };
  const native = request?._currentRequest ?? request;
  return typeof native === 'object' && native !== null ? native : undefined;
}
