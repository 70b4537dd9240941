import { chainOf } from '../failure/code.ts';

interface DiagnosticsChannel {
  subscribe?(name: string, listener: (message: unknown) => void): void;
}

/** The part of undici's message that is used here. */
interface ConnectError {
  readonly connectParams?: { readonly protocol?: unknown; readonly host?: unknown };
  readonly error?: unknown;
}

/** The origin of each connection that undici could not make, by its error. */
const origins = new WeakMap<object, string>();
let isNoting = false;

/**
 * Has it noted from now on which origin undici, which is Node's fetch, could not connect to: its errors name an address and a port, and that
 * may be anybody's. It costs nothing until a connection fails.
 */
export function noteFailedConnections(): void {
  if (isNoting) return;
  isNoting = true;
  // By `getBuiltinModule` and not by an import, which bundlers for the browser would follow.
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
  const diagnostics = process?.getBuiltinModule?.('node:diagnostics_channel') as DiagnosticsChannel | undefined;
  diagnostics?.subscribe?.('undici:client:connectError', (message) => {
    const { connectParams, error } = message as ConnectError;
    if (typeof error !== 'object' || error === null) return;
    // Through the tunnel of a proxy it is told twice, of the proxy and then of the origin behind it: the last counts.
    origins.set(error, `${String(connectParams?.protocol)}//${String(connectParams?.host)}`);
  });
}

/** Which origin could not be connected to, where that has been noted. */
export function originNotReached(error: unknown): string | undefined {
  for (const each of chainOf(error)) {
    const origin = origins.get(each);
    if (origin !== undefined) return origin;
  }
  return undefined;
}
