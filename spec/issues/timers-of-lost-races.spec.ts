import { expect, it } from 'vitest';
import { settle } from '../support/manual-clock.ts';
import { scripted } from '../support/scripted.ts';

/** A timer that nobody takes back keeps a process alive after its last call, by a second here. */
it('leaves no timer where `token` throws after the queue', async () => {
  let asked = 0;
  const { client, clock } = scripted(() => 200, {
    limit: { requests: 1, perMs: 10 },
    auth: {
      token: () => {
        asked += 1;
        // The first call asks once; the second before the queue and after it.
        if (asked === 3) throw new Error('the session store is gone');
        return 't0k3n';
      },
      refresh: async () => 'n3w',
    },
  });
  const calls = [client.get('/a'), client.get('/b')].map((call) => call.catch((error: unknown) => error));
  const [, second] = await clock.run(Promise.all(calls));
  await settle();
  expect(second).toMatchObject({ message: 'the session store is gone' });
  expect(clock.pending).toBe(0);
});
