import { type Outcome, responseOf } from '../call/outcome.ts';
import { codeOf } from '../failure/code.ts';
import { nativeRequestOf } from '../failure/native-request.ts';

// The other side may close a connection that is idle in a pool, and nobody notices before the next request. Such a loss says nothing of the
// server, and the connections that are idle beside it have probably been closed too.

/** The codes of a request whose connection had been closed by the other side. */
const RESET: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'EPROTOTYPE']);

/** The part of Node's `http.ClientRequest` that is used here. */
interface NativeRequest {
  readonly reusedSocket?: boolean;
  readonly host?: string;
  readonly agent?: {
    readonly defaultPort?: number;
    readonly freeSockets?: { readonly [name: string]: readonly { destroy(): unknown }[] | undefined };
  };
  /** Of follow-redirects, which axios' http adapter uses: the options that it makes a hop with. */
  readonly _redirectable?: { readonly _options?: { readonly port?: unknown } };
}

/**
 * Whether a send should be repeated at once on a fresh connection: it was lost on a reused one, or the server says that this is the wrong
 * connection for it (421, RFC 9110 §15.5.20). Only where Node's own request can be seen: fetch and xhr have a pool that we can't reach.
 */
export function wantsFreshConnection(outcome: Outcome): boolean {
  const response = responseOf(outcome);
  if (response !== undefined) return response.status === 421 && requestOf(outcome)?.agent !== undefined;
  return requestOf(outcome)?.reusedSocket === true && RESET.has(codeOf(outcome.error) ?? '');
}

/** Destroys the idle connections to the same host in the agent of the send, so that the next send makes a new one. */
export function destroyIdle(outcome: Outcome): void {
  const { agent, host, _redirectable: redirectable } = requestOf(outcome) ?? {};
  if (agent?.freeSockets === undefined || host === undefined) return;
  // The names in a pool begin with host and port. Without follow-redirects (`maxRedirects: 0`) the request does not tell its port.
  const port = redirectable && (redirectable._options?.port || agent.defaultPort);
  const prefix = port === undefined ? `${host}:` : `${host}:${String(port)}:`;
  for (const [name, sockets] of Object.entries(agent.freeSockets)) {
    if (name.startsWith(prefix)) for (const socket of [...(sockets ?? [])]) socket.destroy();
  }
}

const requestOf = (outcome: Outcome): NativeRequest | undefined =>
  nativeRequestOf(responseOf(outcome) ?? outcome.error);
