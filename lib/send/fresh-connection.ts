import { type Outcome, responseOf } from '../call/outcome.ts';
import { codeOf } from '../failure/code.ts';
import { nativeRequestOf } from '../failure/native-request.ts';

/**
 * Connections that lie idle in a pool may have been given up by the other side, which nobody notices before the next request. Such a
 * loss says nothing of the server, and those that lie beside it are likely to be lost too.
 */

/** What a request comes to whose connection had been given up. */
const RESET: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'EPROTOTYPE']);

/** The part of Node's `http.ClientRequest` that is used here. */
interface NativeRequest {
  readonly reusedSocket?: boolean;
  readonly host?: string;
  readonly agent?: {
    readonly defaultPort?: number;
    readonly freeSockets?: { readonly [name: string]: readonly { destroy(): unknown }[] | undefined };
  };
  /** Of follow-redirects, which axios' http adapter uses: what it makes a hop with. */
  readonly _redirectable?: { readonly _options?: { readonly port?: unknown } };
}

/**
 * Whether a send is worth repeating on a fresh connection: it was lost on a reused one, or the server says that it came by the wrong
 * one (RFC 9110 §15.5.20). Only where Node's own request can be seen; under fetch and xhr the pool is not ours.
 */
export function wantsFreshConnection(outcome: Outcome): boolean {
  const response = responseOf(outcome);
  if (response !== undefined) return response.status === 421 && requestOf(outcome)?.agent !== undefined;
  return requestOf(outcome)?.reusedSocket === true && RESET.has(codeOf(outcome.error) ?? '');
}

/** Destroys the connections that lie idle beside that of the send, in its agent and for its host, so that the next one is new. */
export function destroyIdle(outcome: Outcome): void {
  const { agent, host, _redirectable: redirectable } = requestOf(outcome) ?? {};
  if (agent?.freeSockets === undefined || host === undefined) return;
  // A pool's names begin with host and port. A bare request does not know its port.
  const port = redirectable && (redirectable._options?.port || agent.defaultPort);
  const prefix = port === undefined ? `${host}:` : `${host}:${String(port)}:`;
  for (const [name, sockets] of Object.entries(agent.freeSockets)) {
    if (name.startsWith(prefix)) for (const socket of [...(sockets ?? [])]) socket.destroy();
  }
}

const requestOf = (outcome: Outcome): NativeRequest | undefined =>
  nativeRequestOf(responseOf(outcome) ?? outcome.error);
