import { failureOf, type Policy, type RefreshContext } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf } from '../support/attached.ts';
import { Guarded } from '../support/guarded.ts';

/** A call that is answered 401 with such a challenge. */
async function challengedBy(challenge: string, policy: Policy = {}, adapter: 'http' | 'fetch' = 'http') {
  const guarded = new Guarded();
  guarded.challenge = challenge;
  const auth = {
    ...guarded.auth,
    refresh: async (context: RefreshContext) => `${guarded.grant(context)}-that-is-refused`,
  };
  const { server, client } = await attached(guarded.answer, { auth, ...policy }, { adapter });
  const error = await axiosErrorOf(client.get('/x'));
  return { failure: failureOf(error), refreshes: guarded.refreshes.length, sends: server.seen.length };
}

const NONCE = 'DPoP error="use_dpop_nonce", error_description="Authorization server requires nonce in DPoP proof"';
const STEP_UP = 'Bearer error="insufficient_user_authentication", acr_values="myACR", max_age="5"';

describe.each(ADAPTERS)('what no fresh token cures is not refreshed, over %s', (adapter) => {
  it.each([
    ['a missing nonce (RFC 9449)', NONCE],
    ['a sign-in that is too weak or too old (RFC 9470)', STEP_UP],
    ['a missing scope (RFC 6750)', 'Bearer error="insufficient_scope"'],
  ])('%s', async (_name, challenge) => {
    const { failure, refreshes, sends } = await challengedBy(challenge, {}, adapter);
    expect(failure).toMatchObject({ kind: 'unauthorized', endedBecause: 'not-retryable' });
    expect([refreshes, sends]).toEqual([0, 1]);
  });
});

describe('a refresh is tried all the same', () => {
  it('where another challenge calls the token itself invalid', async () => {
    expect(await challengedBy(`${NONCE}, Bearer error="invalid_token"`)).toMatchObject({ refreshes: 1, sends: 2 });
  });

  it('where the policy says so for the status, or a judge does', async () => {
    const said: Policy[] = [{ statuses: { 401: 'refresh' } }, { classify: () => ({ kind: 'unauthorized' }) }];
    for (const policy of said) expect(await challengedBy(NONCE, policy)).toMatchObject({ refreshes: 1, sends: 2 });
  });
});

describe('neverRefreshOn', () => {
  const named = (policy: Policy = {}) => {
    const guarded = new Guarded();
    guarded.challenge = 'Bearer error="account_locked"';
    return attached(guarded.answer, { auth: { ...guarded.auth, neverRefreshOn: ['account_locked'] }, ...policy }).then(
      async ({ client, server }) => {
        await axiosErrorOf(client.get('/x'));
        return [guarded.refreshes.length, server.seen.length];
      },
    );
  };

  it("names a challenge's error as well as a code of the body", async () => {
    expect(await named()).toEqual([0, 1]);
  });

  it('goes before a status rule and a judge: it is the narrower of what the policy says', async () => {
    expect(await named({ statuses: { 401: 'refresh' } })).toEqual([0, 1]);
    expect(await named({ classify: () => ({ kind: 'unauthorized' }) })).toEqual([0, 1]);
  });
});
