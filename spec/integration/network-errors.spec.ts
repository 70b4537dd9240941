import axios from 'axios';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import {
  ADAPTERS,
  type AdapterName,
  attached,
  axiosErrorOf,
  inTurn,
  rejectionOf,
  status,
} from '../support/attached.ts';
import { closedPort } from '../support/closed-port.ts';
import { hangUp, impatientAtFirst, reset, silent, TIMEOUT_MS, truncated, untrusted } from '../support/faults.ts';

// The xhr adapter needs a browser and is not run here. Its errors are told apart by the same codes:
// spec/classify/network.spec.ts.

const UNSENT = { retry: { backoff: () => 0 } } satisfies Policy;
/** Sends the first to an address where nobody is, and the later ones to the server. */
const elsewhereFirst = (nowhere: string): Policy => ({
  beforeSend: ({ config, send }) => {
    if (send === 1) config.baseURL = nowhere;
  },
});

/** Codes of a name that does not resolve; which one depends on the resolver of this machine. */
const NO_SUCH_NAME = /^(ENOTFOUND|EAI_AGAIN|EAI_FAIL)$/;

describe.each(ADAPTERS)('errors of the network over the %s adapter', (adapter) => {
  describe.each(['GET', 'POST'])('%s', (method) => {
    const data = method === 'POST' ? { item: 1 } : undefined;
    const once = method === 'POST';

    it('is repeated after a refused connection', async () => {
      const nowhere = `http://127.0.0.1:${await closedPort()}`;
      const { server, client } = await attached(status(200), elsewhereFirst(nowhere), { adapter });

      const response = await client.request({ method, url: '/', data });

      expect(server.seen.map((request) => request.method)).toEqual([method]);
      expect(reportOf(response)?.sends).toMatchObject([
        { code: 'ECONNREFUSED', verdict: 'transient', decision: 'retry' },
        { status: 200 },
      ]);
    });

    it('is repeated after a name that does not resolve', async () => {
      const { server, client } = await attached(status(200), elsewhereFirst('http://nowhere.invalid'), { adapter });

      const response = await client.request({ method, url: '/', data });

      expect(server.seen).toHaveLength(1);
      expect(reportOf(response)?.sends).toMatchObject([
        { code: expect.stringMatching(NO_SUCH_NAME), verdict: 'transient', decision: 'retry' },
        { status: 200 },
      ]);
    });

    it('ends with the refusal when nobody ever listens', async () => {
      const client = axios.create({ adapter, baseURL: `http://127.0.0.1:${await closedPort()}` });
      attach(client, UNSENT);
      const error = await axiosErrorOf(client.request({ method, url: '/', data }));
      expect(error.response).toBeUndefined();
      expect(failureOf(error)).toMatchObject({
        kind: 'network',
        code: 'ECONNREFUSED',
        endedBecause: 'retries-exhausted',
        sends: 4,
      });
    });

    it.each([
      ['reset', reset, 'network'],
      ['closed', hangUp, 'network'],
      ['truncated', truncated, 'network'],
    ] as const)(`is ${once ? 'never' : ''} repeated after an answer that was %s`, async (_what, fault, kind) => {
      const { server, client } = await attached(inTurn(fault, status(200, {}, { whole: true })), {}, { adapter });
      const call = client.request({ method, url: '/', data });
      if (once) {
        const error = await axiosErrorOf(call);
        expect(failureOf(error)).toMatchObject({ kind, endedBecause: 'unsafe-method', sends: 1 });
        expect(server.seen).toHaveLength(1);
      } else {
        const response = await call;
        expect(response.data).toEqual({ whole: true });
        expect(reportOf(response)?.sends[0]).toMatchObject({ verdict: 'transient', decision: 'retry' });
        expect(server.seen).toHaveLength(2);
      }
    });

    it.each([false, true])(
      `is ${once ? 'never' : ''} repeated after a timeout (clarifyTimeoutError: %s)`,
      async (clarifyTimeoutError) => {
        const transitional = { clarifyTimeoutError };
        const answers = inTurn(silent, status(200));
        const { server, client } = await attached(answers, impatientAtFirst, { adapter, transitional });
        const call = client.request({ method, url: '/', data });
        const code = adapter === 'fetch' || clarifyTimeoutError ? 'ETIMEDOUT' : 'ECONNABORTED';
        if (once) {
          const error = await axiosErrorOf(call);
          expect(error.code).toBe(code);
          expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'unsafe-method', sends: 1 });
          expect(server.seen).toHaveLength(1);
        } else {
          expect(reportOf(await call)?.sends).toMatchObject([{ code, verdict: 'transient' }, { status: 200 }]);
          expect(server.seen).toHaveLength(2);
        }
      },
    );
  });

  it.each([
    ['reset', reset],
    ['closed', hangUp],
    ['truncated', truncated],
  ] as const)('ends with the last error, untouched, when every answer is %s', async (_what, fault) => {
    const { server, client } = await attached(fault, {}, { adapter });
    const error = await axiosErrorOf(client.get('/'));
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 4 });
    expect(server.seen).toHaveLength(4);
  });

  it('does not retry a timeout with retry.timeouts: false, but anything else', async () => {
    // The first has all the time that a busy machine needs for a reset.
    const beforeSend: Policy['beforeSend'] = ({ config, send }) => {
      config.timeout = send === 1 ? 0 : TIMEOUT_MS;
    };
    const policy: Policy = { retry: { timeouts: false }, beforeSend };
    const { server, client } = await attached(inTurn(reset, silent), policy, { adapter });
    const error = await axiosErrorOf(client.get('/'));
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'not-retryable', sends: 2 });
    expect(server.seen).toHaveLength(2);
  });

  it('does not retry a TLS handshake with a server that speaks plain HTTP', async () => {
    const { server, client } = await attached(status(200), {}, { adapter });
    const error = await axiosErrorOf(client.get(server.url.replace('http:', 'https:')));
    expect(failureOf(error)).toMatchObject({
      kind: 'network',
      code: adapter === 'http' ? 'EPROTO' : 'ERR_SSL_WRONG_VERSION_NUMBER',
      endedBecause: 'not-retryable',
      sends: 1,
    });
    expect(server.connections).toBe(1);
  });

  it('does not retry a certificate that nobody trusts', async () => {
    const server = await untrusted();
    const client = axios.create({ adapter });
    attach(client, UNSENT);
    const error = await axiosErrorOf(client.get(server.url));
    expect(failureOf(error)).toMatchObject({
      kind: 'network',
      code: 'DEPTH_ZERO_SELF_SIGNED_CERT',
      endedBecause: 'not-retryable',
      sends: 1,
    });
    expect(server.connections).toBe(1);
  });

  it('does not retry a redirect that goes round in a circle', async () => {
    const { client } = await attached(status(302, { location: '/' }), {}, { adapter });
    const error = await axiosErrorOf(client.get('/', { maxRedirects: 3 }));
    expect(failureOf(error)).toMatchObject({ endedBecause: 'not-retryable', sends: 1 });
  });

  it('does not retry an answer above maxContentLength', async () => {
    const large = status(200, {}, 'x'.repeat(1_000));
    const { server, client } = await attached(large, {}, { adapter, maxContentLength: 100 });
    const error = await axiosErrorOf(client.get('/'));
    expect(failureOf(error)).toMatchObject({ code: 'ERR_BAD_RESPONSE', endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen).toHaveLength(1);
  });

  it('does not retry a body above maxBodyLength', async () => {
    const { server, client } = await attached(status(200), {}, { adapter, maxBodyLength: 100, maxRedirects: 0 });
    const error = await axiosErrorOf(client.put('/', 'x'.repeat(1_000)));
    expect(failureOf(error)).toMatchObject({ code: 'ERR_BAD_REQUEST', endedBecause: 'not-retryable', sends: 1 });
    expect(server.seen).toHaveLength(0);
  });

  it.each(['gopher://127.0.0.1/', 'http://127.0.0.1:x/'])(
    'does not retry an address that cannot be: %s',
    async (url) => {
      const client = axios.create({ adapter });
      attach(client, UNSENT);
      const error = await rejectionOf(client.get(url));
      expect(reportOf(error)).toMatchObject({ endedBecause: 'not-retryable', sends: [{ verdict: 'permanent' }] });
    },
  );

  describe('cancelled', () => {
    it('by a signal before it begins, it is not sent', async () => {
      const { server, client } = await attached(status(200), {}, { adapter });
      const error = await rejectionOf(client.get('/', { signal: AbortSignal.abort() }));
      expect(axios.isCancel(error)).toBe(true);
      expect(server.seen).toHaveLength(0);
    });

    it('by a signal while it is under way, it is not sent again', async () => {
      const controller = new AbortController();
      const { server, client } = await attached(() => controller.abort(), {}, { adapter });
      const error = await rejectionOf(client.get('/', { signal: controller.signal }));
      expect(axios.isCancel(error)).toBe(true);
      expect(failureOf(error)).toMatchObject({ kind: 'cancelled', endedBecause: 'cancelled', sends: 1 });
      expect(server.seen).toHaveLength(1);
    });

    it('by a CancelToken while it is under way, it is not sent again', async () => {
      const source = axios.CancelToken.source();
      const { server, client } = await attached(() => source.cancel('enough'), {}, { adapter });
      const error = await rejectionOf(client.get('/', { cancelToken: source.token }));
      expect(error).toMatchObject({ message: 'enough', code: 'ERR_CANCELED' });
      expect(failureOf(error)?.endedBecause).toBe('cancelled');
      expect(server.seen).toHaveLength(1);
    });

    it('by AbortSignal.timeout(), which is no timeout of axios, it is not sent again', async () => {
      const { server, client } = await attached(silent, {}, { adapter });
      const error = await rejectionOf(client.get('/', { signal: AbortSignal.timeout(TIMEOUT_MS) }));
      expect(axios.isCancel(error)).toBe(true);
      expect(failureOf(error)?.endedBecause).toBe('cancelled');
      expect(server.seen).toHaveLength(1);
    });

    it('while a truncated body comes in, it is not sent again', async () => {
      const controller = new AbortController();
      const { server, client } = await attached(
        (_request, response) => {
          response.writeHead(200, { 'content-length': 100 });
          response.write('half', () => controller.abort());
        },
        {},
        { adapter },
      );
      const error = await rejectionOf(client.get('/', { signal: controller.signal }));
      expect(axios.isCancel(error)).toBe(true);
      expect(failureOf(error)?.endedBecause).toBe('cancelled');
      expect(server.seen).toHaveLength(1);
    });
  });
});

