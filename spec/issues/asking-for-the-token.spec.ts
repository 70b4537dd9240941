import { describe, expect, it, vi } from 'vitest';
import { attached, rejectionOf } from '../support/attached.ts';
import { Guarded, gate } from '../support/guarded.ts';

/** How often a policy's `token` is asked; the server wants another than the one it gives. */
async function counted(more: Partial<Guarded['auth']> = {}) {
  const guarded = new Guarded();
  const token = vi.fn(() => guarded.token);
  const { client, server } = await attached(guarded.answer, { auth: { ...guarded.auth, token, ...more } });
  return { guarded, client, server, token };
}

describe('auth.token is asked', () => {
  it('once for a send', async () => {
    const { guarded, client, token } = await counted();
    guarded.valid.add('old');
    await client.get('/x');
    await client.get('/y');
    expect(token).toHaveBeenCalledTimes(2);
  });

  it('once for the send, once before the refresh (the user may be gone), and once for the replay', async () => {
    const { client, server, token } = await counted();
    await client.get('/x');
    expect([server.seen.length, token.mock.calls.length]).toEqual([2, 3]);
  });

  it('once for each send and each replay of those who wait for the refresh of another', async () => {
    const fresh = gate<string>();
    const { guarded, client, server, token } = await counted({ refresh: () => fresh.promise });
    guarded.valid.add('fresh');
    const calls = Array.from({ length: 20 }, () => client.get('/x'));
    await vi.waitFor(() => expect(server.seen).toHaveLength(20));
    await new Promise((resolve) => setTimeout(resolve, 50));
    fresh.open('fresh');
    await Promise.all(calls);
    expect([server.seen.length, token.mock.calls.length]).toEqual([40, 20 + 1 + 20]);
  });

  it('once for the send and once for the replay, where somebody else has refreshed meanwhile', async () => {
    const held = gate();
    const guarded = new Guarded();
    const token = vi.fn(() => guarded.token);
    const { client, server } = await attached(
      async (request, response, n) => {
        if (request.url === '/late' && request.headers.authorization === 'Bearer old') await held.promise;
        await guarded.answer(request, response, n);
      },
      { auth: { ...guarded.auth, token } },
    );
    const late = client.get('/late');
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await client.get('/x');
    token.mockClear();
    held.open();
    await late;
    expect([guarded.refreshes.length, token.mock.calls.length]).toEqual([1, 1]);
  });

  it('once more before a refreshed token is saved: it would bring back a session that has ended', async () => {
    const { client, token } = await counted({ save: () => {} });
    await client.get('/x');
    expect(token).toHaveBeenCalledTimes(4);
  });

  it('by nobody whose call ends without a send', async () => {
    const { client, token } = await counted();
    await rejectionOf(client.get('/x', { signal: AbortSignal.abort() }));
    expect(token).toHaveBeenCalledTimes(0);
  });
});
