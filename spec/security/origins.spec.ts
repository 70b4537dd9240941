import axios, { AxiosHeaders } from 'axios';
import { type AuthOptions, attach, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, attached, rejectionOf, status } from '../support/attached.ts';
import { json, loopback } from '../support/loopback.ts';

/*
 * Absolute URLs to elsewhere, `origins`, and a `beforeSend` that changes where a send goes: `spec/integration/auth-bounds.spec.ts`.
 * Redirects over http, with Authorization and with a header of one's own: `spec/integration/auth-redirects.spec.ts`.
 * What a 401 from elsewhere does: `spec/integration/auth-safety.spec.ts`.
 */
const TOKEN = 't0k3n-of-the-call';
const session: AuthOptions = { token: () => TOKEN, refresh: async () => 'n3w-t0k3n' };

const elsewhere = async () => {
  const server = await loopback((_request, response) => json(response, 200));
  onTestFinished(() => server.close());
  return server;
};

describe.each(ADAPTERS)('over %s, a token stays behind', (adapter) => {
  it.each([301, 302, 303, 307, 308])('where a %i leads to another origin', async (code) => {
    const other = await elsewhere();
    const { server, client } = await attached(
      (_request, response) => void response.writeHead(code, { location: `${other.url}/x` }).end(),
      { auth: session, idempotency: {} },
      { adapter },
    );
    await client.post('/x', { order: 1 });
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(other.seen).toHaveLength(1);
    expect(JSON.stringify(other.seen)).not.toContain(TOKEN);
  });

  it('on every send, the replay with the new token included', async () => {
    const other = await elsewhere();
    const { server, client } = await attached(
      ({ headers }, response) => {
        if (headers.authorization === 'Bearer n3w-t0k3n') response.writeHead(302, { location: other.url }).end();
        else json(response, 401);
      },
      { auth: session },
      { adapter },
    );
    await client.get('/x');
    expect(server.seen).toHaveLength(2);
    expect(JSON.stringify(other.seen)).not.toMatch(/t0k3n/);
  });

  it('where beforeSend turns only the repeat elsewhere', async () => {
    const other = await elsewhere();
    const beforeSend: Policy['beforeSend'] = ({ config, send }) => {
      if (send > 1) config.url = `${other.url}/x`;
    };
    const { server, client } = await attached(status(503), { auth: session, beforeSend }, { adapter });
    await client.get('/x');
    expect(server.seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
    expect(JSON.stringify(other.seen)).not.toContain(TOKEN);
  });

  it('where beforeSend has put it into a header of its own as well', async () => {
    const other = await elsewhere();
    const beforeSend: Policy['beforeSend'] = ({ config }) => {
      config.headers = new AxiosHeaders({ 'X-Copy': String(config.headers.get('Authorization')) });
      config.baseURL = other.url;
    };
    const { client } = await attached(status(200), { auth: session, beforeSend }, { adapter });
    await client.get('/x');
    // What the caller's own code copies is its own affair; the header that the library wrote is gone.
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
  });

  const disguised = (host: string): readonly string[] => [
    `//${host}/x`,
    `http:/${host}/x`,
    `http:${host}/x`,
    `http:///${host}/x`,
    `http:\\\\${host}\\x`,
    `\\\\${host}\\x`,
    `/\\${host}/x`,
    ` http://${host}/x`,
    `\thttp://${host}/x`,
    `h\nttp://${host}/x`,
    `http://\t${host}/x`,
    `HTTP://${host}/x`,
    `http://user@${host}/x`,
    `http://127.0.0.1:1@${host}/x`,
    `http://127.0.0.1\\@${host}/x`,
    `@${host}/x`,
    `.${host}/x`,
    `:80@${host}/x`,
    `http://${host}#@api.example.com/`,
    `http://${host}?@api.example.com/`,
    '../../x',
  ];

  it.each(disguised('HOST').map((each, n) => [each, n] as const))('where the url is %j', async (_shown, n) => {
    const other = await elsewhere();
    const { client } = await attached(status(200), { auth: session }, { adapter });
    const url = disguised(other.url.replace('http://', ''))[n];
    for (const allowAbsoluteUrls of [true, false]) {
      await client.get(String(url), { allowAbsoluteUrls, timeout: 2_000 }).catch(() => {});
    }
    expect(JSON.stringify(other.seen)).not.toContain(TOKEN);
  });
});

describe('the key of a call', () => {
  it('never mixes up two hosts that differ in nothing but case, port or user', async () => {
    const client = axios.create({ baseURL: 'https://api.example.com', adapter: async (config) => answer(config) });
    const holdfast = attach(client);
    for (const host of ['API.example.com', 'api.example.com:443', 'me@api.example.com', 'api.example.com:444']) {
      await client.get(`https://${host}/x`);
    }
    expect(Object.keys(holdfast.stats().budget)).toEqual(['https://api.example.com', 'https://api.example.com:444']);
  });
});

describe('a server', () => {
  it('does not learn the token of another by its redirect to it', async () => {
    // The other way round: a foreign answer redirects to the origin that may see the token; none is added on the way.
    const { server, client } = await attached(status(200), { auth: session });
    const foreign = await loopback((_request, response) => {
      response.writeHead(302, { location: `${server.url}/x` }).end();
    });
    onTestFinished(() => foreign.close());
    await client.get(`${foreign.url}/x`);
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
    expect(foreign.seen[0]?.headers.authorization).toBeUndefined();
  });

  it('cannot choose by its answer where the next send goes', async () => {
    const other = await elsewhere();
    const headers = {
      location: other.url,
      'content-location': other.url,
      refresh: `0;url=${other.url}`,
      'retry-after': '0',
    };
    const { server, client } = await attached(status(503, headers, { error: { code: 'x', target: other.url } }), {
      auth: session,
    });
    await rejectionOf(client.get('/x'));
    expect(server.seen).toHaveLength(4);
    expect(other.connections).toBe(0);
  });
});

const answer = (config: object) => ({ status: 200, statusText: '', headers: {}, config, data: '' }) as never;