describe('a resolver of the caller (http adapter)', () => {
  const adapter: AdapterName = 'http';

  it.each(['ENOTFOUND', 'EAI_AGAIN'])('may fail with %s, and a POST is repeated', async (code) => {
    let asked = 0;
    const lookup = async () => {
      asked += 1;
      if (asked === 1) throw Object.assign(new Error(`getaddrinfo ${code}`), { code, syscall: 'getaddrinfo' });
      return { address: '127.0.0.1', family: 4 } as const;
    };
    const { server, client } = await attached(status(200), {}, { adapter });
    const response = await client.post(server.url.replace('127.0.0.1', 'flapping.example'), {}, { lookup });
    expect(reportOf(response)?.sends).toMatchObject([{ code, decision: 'retry' }, { status: 200 }]);
    expect(server.seen).toHaveLength(1);
  });

  it('may find two addresses that both refuse', async () => {
    const port = await closedPort();
    const client = axios.create({ adapter });
    attach(client, UNSENT);
    const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 as const }));
    const lookup = async (): Promise<[typeof addresses]> => [addresses];
    const error = await axiosErrorOf(client.post(`http://two.example:${port}/`, {}, { lookup }));
    expect(failureOf(error)).toMatchObject({ code: 'ECONNREFUSED', endedBecause: 'retries-exhausted', sends: 4 });
  });
});
