import { Credential, type CredentialPorts } from '../../lib/auth/credential.ts';
import { Life } from '../../lib/auth/life.ts';
import type { AuthOptions, RefreshContext, Token } from '../../lib/auth/options.ts';
import type { Beginner, Unauthorized } from '../../lib/auth/refresh.ts';
import { memoryTokenStore } from '../../lib/auth/stores/memory.ts';
import { isRetryable } from '../../lib/classify/is-retryable.ts';
import { gate } from './guarded.ts';
import { ManualClock } from './manual-clock.ts';
import { DEFAULTS } from './policies.ts';

/** What a call brings to a refresh, where it tells nobody of it. */
export const quiet: Beginner = {
  http: undefined as never,
  isRetryable,
  refreshing: () => {},
  refreshed: () => {},
  refreshFailed: () => {},
};

/** What calls do with a credential, each of which brings the same. */
export const usedBy = (subject: Credential, beginner: Beginner = quiet) => ({
  currentToken: async () => subject.currentToken(beginner),
  tokenIfFresh: async () => subject.tokenIfFresh(),
  replace: (refused: string, unauthorized: Unauthorized) => subject.replace(refused, unauthorized, beginner),
  refused: (value: string) => subject.refused(value),
  isRefusedAnew: (value: string) => subject.isRefusedAnew(value),
  secrets: () => subject.secrets,
});

/** A credential whose time, token and refreshes are in the test's hand. */
export function credential(options: Partial<AuthOptions> = {}, ports: Partial<CredentialPorts & Beginner> = {}) {
  const clock = new ManualClock();
  const life = new Life();
  const events: string[] = [];
  const session: { token: Token | string | undefined } = { token: 'a' };
  const flights: (ReturnType<typeof gate<Token | string | undefined>> & { context: RefreshContext })[] = [];
  const real = new Credential(
    'key',
    {
      ...DEFAULTS.auth,
      retry: { retries: 2, minTimeout: 0 },
      token: () => session.token,
      refresh: (context) => {
        const flight = { ...gate<Token | string | undefined>(), context };
        flights.push(flight);
        return flight.promise;
      },
      ...options,
    } as ConstructorParameters<typeof Credential>[1],
    { clock, store: memoryTokenStore(), life, keep: () => {}, ...(ports.store && { store: ports.store }) },
  );
  const subject = usedBy(real, {
    ...quiet,
    refreshing: (_key, reason) => void events.push(`refreshing ${reason}`),
    refreshed: () => void events.push('refreshed'),
    refreshFailed: () => void events.push('refresh-failed'),
    ...ports,
  });
  return { subject, real, clock, life, events, session, flights };
}

export const NOTHING = { challenges: [], api: undefined };
