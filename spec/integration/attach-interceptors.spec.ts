import axios, { type AxiosInstance, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { attach, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, type AdapterName, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Loopback, loopback } from '../support/loopback.ts';

const FAST: Policy = { retry: { backoff: () => 0, budget: false } };
const RECOVERS = inTurn(status(503), status(503), status(200, {}, { hello: 'world' }));
const STAYS_DOWN = status(503, {}, { error: 'down' });

async function serving(answer: Parameters<typeof loopback>[0]): Promise<Loopback> {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  return server;
}

/** An interceptor that notes what it is shown and leaves a mark on what it passes on. */
function requestMark(name: string, log: string[], asynchronous: boolean) {
  const mark = (config: InternalAxiosRequestConfig) => {
    log.push(`${name}: ${typeof config.data} ${config.headers.get('X-Marks') ?? ''}`);
    config.headers.set('X-Marks', `${config.headers.get('X-Marks') ?? ''}${name}`);
    return config;
  };
  return asynchronous ? async (config: InternalAxiosRequestConfig) => mark(config) : mark;
}

describe.each(ADAPTERS)("the caller's interceptors, with the %s adapter", (adapter: AdapterName) => {
  describe.each([
    ['synchronous', false, { synchronous: true }],
    ['asynchronous', true, undefined],
    ['synchronous but not declared so', false, undefined],
  ] as const)('%s', (_, asynchronous, options) => {
    it('run once per call, in the order of axios, registered before attach or after', async () => {
      const run = async (attached: boolean) => {
        const server = await serving(attached ? RECOVERS : status(200, {}, { hello: 'world' }));
        const client = axios.create({ baseURL: server.url, adapter });
        const log: string[] = [];
        const respond = (name: string) => (response: AxiosResponse) => {
          log.push(`${name}: ${response.status} ${JSON.stringify(response.data)}`);
          return response;
        };
        client.interceptors.request.use(requestMark('a', log, asynchronous), null, options);
        client.interceptors.response.use(respond('c'));
        if (attached) attach(client, FAST);
        client.interceptors.request.use(requestMark('b', log, asynchronous), null, options);
        client.interceptors.response.use(respond('d'));
        await client.put('/', { some: 'body' });
        return { log, marks: server.seen.map(({ headers }) => headers['x-marks']) };
      };
      const bare = await run(false);
      const attached = await run(true);
      expect(attached.log).toEqual(bare.log);
      expect(attached.log).toEqual([
        'b: object ',
        'a: object b',
        'c: 200 {"hello":"world"}',
        'd: 200 {"hello":"world"}',
      ]);
      expect(attached.marks).toEqual(['ba', 'ba', 'ba']);
    });
  });

  it('see a failure once, as the last AxiosError, and may turn it into a response', async () => {
    const server = await serving(STAYS_DOWN);
    const client = axios.create({ baseURL: server.url, adapter });
    const seen: unknown[] = [];
    const note = (error: unknown) => {
      seen.push(error);
      return Promise.reject(error);
    };
    client.interceptors.response.use(undefined, note);
    attach(client, FAST);
    client.interceptors.response.use(undefined, note);
    const error = await axiosErrorOf(client.get('/'));
    expect(seen).toEqual([error, error]);
    expect(server.seen).toHaveLength(4);

    client.interceptors.response.use(undefined, () => 'rescued');
    expect(await client.get('/')).toBe('rescued');
  });

  it('may return something other than the response', async () => {
    const server = await serving(RECOVERS);
    const client = axios.create({ baseURL: server.url, adapter });
    attach(client, FAST);
    client.interceptors.response.use(({ data }) => data);
    expect(await client.get('/')).toEqual({ hello: 'world' });
  });

  it('that throw reach the caller as they are, and nothing is sent again for them', async () => {
    const server = await serving(RECOVERS);
    const client = axios.create({ baseURL: server.url, adapter });
    const attachment = attach(client, FAST);
    const thrown = new Error('from a response interceptor');
    client.interceptors.response.use(() => {
      throw thrown;
    });
    expect(await rejectionOf(client.get('/'))).toBe(thrown);
    expect(failureOf(thrown)).toBeUndefined();
    expect(server.seen).toHaveLength(3);
    expect(attachment.stats()).toMatchObject({ calls: 1, sends: 3, inFlight: 0 });
  });

  it('may request the config of a failure again: one fresh loop, not a loop in a loop', async () => {
    const server = await serving((request, response, n) => (n < 7 ? STAYS_DOWN : status(200))(request, response, n));
    const client = axios.create({ baseURL: server.url, adapter });
    attach(client, FAST);
    let again = 0;
    client.interceptors.response.use(undefined, (error) => {
      again += 1;
      return again === 1 ? client.request(error.config) : Promise.reject(error);
    });
    const response = await client.put('/', { some: 'body' });
    expect(response.status).toBe(200);
    expect(again).toBe(1);
    expect(server.seen).toHaveLength(8);
    expect(new Set(server.seen.map(({ body }) => body.toString()))).toEqual(new Set(['{"some":"body"}']));
  });
});

describe.each(ADAPTERS)("the caller's transforms, with the %s adapter", (adapter: AdapterName) => {
  /** A client whose transforms count how often they run, and on what. */
  function transforming(server: Loopback): { client: AxiosInstance; log: unknown[] } {
    const log: unknown[] = [];
    const client = axios.create({
      baseURL: server.url,
      adapter,
      transformRequest: [
        (data, headers) => {
          log.push(['request', typeof data]);
          headers.set('X-Runs', `${headers.get('X-Runs') ?? ''}1`);
          headers.setContentType('application/json');
          return JSON.stringify({ wrapped: data });
        },
      ],
      transformResponse: [
        (data, headers, code) => {
          log.push(['response', code, typeof data, headers['content-type']]);
          return JSON.parse(data);
        },
      ],
    });
    attach(client, FAST);
    return { client, log };
  }

  it('run once per call that succeeds in the end', async () => {
    const server = await serving(RECOVERS);
    const { client, log } = transforming(server);
    expect((await client.put('/', 'x')).data).toEqual({ hello: 'world' });
    expect(log).toEqual([
      ['request', 'string'],
      ['response', 200, 'string', 'application/json'],
    ]);
    expect(server.seen.map(({ body, headers }) => [body.toString(), headers['x-runs']])).toEqual(
      Array(3).fill(['{"wrapped":"x"}', '1']),
    );
  });

  it('run once per call that fails in the end, on the last answer', async () => {
    const server = await serving(STAYS_DOWN);
    const { client, log } = transforming(server);
    const error = await axiosErrorOf(client.put('/', 'x'));
    expect(error.response?.data).toEqual({ error: 'down' });
    expect(log).toEqual([
      ['request', 'string'],
      ['response', 503, 'string', 'application/json'],
    ]);
    expect(server.seen).toHaveLength(4);
  });

  it('that throw fail the call as with bare axios, and nothing is sent again for them', async () => {
    const server = await serving(RECOVERS);
    const client = axios.create({ baseURL: server.url, adapter });
    const attachment = attach(client, FAST);
    const thrown = new Error('from a transform');
    const refuse = () => {
      throw thrown;
    };
    expect(await rejectionOf(client.put('/', 'x', { transformRequest: refuse }))).toBe(thrown);
    expect(server.seen).toHaveLength(0);
    expect(attachment.stats().calls).toBe(0);
    expect(await rejectionOf(client.get('/', { transformResponse: refuse }))).toBe(thrown);
    expect(server.seen).toHaveLength(3);
  });

  it('a body that is not the JSON it says it is fails the call as with bare axios', async () => {
    const server = await serving((_request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"half":');
    });
    const strict = { responseType: 'json', transitional: { silentJSONParsing: false } } as const;
    const client = axios.create({ baseURL: server.url, adapter, ...strict });
    const bare = await axiosErrorOf(client.get('/'));
    attach(client, FAST);
    const error = await axiosErrorOf(client.get('/'));
    expect(error).toMatchObject({ name: bare.name, message: bare.message, code: bare.code });
    expect(error.config?.adapter).toBe(adapter);
    expect(server.seen).toHaveLength(2);
  });
});
