import axios from 'axios';
import { attach } from 'axios-holdfast';
import { afterEach, describe, expect, it } from 'vitest';
import { json, type Loopback, loopback } from '../support/loopback.ts';

describe('a token, where the server redirects to another origin,', () => {
  const servers: Loopback[] = [];
  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => server.close()));
  });

  async function redirected(
    apply?: (headers: { set(name: string, value: string): unknown }, token: { value: string }) => void,
  ) {
    const elsewhere = await loopback((_request, response) => json(response, 200));
    const server = await loopback((_request, response) => {
      response.writeHead(302, { location: `${elsewhere.url}/x` }).end();
    });
    servers.push(elsewhere, server);
    const client = axios.create({ baseURL: server.url, adapter: 'http' });
    const refresh = async () => 'unused';
    attach(client, { auth: { token: () => 'the-secret-token', refresh, ...(apply && { apply }) } });
    const { config } = await client.get('/');
    return { config, there: elsewhere.seen[0]?.headers ?? {}, here: server.seen[0]?.headers ?? {} };
  }

  it('stays behind as Authorization', async () => {
    const { here, there } = await redirected();
    expect(here.authorization).toBe('Bearer the-secret-token');
    expect(JSON.stringify(there)).not.toContain('the-secret-token');
  });

  it('stays behind also in a header of its own, and leaves no trace on the config', async () => {
    const { config, here, there } = await redirected((headers, { value }) => headers.set('X-Ticket', value));
    expect(here['x-ticket']).toBe('the-secret-token');
    expect(JSON.stringify(there)).not.toContain('the-secret-token');
    expect(config).not.toHaveProperty('beforeRedirect');
  });
});
