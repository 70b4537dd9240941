/** The client of the demo, as the README shows it. */
import axios from 'axios';
import { attach, mergePolicies, partnerApi } from 'axios-holdfast';

export function connect(baseURL: string) {
  const client = axios.create({ baseURL, headers: { 'MS-Contract-Version': 'v1' } });
  const holdfast = attach(
    client,
    mergePolicies(partnerApi({ tenant: 'contoso' }), {
      deadlineMs: 30_000,
      auth: {
        token: () => ({ value: 'none-yet', expiresAt: 0 }),
        refresh: async ({ http }) => {
          const secret = { client_id: 'contoso', client_secret: 'from your vault' };
          const form = new URLSearchParams({ grant_type: 'client_credentials', ...secret });
          const { data } = await http.post('/oauth/token', form);
          return { value: data.access_token, expiresAt: Date.now() + data.expires_in * 1_000 };
        },
      },
    }),
  );
  return { client, holdfast };
}
