import axios from 'axios';
import {
  type AuthOptions,
  attach,
  credentials,
  failureOf,
  InvalidPolicyError,
  isHoldfastError,
  mergePolicies,
  partnerApi,
  preparePolicy,
} from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { isCredentials } from '../../lib/auth/credential-set.ts';
import { rejectionOf } from '../support/attached.ts';
import { Guarded, gate } from '../support/guarded.ts';
import { json, loopback } from '../support/loopback.ts';
import { rotatingTokens } from '../support/rotating-tokens.ts';

async function guardedServer(guarded = new Guarded()) {
  const server = await loopback(guarded.answer);
  onTestFinished(() => server.close());
  return { guarded, server };
}

/** An API whose refresh token can be used once: a second refresh with it logs everybody out. */
async function rotating() {
  const server = await rotatingTokens();
  onTestFinished(() => server.close());
  let [access, refreshToken] = ['A0', 'R0'];
  const options = {
    token: () => access,
    refresh: async ({ http }) => {
      const { data } = await http.post('/token', refreshToken);
      [access, refreshToken] = [data.access, data.refresh];
      return access;
    },
  } satisfies AuthOptions;
  return { server, options };
}

describe('credentials()', () => {
  it('makes one refresh for all instances that it is given to, also of another origin', async () => {
    const { server, options } = await rotating();
    const other = await loopback(({ headers }, response) =>
      json(response, headers.authorization === 'Bearer A1' ? 200 : 401),
    );
    onTestFinished(() => other.close());
    const auth = credentials({ ...options, http: axios.create({ baseURL: server.url }) });
    const clients = [server.url, `${server.url}/v2`, other.url].map((baseURL) => axios.create({ baseURL }));
    const attachments = clients.map((client) => attach(client, { auth }));
    const calls = clients.flatMap((client) => Array.from({ length: 20 }, () => client.get('/x')));
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(calls.map(() => 200));
    expect([server.refreshes, server.loggedOut]).toEqual([1, false]);
    expect(attachments.map(({ stats }) => stats().refreshes).sort()).toEqual([0, 0, 1]);
  });

  it('refreshes by the instance that it was given, else by that of the call that began it', async () => {
    const { guarded, server } = await guardedServer();
    for (const given of [true, false]) {
      guarded.valid.clear();
      const asked: unknown[] = [];
      const session = axios.create({ baseURL: server.url, headers: { 'X-From': 'session' } });
      const auth = credentials({
        ...guarded.auth,
        ...(given && { http: session }),
        refresh: async (context) => {
          asked.push(context.http.defaults.headers['X-From']);
          return guarded.grant(context);
        },
      });
      const [one, other] = ['one', 'other'].map((from) => {
        const client = axios.create({ baseURL: server.url, headers: { 'X-From': from } });
        attach(client, { auth });
        return client;
      });
      await other?.get('/x');
      await one?.get('/x');
      expect(asked).toEqual([given ? 'session' : 'other']);
    }
  });

  it('takes the loop off its own instance, so that a refresh cannot wait for itself', async () => {
    const { guarded, server } = await guardedServer();
    const client = axios.create({ baseURL: server.url });
    const auth = credentials({
      ...guarded.auth,
      http: client,
      refresh: async (context) => {
        await context.http.get('/token').catch(() => {});
        return guarded.grant(context);
      },
    });
    attach(client, { auth });
    expect((await client.get('/x')).status).toBe(200);
    expect(server.seen.map(({ url }) => url)).toEqual(['/x', '/token', '/x']);
  });

  it('goes through mergePolicies and as the policy of a call, which may have others or none', async () => {
    const { guarded, server } = await guardedServer();
    const auth = credentials(guarded.auth);
    const client = axios.create({ baseURL: server.url });
    attach(client, mergePolicies({ retry: false }, { auth }));
    const plain = axios.create({ baseURL: server.url });
    attach(plain);
    await client.get('/x', { holdfast: { deadlineMs: 10_000 } });
    await plain.get('/x', { holdfast: { auth } });
    expect(guarded.refreshes).toHaveLength(1);
    const own = { token: () => 'own', refresh: async () => 'x' };
    await client.get('/x', { holdfast: { auth: false }, validateStatus: null });
    await client.get('/x', { holdfast: { auth: own }, validateStatus: null });
    const carried = server.seen.map(({ headers }) => headers.authorization);
    expect(carried.slice(2, 6)).toEqual(['Bearer new-1', undefined, 'Bearer own', 'Bearer x']);
  });

  it('is refused where an option is wrong, with all problems at once', () => {
    const error = vi.fn();
    try {
      credentials({ refresh: 5, origins: 'everywhere' } as never);
    } catch (thrown) {
      error(thrown);
    }
    expect(error.mock.lastCall?.[0]).toBeInstanceOf(InvalidPolicyError);
    expect(error.mock.lastCall?.[0].message).toMatch(/auth\.refresh .*auth\.origins/);
    for (const options of [undefined, null, {}, { refresh: async () => 'x', http: {} }])
      expect(() => credentials(options as never)).toThrow(InvalidPolicyError);
  });

  it('is known by a brand, so that another copy of this package knows it too', () => {
    const made = credentials({ refresh: async () => {} });
    expect(isCredentials(made)).toBe(true);
    expect(Symbol.for('axios-holdfast.credentials') in made).toBe(true);
  });
});

