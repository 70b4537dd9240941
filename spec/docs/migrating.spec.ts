import { Readable } from 'node:stream';
import axios, { type AxiosError, type AxiosHeaders, type AxiosInstance, type InternalAxiosRequestConfig } from 'axios';
import { setupCache } from 'axios-cache-interceptor';
import { type Attachment, attach, failureOf, mergePolicies, type Policy, reportOf } from 'axios-holdfast';
import axiosRetry from 'axios-holdfast/axios-retry';
import realAxiosRetry from 'axios-retry';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { documentedWorld } from '../support/documented.ts';
import { type Answer, json, loopback } from '../support/loopback.ts';
import { bare, checkBlocks, pageOf, proveRows } from '../support/pages.ts';
import { scripted } from '../support/scripted.ts';

const page = pageOf('docs/migrating.md');
const reset: Answer = (_request, response) => void response.destroy();

/** The tables whose second column is a policy, and what that is written with. */
const TABLES = ['axios-retry', 'retry-axios', 'axios-auth-refresh', 'axios-rate-limit'] as const;
const USED = ['constantBackoff', 'exponentialBackoff', 'linearBackoff'];
const written = TABLES.map((name) => [name, page.table(name).map(([, here = '']) => `{ ${bare(here)} }`)] as const);
const code = `
import { ${USED.join(', ')}, type Policy } from 'axios-holdfast';
export const session = { token: 'old', renew: async () => (session.token = 'new') };
export const policies: { readonly [table: string]: readonly Policy[] } = {
${written.map(([name, rows]) => `'${name}': [${rows.join(',\n')}],`).join('\n')}
};
`;

interface Written {
  readonly session: { token: string };
  readonly policies: { readonly [table: string]: readonly Policy[] };
}

