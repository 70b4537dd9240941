import axios from 'axios';
import { attach, type TokenStore } from 'axios-holdfast';
import { expect, it } from 'vitest';
import { json, loopback } from '../support/loopback.ts';

it("goes back to the caller's own token where the grant of the shared one is dead", async () => {
  const server = await loopback(({ headers }, response) =>
    json(response, headers.authorization === 'Bearer fresh' ? 200 : 401),
  );
  const store: TokenStore = {
    read: async () => undefined,
    refresh: async (_key, _generation, refresh) => ({
      ...(await refresh({ value: 'dead', generation: 5 })),
      generation: 6,
    }),
  };
  const from: string[] = [];
  const client = axios.create({ baseURL: server.url });
  attach(client, {
    auth: {
      token: () => 'signed-in-anew',
      refresh: async ({ token }) => {
        from.push(token.value);
        if (token.value === 'dead') throw Object.assign(new Error('revoked'), { code: 'invalid_grant' });
        return 'fresh';
      },
      store,
    },
  });
  try {
    expect((await client.get('/')).status).toBe(200);
    expect(from).toEqual(['dead', 'signed-in-anew']);
  } finally {
    await server.close();
  }
});
