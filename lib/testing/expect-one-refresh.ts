import type { Attachment } from '../attach.ts';
import { assertionError } from './assertion.ts';
import { logOf } from './log-of-sends.ts';

/**
 * Proves that the token was refreshed once, however many calls needed it. With several credentials (`auth.key`): once each.
 *
 * @param holdfast what `attachForTest` gave
 * @throws {Error} an `AssertionError` that says how many refreshes there were, when, and why
 *
 * @example
 * const clock = manualClock();
 * const api = scripted(({ headers }) => (headers.authorization === 'Bearer new' ? 200 : 401));
 * const client = axios.create({ baseURL: 'https://api.example.com', adapter: api });
 * const holdfast = attachForTest(client, { auth: { token: () => 'old', refresh: async () => 'new' } }, { clock });
 * await clock.run(Promise.all([client.get('/a'), client.get('/b'), client.get('/c')]));
 * expectOneRefresh(holdfast);
 */
export function expectOneRefresh(holdfast: Attachment): void {
  const { refreshes } = logOf(holdfast, 'expectOneRefresh');
  const keys = new Set(refreshes.map(({ key }) => key));
  if (refreshes.length > 0 && refreshes.length === keys.size) return;
  const [first] = refreshes;
  const each = refreshes.map(
    ({ at, reason, key }) => `${at - Number(first?.at)} ms (${reason}${keys.size > 1 ? `, ${key}` : ''})`,
  );
  const when = each.length === 0 ? 'none' : `${each.length}, at ${each.join(', ')}`;
  throw assertionError(
    `expected one refresh of the token; there were ${when}`.replace('were none', 'was none'),
    refreshes.length,
    1,
  );
}
