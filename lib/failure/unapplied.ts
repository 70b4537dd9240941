import { chainOf, codeOf, failedToConnect } from './code.ts';
import { nativeRequestOf } from './native-request.ts';

/**
 * Whether the request certainly had no effect, so that even a POST may be repeated. `false` wherever there is a doubt.
 *
 * It had none where
 * - no connection was made;
 * - the request never got a socket: a proxy refused, a pool was full;
 * - the TLS handshake was not complete: no byte of HTTP leaves before that;
 * - what was written still waits for the TCP connection;
 * - HTTP/2 refused the stream, or never gave it a number (RFC 9113 §8.7).
 *
 * This is about the last hop only: whether redirects lie before it is asked elsewhere (`wasRedirected`).
 *
 * @param error an error without an answer
 */
export function isUnapplied(error: unknown): boolean {
  if (failedToConnect(error) || UNSENT.has(codeOf(error) ?? '')) return true;
  if (chainOf(error).some(({ message }) => UNSENT_WORDS.test(String(message)))) return true;
  const request: NativeRequest | undefined = nativeRequestOf(error);
  if (request === undefined) return false;
  if ('rstCode' in request) return isRefusedStream(error, request);
  const { socket } = request;
  if (socket === null) return true;
  if (typeof socket !== 'object') return false;
  // Node's own field, and the only one that still tells once the socket is destroyed. Until the socket is connected, it holds what was
  // written. Where there is no such field, the answer is no.
  const { secureConnecting, _pendingData: pending } = socket as { secureConnecting?: unknown; _pendingData?: unknown };
  return secureConnecting === true || (pending !== undefined && pending !== null);
}

/**
 * Whether an answer came not from the server, but from a proxy that would not open a tunnel to it (RFC 9110 §9.3.6). Then the request was
 * never sent. Some agents hand out the proxy's answer as the server's; its socket was never encrypted, and nothing was written to it.
 *
 * @param response an answer, or an error that has a `request`
 */
export function isTunnelAnswer(response: unknown): boolean {
  const { protocol, socket }: NativeRequest = nativeRequestOf(response) ?? {};
  if (protocol !== 'https:' || typeof socket !== 'object' || socket === null) return false;
  const { encrypted, bytesWritten } = socket as { encrypted?: unknown; bytesWritten?: unknown };
  return encrypted !== true && bytesWritten === 0;
}

/** What Node says where an HTTP/2 session ended before the stream began. */
const UNSENT: ReadonlySet<string> = new Set([
  'ERR_HTTP2_GOAWAY_SESSION',
  'ERR_HTTP2_INVALID_SESSION',
  'ERR_HTTP2_OUT_OF_STREAMS',
]);

/** Where only words tell, as under fetch: Node's words for TLS, and undici's for the tunnel of a proxy. */
const UNSENT_WORDS =
  /Client network socket disconnected before secure TLS connection|^Proxy response \(\d+\) !== 200 when HTTP Tunneling/;

/** NGHTTP2_REFUSED_STREAM. After a GOAWAY without an error, every stream above its last id has it. */
const REFUSED_STREAM = 7;

/** What Node's ClientRequest and its HTTP/2 streams have. The request of a mock or a browser has none of it. */
interface NativeRequest {
  readonly protocol?: unknown;
  readonly socket?: unknown;
  readonly rstCode?: unknown;
  readonly pending?: unknown;
}

function isRefusedStream(error: unknown, { rstCode, pending }: NativeRequest): boolean {
  // A GOAWAY with an error ends all streams, also those that the server has worked on, and each gets the code of the GOAWAY.
  return pending === true || (rstCode === REFUSED_STREAM && codeOf(error) !== 'ERR_HTTP2_SESSION_ERROR');
}
