import { failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { rejectionOf } from '../support/attached.ts';
import { byHand } from '../support/by-hand.ts';
import { json, type Seen } from '../support/loopback.ts';

/** A session, and a server that accepts what `accepts` says. */
async function setting(accepts: (request: Seen) => boolean, policy: Policy = {}) {
  const session = { token: 'signed-in', refreshes: 0 };
  const auth = {
    token: () => session.token,
    refresh: async () => {
      session.refreshes += 1;
      return `fresh-${session.refreshes}`;
    },
  };
  const hand = await byHand((request, response) => json(response, accepts(request) ? 200 : 401), { auth, ...policy });
  const refused = async (path = '/') => failureOf(await rejectionOf(hand.client.get(path)));
  return { ...hand, session, refused };
}

describe('where the server refuses the token that a refresh gave, too', () => {
  it('one refresh in 3 s is enough: the calls after it are sent, and end with their 401', async () => {
    const { clock, refused, server, session } = await setting(() => false);
    for (let i = 0; i < 10; i++)
      expect(await refused()).toMatchObject({ status: 401, endedBecause: 'still-unauthorized' });
    expect(session.refreshes).toBe(1);
    // Two of the first, with its replay, and one of each other.
    expect(server.seen).toHaveLength(11);
    await clock.advance(2_999);
    await refused();
    expect(session.refreshes).toBe(1);
    await clock.advance(1);
    for (let i = 0; i < 10; i++) await refused();
    expect(session.refreshes).toBe(2);
  });

  it('a hundred calls at once, again and again, make no more', async () => {
    const { refused, session } = await setting(() => false);
    for (let i = 0; i < 3; i++) await Promise.all(Array.from({ length: 100 }, () => refused()));
    expect(session.refreshes).toBe(1);
  });

  it('nobody else is kept from anything by a call that is refused for reasons of its own', async () => {
    const { client, clock, refused, session } = await setting(({ url, headers }) => {
      return url !== '/forbidden' && headers.authorization !== 'Bearer signed-in';
    });
    expect(await refused('/forbidden')).toMatchObject({ endedBecause: 'still-unauthorized' });
    expect((await client.get('/orders')).status).toBe(200);
    expect(session.refreshes).toBe(1);
    // It costs a refresh in 3 s at most, and the others never notice.
    for (let i = 0; i < 9; i++) {
      await refused('/forbidden');
      expect((await client.get('/orders')).status).toBe(200);
      await clock.advance(1_000);
    }
    expect(session.refreshes).toBe(3);
  });

  it('who signs in anew is refreshed at once', async () => {
    const { client, refused, session } = await setting(({ headers }) => headers.authorization === 'Bearer fresh-2');
    await refused();
    session.token = 'signed-in anew';
    expect((await client.get('/')).status).toBe(200);
    expect(session.refreshes).toBe(2);
  });

  it('a token that was good, and is revoked later, is refreshed at once', async () => {
    let good = 'Bearer fresh-1';
    const { client, session } = await setting(({ headers }) => headers.authorization === good);
    await client.get('/');
    good = 'Bearer fresh-2';
    await client.get('/');
    expect(session.refreshes).toBe(2);
  });

  it('keeps no other key from refreshing', async () => {
    const tokens: string[] = [];
    const auth: Policy['auth'] = {
      key: ({ params }) => params.user,
      token: ({ key }) => `${key}-0`,
      refresh: async ({ key, token }) => {
        tokens.push(token.value);
        return `${key}-1`;
      },
    };
    const { client } = await setting(({ headers }) => headers.authorization === 'Bearer good-1', { auth });
    const get = (user: string) => client.get('/', { params: { user } });
    for (let i = 0; i < 3; i++) await rejectionOf(get('bad'));
    expect((await get('good')).status).toBe(200);
    expect(tokens).toEqual(['bad-0', 'good-0']);
  });
});
