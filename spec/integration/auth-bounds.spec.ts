import http from 'node:http';
import axios, { AxiosHeaders } from 'axios';
import { type AuthOptions, attach, failureOf, InvalidPolicyError, type Policy } from 'axios-holdfast';
import { describe, expect, it, vi } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, rejectionOf, status } from '../support/attached.ts';
import { Guarded } from '../support/guarded.ts';
import { OneAtATime } from '../support/limiter.ts';
import { json } from '../support/loopback.ts';

type Hook = Extract<NonNullable<Policy['beforeSend']>, (...args: never[]) => unknown>;

const TOKEN = 't0k3n';
const session: AuthOptions = { token: () => TOKEN, refresh: async () => 'n3w' };
const custom: AuthOptions = { ...session, apply: (headers, { value }) => headers.set('X-Ticket', `T ${value}`) };

describe.each(ADAPTERS)('who sees the token, over %s', (adapter) => {
  const two = async (policy: Policy) => {
    const other = await attached(status(200));
    return { other: other.server, ...(await attached(status(200), policy, { adapter })) };
  };

  it.each([
    ['the default header', session, 'authorization', `Bearer ${TOKEN}`],
    ['a header of its own', custom, 'x-ticket', `T ${TOKEN}`],
  ] as const)('the origin of the baseURL and no other (%s)', async (_name, auth, header, value) => {
    const { server, other, client } = await two({ auth });
    await client.get('/x');
    await client.get(`${server.url}/absolute`);
    await client.get(`${other.url}/absolute`);
    await client.get('/x', { allowAbsoluteUrls: false });
    expect(server.seen.map(({ headers }) => headers[header])).toEqual([value, value, value]);
    expect(JSON.stringify(other.seen[0]?.headers)).not.toContain(TOKEN);
  });

  it('the origins that the policy names, instead', async () => {
    const other = await attached(status(200));
    const { server, client } = await attached(status(200), { auth: { ...session, origins: [other.server.url] } });
    await client.get('/x');
    await client.get(`${other.server.url}/x`);
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
    expect(other.server.seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  const WAYS: readonly (readonly [string, (to: string) => Hook])[] = [
    [
      'the url',
      (to) =>
        ({ config }) =>
          void Object.assign(config, { url: `${to}/x` }),
    ],
    [
      'the baseURL',
      (to) =>
        ({ config }) =>
          void Object.assign(config, { baseURL: to }),
    ],
    [
      'the baseURL and the headers object',
      (to) =>
        ({ config }) => {
          config.baseURL = to;
          config.headers = new AxiosHeaders({ ...config.headers });
        },
    ],
    [
      'the url, with plain headers',
      (to) =>
        ({ config }) => {
          config.url = `${to}/x`;
          config.headers = config.headers.toJSON() as never;
        },
    ],
  ];
  it.each(WAYS)('not where beforeSend sends it by changing %s', async (_name, hook) => {
    for (const auth of [session, custom]) {
      const other = await attached(status(200));
      const { server, client } = await attached(status(200), { auth, beforeSend: hook(other.server.url) }, { adapter });
      await client.get('/x', { headers: { 'X-Mine': 'kept' } });
      expect(server.seen).toHaveLength(0);
      expect(other.server.seen[0]?.headers['x-mine']).toBe('kept');
      expect(JSON.stringify(other.server.seen[0]?.headers)).not.toContain(TOKEN);
    }
  });

  it('but a beforeSend may write a credential of its own for there', async () => {
    const other = await attached(status(200));
    const { client } = await attached(
      status(200),
      {
        auth: session,
        beforeSend: ({ config }) => {
          config.url = `${other.server.url}/x`;
          config.headers.set('Authorization', 'Signature abc');
        },
      },
      { adapter },
    );
    await client.get('/x', { headers: { Authorization: 'mine' } });
    expect(other.server.seen[0]?.headers.authorization).toBe('Signature abc');
  });

  it("puts back the caller's own header", async () => {
    const other = await attached(status(200));
    const { client } = await attached(
      status(200),
      { auth: session, beforeSend: ({ config }) => void Object.assign(config, { baseURL: other.server.url }) },
      { adapter },
    );
    await client.get('/x', { headers: { authorization: 'mine' } });
    expect(other.server.seen[0]?.headers.authorization).toBe('mine');
  });

  it('refuses characters that no header may hold before anything is sent', async () => {
    for (const value of ['a\r\nX-Evil: 1', 'ü', '\u0000']) {
      const { server, client } = await attached(status(200), { auth: { ...session, token: () => value } }, { adapter });
      expect(await rejectionOf(client.get('/x'))).toBeInstanceOf(TypeError);
      expect(server.seen).toHaveLength(0);
    }
  });
});

it('wants origins where the instance has no baseURL', () => {
  expect(() => attach(axios.create(), { auth: session })).toThrow(InvalidPolicyError);
  const client = axios.create();
  attach(client, { auth: { ...session, origins: ['https://api.example.com'] } }).detach();
});

it('never shows a token to where it cannot tell the origin', async () => {
  const { server } = await attached(status(200));
  const { client } = await attached(status(200), { auth: session });
  await client.get(` ${server.url}/x`, { baseURL: '' });
  expect(server.seen[0]?.headers.authorization).toBeUndefined();
});

describe("a call's own auth", () => {
  it('with false carries none and refreshes nothing', async () => {
    const guarded = new Guarded();
    const { server, client } = await attached(guarded.answer, { auth: guarded.auth });
    const error = await axiosErrorOf(client.get('/x', { holdfast: { auth: false } }));
    await axiosErrorOf(client.get('/x', { holdfast: false }));
    expect(failureOf(error)).toMatchObject({ endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined]);
    expect(guarded.refreshes).toHaveLength(0);
  });

  it('holds for that call alone, though it shares the credential', async () => {
    const guarded = new Guarded();
    guarded.body = { code: 'blocked', description: 'x', data: [], source: 's' };
    const { server, client } = await attached(guarded.answer, { auth: guarded.auth });
    const own = { ...guarded.auth, origins: ['https://elsewhere.example'], neverRefreshOn: ['blocked'] };
    await axiosErrorOf(client.get('/x', { holdfast: { auth: own } }));
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
    await client.get('/x');
    expect(server.seen.at(-1)?.headers.authorization).toBe('Bearer new-1');
    guarded.valid.clear();
    await axiosErrorOf(client.get('/x', { holdfast: { auth: { ...guarded.auth, neverRefreshOn: ['blocked'] } } }));
    expect(guarded.refreshes).toHaveLength(1);
  });
});

describe('no deadlock', () => {
  it('with one socket, taken by the unread body of the 401', async () => {
    const guarded = new Guarded();
    const { server, client } = await attached(
      ({ url, headers }, response) => {
        if (url === '/token') return json(response, 200, {});
        if (headers.authorization === 'Bearer fresh') return json(response, 200, {});
        response.writeHead(401, { 'content-type': 'text/plain' });
        response.end('x'.repeat(300_000));
      },
      {
        auth: {
          ...guarded.auth,
          refreshTimeoutMs: 2_000,
          refresh: async ({ http }) => {
            await http.get('/token');
            return 'fresh';
          },
        },
      },
      { httpAgent: new http.Agent({ keepAlive: true, maxSockets: 1 }) },
    );
    const response = await client.get('/x', { responseType: 'stream' });
    expect(response.status).toBe(200);
    response.data.resume();
    expect(server.seen.map(({ url }) => url)).toEqual(['/x', '/token', '/x']);
  });

  it('with a token() that is slow while a permit is held: the deadline and an abort end the wait', async () => {
    for (const ends of ['deadline', 'cancelled']) {
      const limit = new OneAtATime();
      const aborter = new AbortController();
      let asked = 0;
      // The first call is answered when the second stands in line.
      const { client } = await attached(
        (_request, response) =>
          void vi.waitFor(() => expect(limit.stats().queued).toBe(1)).then(() => json(response, 200)),
        {
          limit,
          auth: {
            ...session,
            token: () => {
              asked += 1;
              if (asked < 3) return TOKEN;
              if (ends === 'cancelled') setTimeout(() => aborter.abort(), 50);
              return new Promise<never>(() => {});
            },
          },
        },
      );
      const first = client.get('/x');
      const deadlineMs = ends === 'deadline' ? 500 : 60_000;
      const second = axiosErrorOf(client.get('/y', { signal: aborter.signal, holdfast: { deadlineMs } }));
      await first;
      expect(failureOf(await second)).toMatchObject({ endedBecause: ends, sends: 0 });
      // Where the deadline was over in line already, the permit comes later, and goes back at once.
      await vi.waitFor(() => expect(limit.stats()).toEqual({ queued: 0, running: 0 }));
    }
  });

  it.each(['another instance', 'another key'])('a refresh may use %s that has a token of its own', async (which) => {
    const seen: unknown[] = [];
    const auth: AuthOptions = {
      token: ({ key }) => (key === 'master' ? 'master-token' : 'old'),
      key: ({ url = '' }) => (url === '/grant' ? 'master' : 'tenant'),
      refresh: async () => {
        await grants.get('/grant');
        return 'fresh';
      },
    };
    const answer = new Guarded();
    answer.valid.add('master-token').add('fresh');
    const { server, client } = await attached(answer.answer, { auth });
    const other = await attached(answer.answer, { auth: { token: () => 'master-token', refresh: async () => 'x' } });
    const grants = which === 'another key' ? client : other.client;
    await client.get('/x');
    const granted = (which === 'another key' ? server : other.server).seen.find(({ url }) => url === '/grant');
    seen.push(granted?.headers.authorization);
    expect(seen).toEqual(['Bearer master-token']);
  });
});

it('drops what an earlier body said when the next is of another kind', async () => {
  const { client } = await attached(
    (_request, response, n) => {
      if (n === 0) return json(response, 401, { code: 'first', description: 'd', data: [], source: 's' });
      response.writeHead(401, { 'content-type': 'text/html' });
      response.end('<p>');
    },
    { auth: session },
  );
  const error = await axiosErrorOf(client.get('/x', { responseType: 'stream' }));
  expect(failureOf(error)).toMatchObject({ endedBecause: 'still-unauthorized', api: undefined });
});
