import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import axios, { type AxiosRequestConfig, type CreateAxiosDefaults } from 'axios';
import older from 'axios-1.7';
import { attach, failureOf, type Policy, reportOf } from 'axios-holdfast';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { SocksProxyAgent } from 'socks-proxy-agent';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADAPTERS, type Attached, attached, axiosErrorOf, inTurn, status } from '../support/attached.ts';
import { closedPort } from '../support/closed-port.ts';
import { reset, selfSigned, silent, TIMEOUT_MS, truncated } from '../support/faults.ts';
import { connectProxy, socksProxy } from '../support/proxies.ts';
import { endsAtOnce, listening, mute, peer, resetsAtOnce, unreachablePort } from '../support/silent-peers.ts';

const ORDER = { item: 1 };

/** The first send goes elsewhere, the others to a server that is well. */
function elsewhereFirst(
  first: AxiosRequestConfig,
  policy: Policy = {},
  defaults: CreateAxiosDefaults = {},
): Promise<Attached> {
  const elsewhere: Policy = {
    beforeSend: ({ config, send }) => {
      if (send === 1) Object.assign(config, first);
    },
  };
  return attached(status(200), { ...elsewhere, ...policy }, defaults);
}

/** A POST that was repeated after one send that nobody applied. */
async function repeated({ client, server }: Attached, config: AxiosRequestConfig = {}) {
  const response = await client.post('/', ORDER, config);
  expect(server.seen.map(({ method }) => method)).toEqual(['POST']);
  const [first, second, ...more] = reportOf(response)?.sends ?? [];
  expect(first).toMatchObject({ verdict: 'transient', decision: 'retry' });
  expect(second).toMatchObject({ status: 200 });
  expect(more).toEqual([]);
}

/** A POST that was sent once and, for all that is known, applied. */
async function sentOnce({ client }: Attached, kind: 'network' | 'timeout', config: AxiosRequestConfig = {}) {
  const error = await axiosErrorOf(client.post('/', ORDER, config));
  expect(failureOf(error)).toMatchObject({ kind, endedBecause: 'unsafe-method', sends: 1 });
}

const https1 = (port: number) => `https://127.0.0.1:${port}`;

describe.each(ADAPTERS)(
  'before the TLS handshake is done nothing was sent (%s adapter), so a POST is repeated',
  (adapter) => {
    it('where the peer ends the connection', async () => {
      const { port, seen } = await endsAtOnce();
      await repeated(await elsewhereFirst({ baseURL: https1(port) }, {}, { adapter }));
      expect(seen()).toBe(1);
    });

    it.runIf(adapter === 'http')('where it resets it', async () => {
      const { port } = await resetsAtOnce();
      await repeated(await elsewhereFirst({ baseURL: https1(port) }, {}, { adapter }));
    });

    it.runIf(adapter === 'http')('where it says nothing until `timeout`', async () => {
      const { port } = await mute();
      await repeated(await elsewhereFirst({ baseURL: https1(port), timeout: TIMEOUT_MS }, {}, { adapter }));
    });
  },
);

describe.each([0, 5])('over TLS, with maxRedirects: %i', (maxRedirects) => {
  /** A server with a certificate that does something else with its first connection. */
  async function secure(first: (socket: net.Socket) => void, answer: http.RequestListener) {
    const server = https.createServer(selfSigned(), answer);
    const door = net.createServer((socket) => {
      socket.on('error', () => {});
      if (opened++ === 0) first(socket);
      else server.emit('connection', socket);
    });
    let opened = 0;
    onTestFinished(() => {
      door.close();
      server.closeAllConnections();
    });
    const httpsAgent = new https.Agent({ rejectUnauthorized: false });
    const client = axios.create({ baseURL: https1(await listening(door)), httpsAgent, maxRedirects });
    attach(client, { retry: { backoff: () => 0 } });
    return client;
  }

  it('a POST is repeated on the connection whose handshake succeeds', async () => {
    const bodies: string[] = [];
    const client = await secure(
      (socket) => socket.once('data', () => socket.resetAndDestroy()),
      async (request, response) => {
        for await (const chunk of request) bodies.push(String(chunk));
        response.end();
      },
    );
    const response = await client.post('/', ORDER);
    expect(reportOf(response)?.sends).toMatchObject([{ decision: 'retry' }, { status: 200 }]);
    expect(bodies).toEqual([JSON.stringify(ORDER)]);
  });

  it('a POST is not repeated once the handshake was done', async () => {
    let seen = 0;
    const client = await secure(
      (socket) => socket.end(),
      (request) => {
        seen += 1;
        (request.socket as net.Socket).destroy();
      },
    );
    const error = await axiosErrorOf(client.post('/', ORDER));
    // The first ended before the handshake, and the second after it.
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 2 });
    expect(seen).toBe(1);
  });
});

