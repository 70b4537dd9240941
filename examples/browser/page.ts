/** What runs in the page: a client whose token all tabs share. */
import axios from 'axios';
import { attach, failureOf } from 'axios-holdfast';
import { webTokenStore } from 'axios-holdfast/web';

const client = axios.create({ timeout: 10_000 });
const holdfast = attach(client, {
  deadlineMs: 30_000,
  limit: { requests: 20, perMs: 1_000, burst: 10 },
  auth: {
    store: webTokenStore({ key: 'example' }), // one refresh for all tabs
    token: () => ({ value: 'none-yet', expiresAt: 0 }),
    refresh: async ({ http }) => {
      const secret = { client_id: 'contoso', client_secret: 'from the login page' };
      const form = new URLSearchParams({ grant_type: 'client_credentials', ...secret });
      const { data } = await http.post('/oauth/token', form);
      return { value: data.access_token, expiresAt: Date.now() + data.expires_in * 1_000 };
    },
  },
});

const say = (line: string) => document.querySelector('#log')?.append(`${line}\n`);
holdfast.on('refreshed', () => say('there is a new token'));
holdfast.on('retry-scheduled', ({ call, delayMs }) => say(`${call.method} waits ${Math.round(delayMs)} ms`));

document.querySelector('#calls')?.addEventListener('click', async () => {
  const calls = Array.from({ length: 20 }, () => client.get('/v1/customers'));
  const results = await Promise.allSettled(calls);
  for (const result of results) if (result.status === 'rejected') say(String(failureOf(result.reason)?.summary));
  say(`${results.filter(({ status }) => status === 'fulfilled').length} of 20 calls were answered`);
});