describe('the blocks of docs/migrating.md', () => {
  const blocks = checkBlocks({ ...page, blocks: [...page.blocks, code] }, documentedWorld);
  const load = async () => (await blocks.run('export const policies')) as unknown as Written;

  /** The policy that stands in a row. */
  async function policyOf(table: (typeof TABLES)[number], there = ''): Promise<Policy> {
    const at = page.table(table).findIndex(([first]) => first === there);
    return (await load()).policies[table]?.[at] ?? {};
  }

  /** A proof of a row, by a client that has its policy. */
  type Proof = (policy: Policy) => Promise<void>;
  const prove = (table: (typeof TABLES)[number], proofs: { readonly [row: string]: Proof }) => {
    const whole = Object.entries(proofs).map(([row, proof]) => [
      row,
      async ([there = '']: readonly string[]) => proof(await policyOf(table, there)),
    ]);
    describe(`the rows of ${table}`, () => proveRows(page.table(table), Object.fromEntries(whole)));
  };

  /** How many requests a call makes that is answered so for ever, and the call's error or response. */
  async function sends(policy: Policy, answer: Answer, method = 'get') {
    const { client, server } = await attached(answer, policy);
    const ended = await client.request({ method, url: '/' }).catch((error: unknown) => error);
    return { sends: server.seen.length, ended };
  }
  /** What the policy waits before each retry, in ms. */
  async function waits(policy: Policy): Promise<readonly number[]> {
    const subject = scripted([503, 503, 503, 503], policy);
    await subject.call();
    return [1, 2, 3].map((n) => Number(subject.sentAt[n]) - Number(subject.sentAt[n - 1]));
  }
  const busy: Answer = (_request, response) => json(response, 200, { busy: true });

  prove('axios-retry', {
    'retries: 5': async (policy) => {
      expect((await sends(policy, status(503))).sends).toBe(6);
      expect((await sends({}, status(503))).sends).toBe(4);
    },
    '5xx of a GET, PUT or DELETE': async (policy) => {
      for (const code of [500, 503, 507]) expect((await sends(policy, status(code), 'put')).sends).toBe(4);
      expect((await sends(policy, status(500), 'post')).sends).toBe(1);
      for (const code of [502, 503, 504]) expect((await sends({}, status(code))).sends).toBe(4);
      expect((await sends({}, status(500))).sends).toBe(1);
    },
    'no delay': async (policy) => expect(await waits(policy)).toEqual([0, 0, 0]),
    exponentialDelay: async (policy) => {
      expect(await waits(policy)).toEqual([200, 400, 800]);
      const theirs = [1, 2, 3].map((n) => realAxiosRetry.exponentialDelay(n));
      for (const [n, ms] of theirs.entries()) expect(ms / 200 / 2 ** n).toBeCloseTo(1.1, 0);
    },
    'linearDelay()': async (policy) => {
      expect(await waits(policy)).toEqual([1, 2, 3].map((n) => realAxiosRetry.linearDelay()(n, undefined)));
      const named = scripted([{ status: 503, headers: { 'retry-after': '7' } }, 200], policy);
      await named.call();
      expect(named.sentAt).toEqual([0, 7_000]);
    },
    'retryDelay: (n) => n ** 2': async (policy) => expect(await waits(policy)).toEqual([1, 4, 9]),
    'retryCondition, by status': async (policy) => {
      expect((await sends(policy, status(409))).sends).toBe(4);
      expect((await sends(policy, status(404))).sends).toBe(1);
    },
    'a POST, always': async (policy) => {
      expect((await sends(policy, reset, 'post')).sends).toBe(4);
      expect((await sends({}, reset, 'post')).sends).toBe(1);
      expect((await sends({ idempotency: {} }, reset, 'post')).sends).toBe(4);
    },
    validateResponse: async (policy) => {
      const { sends: made, ended } = await sends(policy, busy);
      expect([made, (ended as AxiosError).response?.status, axios.isAxiosError(ended)]).toEqual([4, 200, true]);
    },
    'timeout, shared by all tries': async (policy) => {
      const subject = scripted(() => 503, mergePolicies({ retry: { maxRetries: 9, backoff: () => 2_000 } }, policy));
      expect(failureOf(await subject.call())?.endedBecause).toBe('deadline');
      expect(subject.sentAt).toEqual([0, 2_000, 4_000]);
    },
    onRetry: async (policy) => {
      const { client, server } = await attached(inTurn(status(503), status(200)), policy);
      await client.get('/');
      expect(server.seen.map(({ headers }) => headers['x-retry'])).toEqual([undefined, '1']);
    },
    onMaxRetryTimesExceeded: async (policy) => {
      const told = vi.spyOn(console, 'log').mockImplementation(() => {});
      await sends(policy, status(503));
      await sends(policy, status(404));
      expect(told.mock.calls).toEqual([['retries-exhausted'], ['not-retryable']]);
    },
  });

  prove('retry-axios', {
    'statusCodesToRetry: [[429, 429], [500, 599]]': async (policy) => {
      for (const code of [500, 599]) expect((await sends(policy, status(code))).sends).toBe(4);
      expect((await sends({}, status(429), 'post')).sends).toBe(4);
    },
    'maxRetryAfter, 5 minutes': async (policy) => {
      const retryAfter = { status: 503, headers: { 'retry-after': '200' } };
      const [theirs, ours] = [scripted([retryAfter, 200], policy), scripted([retryAfter, 200])];
      expect(await theirs.call()).toMatchObject({ status: 200 });
      expect(failureOf(await ours.call())?.endedBecause).toBe('wait-too-long');
      const twice = scripted([retryAfter, retryAfter, 200], policy);
      expect(failureOf(await twice.call())?.endedBecause).toBe('wait-too-long');
    },
    'checkRetryAfter: false': async (policy) => {
      const subject = scripted([{ status: 503, headers: { 'retry-after': '7' } }, 200], policy);
      await subject.call();
      expect(subject.sentAt[1]).toBeLessThan(1_000);
    },
    'exponential, 0.05, 0.15, 0.35 s': async (policy) => {
      expect(await waits(policy)).toEqual([50, 150, 350]);
      expect(await waits({})).toEqual([500, 1_000, 2_000]);
    },
    "backoffType: 'static'": async (policy) => expect(await waits(policy)).toEqual([100, 100, 100]),
    "backoffType: 'linear'": async (policy) => expect(await waits(policy)).toEqual([1_000, 2_000, 3_000]),
    'noResponseRetries: 2': async (policy) => {
      expect((await sends(policy, reset)).sends).toBe(3);
      expect((await sends(policy, status(503))).sends).toBe(3);
      expect((await sends(policy, reset, 'post')).sends).toBe(1);
    },
    shouldRetry: async (policy) => expect((await sends(policy, status(404))).sends).toBe(4),
  });

  /** A server that wants the new token; `refused` is how it refuses the old one. */
  const guarded =
    (refused = 401): Answer =>
    ({ headers }, response) =>
      json(response, headers.authorization === 'Bearer new' ? 200 : refused);

  prove('axios-auth-refresh', {
    'the token in a request interceptor': async (policy) => {
      const { client, server } = await attached(guarded(), policy);
      expect((await client.get('/')).status).toBe(200);
      expect(server.seen.map(({ headers }) => headers.authorization)).toEqual(['Bearer old', 'Bearer new']);

      let token = 'old';
      const refresh = async () => {
        token = 'new';
      };
      const trap = await attached(guarded(), { auth: { refresh } });
      trap.client.interceptors.request.use((config) => {
        config.headers.set('Authorization', `Bearer ${token}`);
        return config;
      });
      expect(failureOf(await axiosErrorOf(trap.client.get('/')))?.endedBecause).toBe('still-unauthorized');
    },
    'a cookie, and no token': async (policy) => {
      const { session } = await load();
      expect(session.token).toBe('old');
      // The session is known by a cookie, which a jar would send. All five are refused before the first is sent again.
      const refusals: (() => void)[] = [];
      const { client, holdfast } = await attached((_request, response, n) => {
        if (n >= 5) return json(response, 200);
        refusals.push(() => json(response, 401));
        if (n === 4) for (const refuse of refusals) refuse();
      }, policy);
      const all = await Promise.all(Array.from({ length: 5 }, () => client.get('/')));
      expect(all.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
      expect(holdfast.stats().refreshes).toBe(1);
    },
    'statusCodes: [401, 403]': async (policy) => {
      for (const refused of [401, 403]) {
        const fresh = (await load()).policies['axios-auth-refresh']?.[2] ?? policy;
        const { client, server } = await attached(guarded(refused), fresh);
        expect((await client.get('/')).status).toBe(200);
        expect(server.seen).toHaveLength(2);
      }
      const never = await attached(status(403), policy);
      await axiosErrorOf(never.client.get('/'));
      expect(never.server.seen).toHaveLength(2);
    },
  });

  /** When so many calls at once leave, in ms, after `change`. */
  async function leaves(
    policy: Policy,
    calls: number,
    change?: (holdfast: Attachment) => void,
  ): Promise<readonly number[]> {
    const subject = scripted(() => 200, policy);
    const { client, clock, holdfast } = subject;
    const all = Promise.all(Array.from({ length: calls }, () => client.get('/')));
    change?.(holdfast);
    await clock.run(all);
    return subject.sentAt;
  }

  prove('axios-rate-limit', {
    'maxRequests: 2, perMilliseconds: 1_000': async (policy) => {
      const [first, second, third] = await leaves(policy, 3);
      expect([first, second]).toEqual([0, 0]);
      expect(third).toBeGreaterThanOrEqual(1_000);
      const [, spaced] = await leaves({ limit: { requests: 2, perMs: 1_000 } }, 2);
      expect(spaced).toBeGreaterThanOrEqual(500);
    },
    'setMaxRPS(3)': async (policy) => {
      const two: Policy = { limit: { requests: 2, perMs: 1_000, burst: 'all' } };
      const at = await leaves(two, 3, (holdfast) => holdfast.update(policy));
      expect(at).toEqual([0, 0, 0]);
    },
  });
});

describe('what docs/migrating.md says besides', () => {
  it('of a call of its own', async () => {
    const { client, server } = await attached(status(503));
    const error = await axiosErrorOf(client.get('/', { holdfast: { retry: { maxRetries: 5 } } }));
    expect([server.seen.length, failureOf(error)?.retries]).toEqual([6, 5]);
    expect(page.text).toContain('`holdfast: { retry: { maxRetries: 5 } }`');
  });

  it('of a call without a token', async () => {
    const refresh = vi.fn(async () => 'new');
    const { client } = await attached(status(401), { auth: { token: () => 'old', refresh } });
    await axiosErrorOf(client.get('/', { holdfast: { auth: false } }));
    expect(refresh).not.toHaveBeenCalled();
  });

  it('of a cache: its answers take no permit', async () => {
    const server = await loopback(status(200, { 'cache-control': 'max-age=60' }));
    onTestFinished(() => server.close());
    const client = setupCache(axios.create({ baseURL: server.url }));
    attach(client, { limit: { requests: 1, perMs: 60_000, maxWaitMs: 1 } });
    const [first, second] = [await client.get('/'), await client.get('/')];
    expect([first.cached, second.cached, server.seen.length]).toEqual([false, true, 1]);
    expect(reportOf(second)).toBeUndefined();
  });
});

describe('how the drop-in differs', () => {
  type Options = Parameters<typeof axiosRetry>[1];

  async function retrying(answer: Answer, options?: Options, prepare: (client: AxiosInstance) => void = () => {}) {
    const server = await loopback(answer);
    onTestFinished(() => server.close());
    const client = axios.create({ baseURL: server.url });
    prepare(client);
    return { server, client, ids: axiosRetry(client, options) };
  }
  const yes = () => true;

  proveRows(page.table('drop-in'), {
    'interceptors run again for each retry': async () => {
      const bodies: unknown[] = [];
      const request = (config: InternalAxiosRequestConfig) => {
        bodies.push(config.data);
        return config;
      };
      const response = vi.fn(({ data }) => data);
      const { client, server } = await retrying(
        inTurn(status(503), status(200, {}, { a: 1 })),
        { onRetry: (_n, _error, config) => void (config.headers as AxiosHeaders).set('Authorization', 'Bearer new') },
        ({ interceptors }) => {
          interceptors.request.use(request);
          interceptors.response.use(response);
        },
      );
      expect(await client.post('/', { b: 2 }, { 'axios-retry': { retryCondition: yes } })).toEqual({ a: 1 });
      expect([bodies, response.mock.calls.length]).toEqual([[{ b: 2 }], 1]);
      expect(server.seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer new']);
    },
    'an error that an interceptor throws is retried': async () => {
      const isGood = ({ data }: { data: { error?: string } }) => data.error === undefined;
      const refuse = ({ interceptors }: AxiosInstance) =>
        void interceptors.response.use((answer) =>
          isGood(answer) ? answer : Promise.reject(Object.assign(new Error('busy'), { config: answer.config })),
        );
      const answer = () => inTurn(status(200, {}, { error: 'busy' }), status(200));
      const thrown = await retrying(answer(), { retryCondition: yes }, refuse);
      expect(await rejectionOf(thrown.client.get('/'))).toMatchObject({ message: 'busy' });
      const { client, server } = await retrying(answer(), { retryCondition: yes, validateResponse: isGood }, refuse);
      expect([(await client.get('/')).status, server.seen.length]).toEqual([200, 2]);
    },
    'by default, a POST whose connection was lost is sent again': async () => {
      const lost = await retrying(reset);
      expect(failureOf(await axiosErrorOf(lost.client.post('/', {})))?.endedBecause).toBe('unsafe-method');
      expect(lost.server.seen).toHaveLength(1);
      const { client, server } = await retrying(status(200));
      await server.close();
      const onRetry = vi.fn();
      await axiosErrorOf(client.post('/', {}, { 'axios-retry': { onRetry } }));
      expect(onRetry).toHaveBeenCalledTimes(3);
      const obeyed = await retrying(reset, { retryCondition: yes });
      await axiosErrorOf(obeyed.client.post('/', {}));
      expect(obeyed.server.seen).toHaveLength(4);
    },
    'by default, a wrong URL or too large a body is retried': async () => {
      const onRetry = vi.fn();
      const { client } = await retrying(status(200), { onRetry });
      await rejectionOf(client.get('nowhere://x'));
      await rejectionOf(client.put('/', 'x'.repeat(100), { maxBodyLength: 10 }));
      expect(onRetry).not.toHaveBeenCalled();
    },
    'a stream is sent again, empty': async () => {
      const { client, server } = await retrying(status(503), { retryCondition: yes });
      const error = await axiosErrorOf(client.put('/', Readable.from(['a', 'b'])));
      expect(failureOf(error)?.endedBecause).toBe('body-not-replayable');
      expect([error.response?.status, error.config?.['axios-retry']?.retryCount]).toEqual([503, 0]);
      expect(server.seen.map(({ body }) => String(body))).toEqual(['ab']);
    },
    "a 2xx whose body can't be parsed is retried": async () => {
      const answer: Answer = (_request, response) => void response.writeHead(200).end('{');
      const { client, server } = await retrying(answer, { retryCondition: yes });
      const strict = { responseType: 'json', transitional: { silentJSONParsing: false } } as const;
      expect(await rejectionOf(client.get('/', strict))).toMatchObject({ code: 'ERR_BAD_RESPONSE' });
      expect(server.seen).toHaveLength(1);
    },
    'a delay over 24.8 days is none': async () => {
      const { client, server } = await retrying(status(503, { 'retry-after': '99999999' }));
      expect(failureOf(await axiosErrorOf(client.get('/')))?.endedBecause).toBe('wait-too-long');
      expect(server.seen).toHaveLength(1);
    },
    'a delay that is no number is none': async () => {
      for (const retryDelay of [async () => 5, () => undefined, () => Number.NaN]) {
        const { client, server } = await retrying(status(503), { retryDelay: retryDelay as () => number });
        const error = await rejectionOf(client.get('/'));
        expect(error).toBeInstanceOf(TypeError);
        expect(error).toMatchObject({
          message: expect.stringMatching(/^retryDelay must return/),
          cause: { status: 503 },
        });
        expect(server.seen).toHaveLength(1);
      }
    },
    'a cancelled call goes through conditions and hooks': async () => {
      const [retryCondition, onRetry, onMaxRetryTimesExceeded] = [vi.fn(yes), vi.fn(), vi.fn()];
      const controller = new AbortController();
      const { client } = await retrying(() => controller.abort(), { retryCondition, onRetry, onMaxRetryTimesExceeded });
      expect(axios.isCancel(await rejectionOf(client.get('/', { signal: controller.signal })))).toBe(true);
      for (const hook of [retryCondition, onRetry, onMaxRetryTimesExceeded]) expect(hook).not.toHaveBeenCalled();
    },
    'response.config is what was sent last': async () => {
      const { client } = await retrying(inTurn(status(503), status(200)), {
        onRetry: (_n, _error, config) => {
          config.url = '/mirror';
        },
      });
      const { config } = await client.get('/x');
      expect([config.url, config['axios-retry']?.retryCount]).toEqual(['/x', 1]);
    },
    'client.request(error.config) has no retries left': async () => {
      const { client, server } = await retrying(status(503), { retries: 1 });
      const { config } = await axiosErrorOf(client.get('/'));
      await axiosErrorOf(client.request({ ...config }));
      expect(server.seen).toHaveLength(4);
    },
    'registered twice, sends multiply': async () => {
      const { client, server } = await retrying(status(503), { retries: 3 });
      axiosRetry(client, { retries: 1 });
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(2);
    },
    'either id is ejected: the retries may stay': async () => {
      for (const [manager, id] of [
        ['request', 'requestInterceptorId'],
        ['response', 'responseInterceptorId'],
      ] as const) {
        const { client, server, ids } = await retrying(status(503));
        client.interceptors[manager].eject(ids[id]);
        await axiosErrorOf(client.get('/'));
        expect(server.seen).toHaveLength(1);
      }
    },
    'wrong options are ignored; undefined takes a default away': async () => {
      expect(() => axiosRetry(axios.create(), { retry: 3 } as never)).toThrow(
        /axios-retry\.retry is not an option; did you mean retries\?/,
      );
      const nothing: object = { retries: undefined };
      const { client, server } = await retrying(status(503), nothing);
      await axiosErrorOf(client.get('/'));
      expect(server.seen).toHaveLength(4);
    },
    'stands beside any other': async () => {
      const [real, ours] = [axios.create(), axios.create()];
      realAxiosRetry(real);
      attach(ours);
      expect(() => axiosRetry(real)).toThrow(/axios-retry is registered/);
      expect(() => axiosRetry(ours)).toThrow(/attached to this axios instance already/);
    },
  });

  it('in nothing that its users suffer from: a long-lived signal keeps no listener, however many calls it is given to', async () => {
    const { signal } = new AbortController();
    const [added, removed] = [vi.spyOn(signal, 'addEventListener'), vi.spyOn(signal, 'removeEventListener')];
    const { client } = await retrying(status(503), { retries: 2 });
    for (let n = 0; n < 5; n++) await axiosErrorOf(client.get('/', { signal }));
    expect(added.mock.calls.length).toBeGreaterThan(0);
    expect(removed.mock.calls.length).toBeGreaterThanOrEqual(added.mock.calls.length);
  });

  it('nor on an instance of another copy of axios: the headers of a retry are those of the call', async () => {
    const { default: axios17 } = await import('axios-1.7');
    const server = await loopback(inTurn(status(503), status(200)));
    onTestFinished(() => server.close());
    const client = axios17.create({ baseURL: server.url, headers: { 'X-Client': 'mine' } });
    axiosRetry(client as never, { retries: 2 });
    expect((await client.get('/')).status).toBe(200);
    const [one, two] = server.seen.map(({ headers }) => headers);
    expect(two).toEqual(one);
    expect(two?.['x-client']).toBe('mine');
  });
});