describe('several addresses that all fail to connect (http adapter)', () => {
  it.each([true, false])(
    'are the network and no time-out, and a POST is repeated (retry.timeouts: %s)',
    async (timeouts) => {
      const port = await unreachablePort();
      const addresses = ['127.0.0.1', '127.0.0.2'].map((address) => ({ address, family: 4 as const }));
      const lookup = async (): Promise<[typeof addresses]> => [addresses];
      const policy: Policy = { retry: { timeouts, maxRetries: 1, backoff: () => 0 } };
      const client = axios.create({ adapter: 'http', lookup, baseURL: `http://two.example:${port}` });
      attach(client, policy);
      const error = await axiosErrorOf(client.post('/', ORDER));
      // The first address is given up while connecting, and nobody listens at the second.
      expect(error).toMatchObject({ code: 'ETIMEDOUT' });
      expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 2 });
    },
  );
});

describe.each([0, 5])('a `timeout` while the TCP connection is not made, with maxRedirects: %i', (maxRedirects) => {
  it('has sent nothing, so a POST is repeated', async () => {
    const baseURL = `http://127.0.0.1:${await unreachablePort()}`;
    await repeated(await elsewhereFirst({ baseURL, timeout: TIMEOUT_MS }, {}, { adapter: 'http', maxRedirects }));
  });

  it('is no reason to repeat a POST where retry.timeouts is false', async () => {
    const baseURL = `http://127.0.0.1:${await unreachablePort()}`;
    const policy: Policy = { retry: { timeouts: false } };
    const { client } = await attached(status(200), policy, {
      baseURL,
      timeout: TIMEOUT_MS,
      maxRedirects,
      adapter: 'http',
    });
    const error = await axiosErrorOf(client.post('/', ORDER));
    expect(failureOf(error)).toMatchObject({ kind: 'timeout', endedBecause: 'not-retryable', sends: 1 });
  });

  it('is not one of a server that has the request and is silent', async () => {
    const config = { timeout: TIMEOUT_MS, maxRedirects, adapter: 'http' } as const;
    await sentOnce(await attached(silent, {}, config), 'timeout');
  });

  it('nor one of a connection that had carried another request before', async () => {
    const httpAgent = new http.Agent({ keepAlive: true });
    onTestFinished(() => httpAgent.destroy());
    const there = await attached(inTurn(status(200), silent), {}, { maxRedirects, httpAgent, adapter: 'http' });
    await there.client.get('/');
    await sentOnce(there, 'timeout', { timeout: TIMEOUT_MS });
    expect(there.server.connections).toBe(1);
  });
});

it('a `timeout` while the request waits for a socket of its pool has sent nothing', async () => {
  const httpAgent = new http.Agent({ maxSockets: 1 });
  const server = await attached(silent, {}, { adapter: 'http', maxRedirects: 0 });
  const taken = server.client.get('/', { httpAgent, holdfast: false }).catch(() => {});
  await repeated(
    await elsewhereFirst(
      { baseURL: server.server.url, httpAgent, timeout: TIMEOUT_MS },
      {},
      { adapter: 'http', maxRedirects: 0 },
    ),
  );
  httpAgent.destroy();
  await taken;
});