describe('closing', () => {
  /** Two instances with one session, whose refresh is in the test's hand. */
  async function waiting(shared: 'credentials' | 'object') {
    const { guarded, server } = await guardedServer();
    const fresh = gate<string>();
    const signals: AbortSignal[] = [];
    const options: AuthOptions = {
      token: () => 'old',
      refresh: ({ signal }) => {
        signals.push(signal);
        return fresh.promise;
      },
    };
    const auth = shared === 'credentials' ? credentials(options) : options;
    const [one, other] = [0, 1].map(() => {
      const client = axios.create({ baseURL: server.url });
      return { client, holdfast: attach(client, { auth }) };
    });
    if (one === undefined || other === undefined) throw new Error('there are two');
    const calls = [one.client.get('/one'), other.client.get('/other')];
    calls.forEach((call) => void call.catch(() => {}));
    await vi.waitFor(() => expect([signals.length, server.seen.length]).toEqual([1, 2]));
    // Both have their 401, and wait.
    await vi.waitFor(() => expect([one, other].map(({ holdfast }) => holdfast.stats().inFlight)).toEqual([0, 0]));
    await new Promise(setImmediate);
    return { guarded, fresh, signals, auth, one, other, calls };
  }

  it.each(['credentials', 'object'] as const)(
    'an attachment refuses its own calls; the refresh goes on for the others (%s)',
    async (shared) => {
      const { guarded, fresh, signals, one, calls } = await waiting(shared);
      await one.holdfast.close();
      const error = await rejectionOf(calls[0] as Promise<unknown>);
      expect(failureOf(error)).toMatchObject({ kind: 'refresh-failed', code: 'ERR_TOKEN_REFRESH', sends: 1 });
      expect(failureOf(error)?.summary).toContain('the attachment was closed');
      expect(signals[0]?.aborted).toBe(false);
      guarded.valid.add('fresh');
      fresh.open('fresh');
      expect(await calls[1]).toMatchObject({ status: 200 });
    },
  );

  it('the last attachment ends a refresh that nobody waits for any more', async () => {
    const { signals, one, other, calls } = await waiting('object');
    await Promise.all([one, other].map(({ holdfast }) => holdfast.close()));
    await Promise.all(calls.map(rejectionOf));
    expect(signals[0]?.aborted).toBe(true);
  });

  it('credentials ends the refresh for all, and begins no other', async () => {
    const { signals, auth, one, calls } = await waiting('credentials');
    await (auth as ReturnType<typeof credentials>).close();
    for (const error of [...(await Promise.all(calls.map(rejectionOf))), await rejectionOf(one.client.get('/x'))]) {
      expect(isHoldfastError(error)).toBe(true);
      expect(failureOf(error)).toMatchObject({ kind: 'refresh-failed', endedBecause: 'refresh-failed' });
      expect(failureOf(error)?.summary).toContain('the credentials are closed');
    }
    expect(signals).toHaveLength(1);
    expect(signals[0]?.aborted).toBe(true);
  });
});

describe('the same plain object', () => {
  it('shares where both attachments have the same origins', async () => {
    const { server, options } = await rotating();
    const clients = [server.url, `${server.url}/v2`].map((baseURL) => axios.create({ baseURL }));
    for (const client of clients) attach(client, { auth: options });
    await Promise.all(clients.flatMap((client) => [client.get('/x'), client.get('/y')]));
    expect([server.refreshes, server.loggedOut]).toEqual([1, false]);
  });

  it('shares through mergePolicies, whatever else is merged, unless other options are laid over it', async () => {
    const { server, options } = await rotating();
    const policies = [
      mergePolicies(partnerApi({ tenant: 'contoso' }), { auth: options, limit: false }),
      mergePolicies({ auth: options }, { deadlineMs: 10_000 }),
      mergePolicies(preparePolicy({ auth: options }), mergePolicies({ auth: options }, {}), { auth: undefined }),
      { auth: options },
    ];
    const clients = policies.map((policy) => {
      const client = axios.create({ baseURL: server.url });
      attach(client, policy);
      return client;
    });
    await Promise.all(clients.flatMap((client) => [client.get('/x'), client.get('/y')]));
    expect([server.refreshes, server.loggedOut]).toEqual([1, false]);
    const later = { ...options, refreshAheadMs: 5_000 };
    expect(mergePolicies({ auth: options }, { auth: later }).auth).toEqual(later);
    expect(mergePolicies({ auth: options }, { auth: later }).auth).not.toBe(later);
    expect(mergePolicies({ auth: options }, { auth: false }).auth).toBe(false);
  });

  it.each(['another origin', 'another object with the same functions'])('does not share with %s', async (what) => {
    const { guarded, server } = await guardedServer();
    const { server: elsewhere } = await guardedServer(guarded);
    const there = what === 'another origin' ? elsewhere.url : server.url;
    const clients = [server.url, there].map((baseURL) => axios.create({ baseURL }));
    clients.forEach((client, n) => {
      attach(client, { auth: n === 1 && there === server.url ? { ...guarded.auth } : guarded.auth });
    });
    for (const client of clients) await client.get('/x');
    expect(guarded.refreshes).toHaveLength(2);
  });

  it('begins anew after all its attachments were closed', async () => {
    const { guarded, server } = await guardedServer();
    for (const n of [1, 2]) {
      const client = axios.create({ baseURL: server.url });
      const holdfast = attach(client, { auth: guarded.auth });
      expect((await client.get('/x')).status).toBe(200);
      expect(guarded.refreshes).toHaveLength(n);
      await holdfast.close();
    }
  });
});
