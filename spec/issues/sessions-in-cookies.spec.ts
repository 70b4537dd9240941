import axios, { type AxiosInstance } from 'axios';
import { type AuthOptions, attach, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attached, axiosErrorOf, rejectionOf, status } from '../support/attached.ts';
import { gate } from '../support/guarded.ts';
import { json, type Loopback, loopback } from '../support/loopback.ts';

/** A server whose session is an httpOnly cookie, renewed by `/refresh`; and an instance with a jar, as a browser has one. */
async function session(auth: Partial<AuthOptions> = {}, policy: Policy = {}) {
  let good = 'session=1';
  let renewals = 0;
  const late = gate();
  const server: Loopback = await loopback(async ({ url, headers }, response) => {
    if (url === '/refresh') {
      renewals += 1;
      good = `session=${renewals + 1}`;
      return json(response, 204, undefined, { 'set-cookie': `${good}; HttpOnly; Path=/` });
    }
    const { cookie } = headers;
    if (url === '/late' && cookie !== good) await late.promise;
    json(response, cookie === good ? 200 : 401, { cookie });
  });
  onTestFinished(() => server.close());
  const client = axios.create({ baseURL: server.url });
  let jar = 'session=expired';
  client.interceptors.response.use((response) => {
    const [set] = response.headers['set-cookie'] ?? [];
    if (set !== undefined) jar = String(set.split(';')[0]);
    return response;
  });
  const holdfast = attach(client, {
    auth: {
      refresh: async ({ http }) => {
        await http.post('/refresh');
      },
      ...auth,
    },
    beforeSend: ({ config }) => void config.headers.set('Cookie', jar),
    ...policy,
  });
  const expire = () => {
    good = 'none is';
  };
  const renewed = () => renewals;
  return { server, client, holdfast, late, expire, renewed };
}

const fifty = (client: AxiosInstance) => Promise.all(Array.from({ length: 50 }, (_, n) => client.post(`/x/${n}`, {})));

describe('a session in an httpOnly cookie', () => {
  it('is refreshed once for 50 calls, which all succeed, and nothing is written', async () => {
    const { server, client, holdfast, renewed } = await session();
    expect((await fifty(client)).every(({ status }) => status === 200)).toBe(true);
    expect(renewed()).toBe(1);
    expect(holdfast.stats()).toMatchObject({ refreshes: 1, replays: 50, retries: 0 });
    expect(server.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });

  it('is refreshed again when it expires again', async () => {
    const { client, expire, renewed } = await session();
    await fifty(client);
    expire();
    await fifty(client);
    expect(renewed()).toBe(2);
  });

  it('is not refreshed again for a call that left before the last refresh ended', async () => {
    const { client, late, renewed } = await session();
    const slow = client.get('/late');
    await client.get('/x');
    late.open();
    expect((await slow).status).toBe(200);
    expect(renewed()).toBe(1);
  });

  it('ends a call whose replay is refused too, and refreshes no more than once in 3 s', async () => {
    const { client, renewed } = await session({}, { beforeSend: [] });
    for (const n of [1, 2, 3]) {
      expect(failureOf(await axiosErrorOf(client.get(`/x/${n}`)))?.endedBecause).toBe('still-unauthorized');
    }
    expect(renewed()).toBe(1);
  });

  it('is nothing to another origin: its 401 is its own', async () => {
    const { client, renewed } = await session();
    const { server: other } = await attached(status(401));
    const error = await axiosErrorOf(client.get(`${other.url}/x`));
    expect(failureOf(error)).toMatchObject({ endedBecause: 'not-retryable', sends: 1 });
    expect(renewed()).toBe(0);
  });

  it('shows the refresh a token without a value, and may tell it when it failed', async () => {
    const seen: unknown[] = [];
    const { client } = await session({
      refresh: async ({ token, reason }) => {
        seen.push(token, reason);
        throw Object.assign(new Error('signed out'), { status: 401 });
      },
    });
    const error = await rejectionOf(client.get('/x'));
    expect(failureOf(error)).toMatchObject({ kind: 'refresh-failed', sends: 1 });
    expect(seen).toEqual([{ value: '' }, 'unauthorized']);
  });
});

describe('a refresh that gives nothing, beside a token()', () => {
  const answer = async (refresh: (set: (token: string | undefined) => void) => void, count = 1) => {
    let token: string | undefined = 'old';
    let refreshes = 0;
    const { client, server } = await attached(
      ({ headers }, response) => json(response, headers.authorization === 'Bearer new' ? 200 : 401),
      {
        auth: {
          token: () => token,
          refresh: async () => {
            refreshes += 1;
            refresh((set) => {
              token = set;
            });
          },
        },
      },
    );
    const calls = await Promise.allSettled(Array.from({ length: count }, () => client.get('/x')));
    return { calls, refreshes, server };
  };

  it('has token() asked again', async () => {
    const { calls, refreshes } = await answer((set) => set('new'), 20);
    expect(calls.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(refreshes).toBe(1);
  });

  it('is a failed refresh where token() gives the old one: somebody forgot a return', async () => {
    const { calls, refreshes, server } = await answer(() => {});
    const failure = failureOf((calls[0] as PromiseRejectedResult).reason);
    expect(failure).toMatchObject({ kind: 'refresh-failed', sends: 1 });
    expect(failure?.summary).toContain('refresh gave no token, and auth.token gives the old one');
    expect([refreshes, server.seen.length]).toEqual([1, 1]);
  });

  it('is no refresh where token() gives none either: nobody goes out bare', async () => {
    const { calls, refreshes, server } = await answer((set) => set(undefined));
    for (const call of calls) expect(failureOf((call as PromiseRejectedResult).reason)?.kind).toBe('refresh-failed');
    expect(refreshes).toBe(1);
    expect(server.seen.every(({ headers }) => headers.authorization === 'Bearer old')).toBe(true);
  });
});