describe('a proxy that fails before the tunnel stands (http adapter)', () => {
  const tunnels = {
    'HTTP CONNECT': (port: number) => new HttpsProxyAgent(`http://127.0.0.1:${port}`),
    SOCKS: (port: number) => new SocksProxyAgent(`socks5://127.0.0.1:${port}`),
  };

  describe.each(Object.entries(tunnels))('%s', (_name, through) => {
    it.each([
      ['hangs up', async () => (await endsAtOnce()).port],
      ['resets', async () => (await resetsAtOnce()).port],
      ['is not there', closedPort],
    ] as const)('that %s has sent nothing, so a POST is repeated', async (_what, port) => {
      const agent = through(await port());
      await repeated(
        await elsewhereFirst({ httpAgent: agent, httpsAgent: agent, proxy: false }, {}, { adapter: 'http' }),
      );
    });

    it('that always fails is the network, also for a GET', async () => {
      const { port, seen } = await endsAtOnce();
      const { client } = await attached(status(200), {}, { adapter: 'http', httpAgent: through(port) });
      const error = await axiosErrorOf(client.get('/'));
      expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 4 });
      expect(seen()).toBe(4);
    });
  });

  it('a SOCKS proxy that refuses has sent nothing, so a POST is repeated', async () => {
    const httpAgent = tunnels.SOCKS((await socksProxy(5)).port);
    await repeated(await elsewhereFirst({ httpAgent }, {}, { adapter: 'http' }));
  });

  it.each(['502 Bad Gateway', '503 Service Unavailable', '504 Gateway Timeout'])(
    'an HTTP proxy that answers CONNECT with %s has sent nothing, so a POST is repeated',
    async (refusal) => {
      const httpsAgent = tunnels['HTTP CONNECT']((await connectProxy(refusal)).port);
      await repeated(await elsewhereFirst({ baseURL: 'https://nobody.example', httpsAgent }, {}, { adapter: 'http' }));
    },
  );

  it('a 502 of the server itself, behind a tunnel, may have been applied', async () => {
    const server = https.createServer(selfSigned(), (_request, response) => response.writeHead(502).end());
    onTestFinished(() => void server.close());
    const httpsAgent = new HttpsProxyAgent(`http://127.0.0.1:${(await connectProxy()).port}`, { keepAlive: false });
    // The agent hands these on to the TLS connection inside of the tunnel.
    Object.assign(httpsAgent.options, { rejectUnauthorized: false });
    const client = axios.create({ baseURL: https1(await listening(server)), httpsAgent, adapter: 'http' });
    attach(client);
    const error = await axiosErrorOf(client.post('/', ORDER));
    expect(failureOf(error)).toMatchObject({ status: 502, endedBecause: 'unsafe-method', sends: 1 });
  });

  it.each(Object.keys(tunnels) as (keyof typeof tunnels)[])(
    'through %s that stands, a reset may have been applied',
    async (name) => {
      const proxy = name === 'SOCKS' ? await socksProxy() : await connectProxy();
      await sentOnce(await attached(reset, {}, { adapter: 'http', httpAgent: tunnels[name](proxy.port) }), 'network');
    },
  );
});

describe.skipIf(axios.VERSION.startsWith('1.7.'))('over HTTP/2 (http adapter)', () => {
  type Line = (stream: http2.ServerHttp2Stream) => void;
  const options = { httpVersion: 2, http2Options: { rejectUnauthorized: false } } as AxiosRequestConfig;
  const well: Line = (stream) => {
    stream.respond({ ':status': 200 });
    stream.end();
  };

  async function over(...lines: readonly Line[]) {
    const server = http2.createSecureServer(selfSigned());
    const sessions = new Set<http2.ServerHttp2Session>();
    let seen = 0;
    server.on('session', (session) => sessions.add(session.on('error', () => {})));
    server.on('stream', (stream) => {
      stream.on('error', () => {});
      lines[Math.min(seen++, lines.length - 1)]?.(stream);
    });
    onTestFinished(() => {
      for (const session of sessions) session.destroy();
      server.close();
    });
    const client = axios.create({ baseURL: https1(await listening(server)), adapter: 'http', ...options });
    attach(client, { retry: { backoff: () => 0 } });
    return { client, seen: () => seen };
  }

  it('a stream that was refused was not applied, so a POST is repeated', async () => {
    const { client, seen } = await over((stream) => stream.close(http2.constants.NGHTTP2_REFUSED_STREAM), well);
    const response = await client.post('/', ORDER);
    expect(reportOf(response)?.sends).toMatchObject([{ verdict: 'transient', decision: 'retry' }, { status: 200 }]);
    expect(seen()).toBe(2);
  });

  it('a stream that broke off may have been applied', async () => {
    const { client } = await over((stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR));
    const error = await axiosErrorOf(client.post('/', ORDER));
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
  });

  it.each([
    ['0', 0, 2],
    ['an error', http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, 1],
    ['the code of a refused stream', http2.constants.NGHTTP2_REFUSED_STREAM, 1],
  ])('GOAWAY with %s and a last stream below ours: %i', async (_name, code, sends) => {
    // Frames by hand (RFC 9113 §4.1, §6.8): Node's server never names a stream below the last that it saw.
    const frame = (type: number, payload: Buffer) =>
      Buffer.concat([Buffer.of(0, 0, payload.length, type, 0, 0, 0, 0, 0), payload]);
    const goAway = frame(7, Buffer.of(0, 0, 0, 0, 0, 0, 0, code));
    const { port } = await peer((socket) => {
      socket.write(frame(4, Buffer.alloc(0)));
      let got = '';
      socket.on('data', (bytes) => {
        got += bytes.toString('latin1');
        // The body has come.
        if (got.includes('"item"')) socket.write(goAway);
      });
    });
    const client = axios.create({
      baseURL: `http://127.0.0.1:${port}`,
      adapter: 'http',
      httpVersion: 2,
    } as CreateAxiosDefaults);
    attach(client, { retry: { backoff: () => 0, maxRetries: 1 } });
    const error = await axiosErrorOf(client.post('/', ORDER));
    expect(failureOf(error)).toMatchObject({
      kind: 'network',
      endedBecause: sends === 2 ? 'retries-exhausted' : 'unsafe-method',
      sends,
    });
  });

  it.each([
    ['ends before the handshake is done', async () => https1((await endsAtOnce()).port)],
    ['is refused', async () => `http://127.0.0.1:${await closedPort()}`],
  ])('a connection that %s has sent nothing, so a POST is repeated', async (_what, address) => {
    const first = { ...options, baseURL: await address() };
    await repeated(await elsewhereFirst(first, {}, { adapter: 'http' }));
  });
});

