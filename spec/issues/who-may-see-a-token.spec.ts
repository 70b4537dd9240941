import axios from 'axios';
import { type AuthOptions, attach, failureOf, InvalidPolicyError, type Policy } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, status } from '../support/attached.ts';

const TOKEN = 't0k3n-of-mine';
const session = { token: () => TOKEN, refresh: async () => 'n3w' } satisfies AuthOptions;
const BEARER = `Bearer ${TOKEN}`;

describe.each(ADAPTERS)("origins: 'any', over %s", (adapter) => {
  const anywhere = async (policy: Policy = {}, auth: Partial<AuthOptions> = {}) => {
    const { server } = await attached(status(200));
    const client = axios.create({ adapter });
    attach(client, { auth: { ...session, ...auth, origins: 'any' }, ...policy });
    return { server, client };
  };

  it('shows the token to whatever a call names, on an instance without a baseURL', async () => {
    const { server, client } = await anywhere();
    await client.get(`${server.url}/x`);
    await client.get('/y', { baseURL: server.url });
    await client.get(`${server.url.replace('127.0.0.1', 'localhost')}/z`).catch(() => {});
    expect(server.seen.slice(0, 2).map(({ headers }) => headers.authorization)).toEqual([BEARER, BEARER]);
  });

  it.each([
    ['the default header', {}],
    [
      'a header of its own',
      { apply: (headers, { value }) => headers.set('X-Ticket', value) } satisfies Partial<AuthOptions>,
    ],
  ])('never after a redirect to another origin (%s)', async (_name, auth) => {
    const { server: other } = await attached(status(200));
    const { server } = await attached(
      (_request, response) => void response.writeHead(302, { location: other.url }).end(),
    );
    const { client } = await anywhere({}, auth);
    // Under fetch a header of one's own follows; docs/tokens.md says so.
    const guarded = adapter === 'http' || _name === 'the default header';
    await client.get(`${server.url}/x`);
    expect(JSON.stringify(server.seen[0]?.headers)).toContain(TOKEN);
    expect(JSON.stringify(other.seen[0]?.headers).includes(TOKEN)).toBe(!guarded);
  });

  it('never where beforeSend turns the send to another origin', async () => {
    const { server: other } = await attached(status(401));
    const { server, client } = await anywhere({
      beforeSend: ({ config }) => void Object.assign(config, { url: `${other.url}/x` }),
    });
    const error = await axiosErrorOf(client.get(`${server.url}/x`));
    expect(JSON.stringify(other.seen)).not.toContain(TOKEN);
    expect(failureOf(error)?.summary).toContain(`no token was sent: beforeSend turned it to ${other.url}`);
  });
});

describe("origins: 'any'", () => {
  it('is not over plain http, except to this machine', async () => {
    const seen: (readonly [unknown, unknown])[] = [];
    const client = axios.create({
      adapter: async (config) => {
        seen.push([config.url, config.headers.get('Authorization')]);
        return { status: 200, statusText: '', headers: {}, config, data: '' };
      },
    });
    attach(client, { auth: { ...session, origins: 'any' } });
    const shown = [
      'https://api.example.com/x',
      'http://localhost:1/x',
      'http://127.1.2.3/x',
      'http://[::1]/x',
      'http://app.localhost/x',
    ];
    const hidden = [
      'http://api.example.com/x',
      'http://10.0.0.1/x',
      'http://127.0.0.1.example.com/x',
      'http://notlocalhost/x',
      '/x',
    ];
    for (const url of [...shown, ...hidden]) await client.get(url);
    expect(seen).toEqual([...shown.map((url) => [url, BEARER]), ...hidden.map((url) => [url, undefined])]);
  });

  it.each([
    ['https://api.example.com/', "its origin is 'https://api.example.com'"],
    ['https://me:s3cret@API.example.com:443/v1', "its origin is 'https://api.example.com'"],
    ['api.example.com', 'a string in it that is none'],
  ])('is told from a list with what is no origin, and which it would be: %s', (origin, said) => {
    const refused = () => attach(axios.create(), { auth: { ...session, origins: ['https://a.example', origin] } });
    expect(refused).toThrow(said);
    expect(refused).not.toThrow('s3cret');
  });

  it('is named as one way where an instance without a baseURL is refused', () => {
    expect(() => attach(axios.create(), { auth: session })).toThrow(InvalidPolicyError);
    expect(() => attach(axios.create(), { auth: session })).toThrow(/auth\.origins .*'any'/);
    expect(() => attach(axios.create(), { auth: { ...session, origins: 'all' as never } })).toThrow(/'any'/);
  });
});

describe("a generated client, whose calls have absolute URLs and baseURL: ''", () => {
  it.each([{ baseURL: '' }, {}])('carries the token to the origin of the instance (%j)', async (more) => {
    const { server, client } = await attached(status(200), { auth: session });
    await client.request({ url: `${server.url}/x`, ...more });
    expect(server.seen[0]?.headers.authorization).toBe(BEARER);
  });

  it('and to no other', async () => {
    const { server: other } = await attached(status(200));
    const { client } = await attached(status(200), { auth: session });
    await client.request({ url: `${other.url}/x`, baseURL: '' });
    expect(other.seen[0]?.headers.authorization).toBeUndefined();
  });
});

describe('a 401 to a send that carried no token says why', () => {
  it('the origin is not among those that may see it', async () => {
    const { server: other } = await attached(status(401));
    const { client, server } = await attached(status(401), { auth: session });
    const listed = failureOf(
      await axiosErrorOf(
        client.get(other.url, { holdfast: { auth: { ...session, origins: ['https://api.example.com'] } } }),
      ),
    );
    expect(listed?.summary).toContain(`no token was sent: ${other.url} is not among auth.origins`);
    const byDefault = failureOf(await axiosErrorOf(client.get(other.url)));
    expect(byDefault?.summary).toContain(`no token was sent: ${other.url} is not among auth.origins`);
    expect(byDefault?.summary).toContain(server.url);
  });

  it('the policy gives none', async () => {
    const { client } = await attached(status(401), { auth: { ...session, token: () => undefined } });
    expect(failureOf(await axiosErrorOf(client.get('/x')))?.summary).toContain(
      'no token was sent: auth.token gave none',
    );
  });

  it('and nothing where one was sent, or where there is no auth', async () => {
    for (const policy of [{ auth: session }, {}]) {
      const { client } = await attached(status(401), policy);
      expect(failureOf(await axiosErrorOf(client.get('/x')))?.summary).not.toContain('no token was sent');
    }
  });
});
