import axios, { Axios, AxiosError } from 'axios';
import { attach, failureOf, type Policy } from 'axios-holdfast';
import { afterEach, describe, expect, it } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { json, type Loopback, loopback } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

const servers: Loopback[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function started(...args: Parameters<typeof loopback>) {
  const server = await loopback(...args);
  servers.push(server);
  return server;
}

const unauthorized = () => started((_request, response) => json(response, 401));

/** Counts its refreshes; each gives a new token. */
function counted(more: Partial<NonNullable<Exclude<Policy['auth'], false>>> = {}) {
  let refreshes = 0;
  const refresh = async () => {
    refreshes += 1;
    return `token-${refreshes}`;
  };
  const auth = { token: () => 'token-0', refresh, ...more };
  return {
    auth,
    get refreshes() {
      return refreshes;
    },
  };
}

describe('a 401 that is not about our token', () => {
  it('does not refresh where a redirect led to another origin, which never saw the token', async () => {
    const elsewhere = await unauthorized();
    const server = await started((_request, response) => {
      response.writeHead(302, { location: `${elsewhere.url}/x` }).end();
    });
    const by = counted();
    const client = axios.create({ baseURL: server.url });
    attach(client, { auth: by.auth });
    await client.get('/').catch(() => {});
    expect(by.refreshes).toBe(0);
    expect(elsewhere.seen).toHaveLength(1);
  });

  it("does not refresh where axios' own auth went out instead", async () => {
    const server = await unauthorized();
    const by = counted();
    const client = axios.create({ baseURL: server.url, auth: { username: 'me', password: 'secret' } });
    attach(client, { auth: by.auth });
    await client.get('/').catch(() => {});
    expect([by.refreshes, server.seen.length]).toEqual([0, 1]);
  });

  it('does not refresh where beforeSend took the token off', async () => {
    const server = await unauthorized();
    const by = counted();
    const client = axios.create({ baseURL: server.url });
    attach(client, { auth: by.auth, beforeSend: ({ config }) => void config.headers.delete('Authorization') });
    await client.get('/').catch(() => {});
    expect([by.refreshes, server.seen.length]).toEqual([0, 1]);
  });
});

describe('a redirected POST that meets a 401', () => {
  it('is not replayed: it may have been applied', async () => {
    const server = await started(({ method }, response) => {
      if (method === 'POST') response.writeHead(303, { location: '/orders/1' }).end();
      else json(response, 401);
    });
    const client = axios.create({ baseURL: server.url });
    attach(client, { auth: counted().auth });
    const error = await client.post('/orders', {}).catch((thrown: unknown) => thrown);
    expect(server.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
    expect(failureOf(error)?.endedBecause).toBe('unsafe-method');
  });
});

describe('a refresh', () => {
  it('does not hang everybody where token() hangs after it', async () => {
    const server = await started(({ headers }, response) =>
      json(response, headers.authorization === 'Bearer token-1' ? 200 : 401),
    );
    let asked = 0;
    const by = counted({
      token: () => {
        asked += 1;
        // For two sends, for the refresh that both wait for, and then for a replay.
        return asked === 4 ? new Promise<never>(() => {}) : 'token-0';
      },
    });
    const client = axios.create({ baseURL: server.url });
    attach(client, { auth: { ...by.auth, refreshTimeoutMs: 1_000 } });
    const settled = await Promise.allSettled([client.get('/'), client.get('/')]);
    const endings = settled.map((one) => (one.status === 'fulfilled' ? one.value.status : failureOf(one.reason)?.kind));
    expect(endings.toSorted()).toEqual([200, 'refresh-failed']);
  });

  it('that is deaf to its signal is not thrown away where it comes too late: its refresh token is used up', async () => {
    const server = await started(({ headers }, response) =>
      json(response, headers.authorization === 'Bearer late' ? 200 : 401),
    );
    const clock = new ManualClock();
    let arrive = (_token: string) => {};
    let refreshes = 0;
    const refresh = () => {
      refreshes += 1;
      return new Promise<string>((resolve) => {
        arrive = resolve;
      });
    };
    const client = axios.create({ baseURL: server.url });
    attachWith({ clock, random: () => 0 }, client, {
      auth: { token: () => 'token-0', refresh, refreshTimeoutMs: 1_000 },
    });
    const first = client.get('/').catch((thrown: unknown) => thrown);
    while (refreshes === 0) await new Promise((resolve) => setImmediate(resolve));
    await clock.advance(1_000);
    expect(failureOf(await first)?.kind).toBe('refresh-failed');
    arrive('late');
    await clock.advance(0);
    expect((await client.get('/')).status).toBe(200);
    expect(refreshes).toBe(1);
  });

  it('is not held up for an hour by a clock that is set back during the cool-down', async () => {
    const server = await unauthorized();
    const clock = new ManualClock();
    let tries = 0;
    const refresh = async () => {
      tries += 1;
      throw new Error('no');
    };
    const client = axios.create({ baseURL: server.url });
    attachWith({ clock, random: () => 0 }, client, { auth: { token: () => 'token-0', refresh } });
    await client.get('/').catch(() => {});
    await client.get('/').catch(() => {});
    expect(tries).toBe(1);
    clock.adjust(-3_600_000);
    await client.get('/').catch(() => {});
    expect(tries).toBe(1);
    await clock.advance(3_000);
    await client.get('/').catch(() => {});
    expect(tries).toBe(2);
  });

  it('can use the methods of a subclass of Axios through http', async () => {
    const server = await started(({ headers, url }, response) => {
      if (url === '/login') json(response, 200, { token: 'fresh' });
      else json(response, headers.authorization === 'Bearer fresh' ? 200 : 401);
    });
    class Api extends Axios {
      readonly #path = '/login';
      async login() {
        return (await this.request({ url: this.#path, holdfast: false })).data;
      }
    }
    const api = new Api({ ...axios.defaults, baseURL: server.url } as never);
    attach(api, {
      auth: {
        token: () => 'stale',
        refresh: async ({ http }) => (await (http as unknown as Api).login()).token,
      },
    });
    expect((await api.get('/')).status).toBe(200);
  });
});

describe('more keys than are remembered', () => {
  it('do not make a refreshed token be forgotten: what it was refreshed with is used up', async () => {
    let refreshes = 0;
    const client = axios.create({
      baseURL: 'http://api.test',
      adapter: async (config) => {
        const status = config.headers.get('Authorization') === 'Bearer seed' ? 401 : 200;
        const response = { data: '', status, statusText: '', headers: {}, config };
        return status === 200 ? response : Promise.reject(new AxiosError('', '', config, {}, response));
      },
    });
    attach(client, {
      auth: {
        key: ({ params }) => params.user,
        token: ({ key }) => (key === 'first' ? 'seed' : `token-of-${key}`),
        refresh: async () => {
          refreshes += 1;
          return 'fresh';
        },
      },
    });
    await client.get('/', { params: { user: 'first' } });
    for (let i = 0; i < 10_001; i++) await client.get('/', { params: { user: `user-${i}` } });
    await client.get('/', { params: { user: 'first' } });
    expect(refreshes).toBe(1);
  });
});

describe('what token() may give', () => {
  it('is null for none, as storages say it', async () => {
    const server = await started((_request, response) => json(response, 200));
    const client = axios.create({ baseURL: server.url });
    attach(client, { auth: counted({ token: () => null as never }).auth });
    expect((await client.get('/')).status).toBe(200);
    expect(server.seen[0]?.headers.authorization).toBeUndefined();
  });

  it.each(['soon', Number.NaN, Number.POSITIVE_INFINITY])('is refused with an expiry of %s', async (expiresAt) => {
    const server = await started((_request, response) => json(response, 200));
    const client = axios.create({ baseURL: server.url });
    attach(client, { auth: counted({ token: () => ({ value: 'x', expiresAt: expiresAt as number }) }).auth });
    await expect(client.get('/')).rejects.toThrow("a token's expiresAt");
    expect(server.seen).toHaveLength(0);
  });
});