describe.each(ADAPTERS)('what a status says of it (%s adapter)', (adapter) => {
  it.each([421, 425])('a %i was not processed, so a POST is repeated', async (code) => {
    const { client, server } = await attached(inTurn(status(code), status(200)), {}, { adapter });
    await client.post('/', ORDER);
    expect(server.seen).toHaveLength(2);
  });

  it('a 408 may have been applied: a GET is repeated, a POST is not', async () => {
    const { client, server } = await attached(inTurn(status(408), status(200), status(408)), {}, { adapter });
    await client.get('/');
    expect(server.seen).toHaveLength(2);
    const error = await axiosErrorOf(client.post('/', ORDER));
    expect(failureOf(error)).toMatchObject({ status: 408, endedBecause: 'unsafe-method', sends: 1 });
  });

  it('a 413 with Retry-After is one for now: a POST is repeated after that time, and nobody else waits', async () => {
    const answers = inTurn(status(413, { 'retry-after': '1' }), status(200));
    const policy: Policy = { limit: { maxConcurrent: 5 } };
    const { client, server, holdfast } = await attached(answers, policy, { adapter });
    const paused: unknown[] = [];
    holdfast.on('paused', (event) => paused.push(event));
    const response = await client.post('/', ORDER);
    expect(reportOf(response)?.sends).toMatchObject([{ status: 413, decision: 'retry' }, { status: 200 }]);
    expect(reportOf(response)?.sends[0]?.delayMs).toBeGreaterThanOrEqual(1_000);
    expect(server.seen).toHaveLength(2);
    expect(paused).toEqual([]);
  });

  it('a 413 without it is final, and so is one that the policy says is', async () => {
    const plain = await attached(status(413), {}, { adapter });
    expect(failureOf(await axiosErrorOf(plain.client.get('/')))).toMatchObject({ kind: 'rejected', sends: 1 });
    const told = await attached(status(413, { 'retry-after': '0' }), { statuses: { 413: 'fail' } }, { adapter });
    expect(failureOf(await axiosErrorOf(told.client.get('/')))).toMatchObject({ kind: 'rejected', sends: 1 });
  });
});

describe('a redirect', () => {
  it('takes every proof away: what the last hop says is not said of the first', async () => {
    const { port } = await endsAtOnce();
    const there = await attached(status(307, { location: https1(port) }), {}, { adapter: 'http' });
    await sentOnce(there, 'network');
    expect(there.server.seen).toHaveLength(1);
  });

  it('nor does a 421 behind it say that the POST was not carried out', async () => {
    const there = await attached((_request, response, n) => {
      if (n === 0) response.writeHead(303, { location: '/elsewhere' }).end();
      else response.writeHead(421).end();
    });
    const error = await axiosErrorOf(there.client.post('/', ORDER));
    expect(failureOf(error)).toMatchObject({ status: 421, endedBecause: 'unsafe-method', sends: 1 });
  });
});

describe('an older copy of axios (1.7)', () => {
  const attachedTo = (baseURL: string) => {
    const client = older.create({ baseURL, adapter: 'http' });
    attach(client as never, { retry: { backoff: () => 0, maxRetries: 1 } });
    return client;
  };

  it('repeats a POST before the handshake is done', async () => {
    const { port, seen } = await endsAtOnce();
    const error: unknown = await attachedTo(https1(port))
      .post('/', ORDER)
      .catch((thrown: unknown) => thrown);
    expect(failureOf(error)).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 2 });
    expect(seen()).toBe(2);
  });

  it('repeats a GET whose answer broke off, which it calls a bad one', async () => {
    const { server } = await attached(truncated);
    const client = attachedTo(server.url);
    const reading: unknown = await client.get('/').catch((thrown: unknown) => thrown);
    expect(failureOf(reading)).toMatchObject({ kind: 'network', endedBecause: 'retries-exhausted', sends: 2 });
    const writing: unknown = await client.post('/', ORDER).catch((thrown: unknown) => thrown);
    expect(failureOf(writing)).toMatchObject({ kind: 'network', endedBecause: 'unsafe-method', sends: 1 });
  });
});
