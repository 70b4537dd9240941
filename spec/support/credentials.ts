import { Credential, type CredentialPorts } from '../../lib/auth/credential.ts';
import { memoryTokenStore } from '../../lib/auth/memory-token-store.ts';
import type { AuthOptions, RefreshContext, Token } from '../../lib/auth/options.ts';
import { mayPass } from '../../lib/classify/may-pass.ts';
import { DEFAULTS } from '../../lib/policy/defaults.ts';
import { gate } from './guarded.ts';
import { ManualClock } from './manual-clock.ts';

/** A credential whose time, token and refreshes are in the test's hand. */
export function credential(options: Partial<AuthOptions> = {}, ports: Partial<CredentialPorts> = {}) {
  const clock = new ManualClock();
  const events: string[] = [];
  const session: { token: Token | string | undefined } = { token: 'a' };
  const flights: (ReturnType<typeof gate<Token | string>> & { context: RefreshContext })[] = [];
  const subject = new Credential(
    'key',
    {
      ...DEFAULTS.auth,
      retry: { retries: 2, minTimeout: 0 },
      token: () => session.token,
      refresh: (context) => {
        const flight = { ...gate<Token | string>(), context };
        flights.push(flight);
        return flight.promise;
      },
      ...options,
    } as ConstructorParameters<typeof Credential>[1],
    {
      clock,
      store: memoryTokenStore(),
      keep: () => {},
      http: undefined as never,
      mayPass,
      refreshing: (_key, reason) => void events.push(`refreshing ${reason}`),
      refreshed: () => void events.push('refreshed'),
      refreshFailed: () => void events.push('refresh-failed'),
      ...ports,
    },
  );
  return { subject, clock, events, session, flights };
}

export const NOTHING = { challenges: [], api: undefined };
