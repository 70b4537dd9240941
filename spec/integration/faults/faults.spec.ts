import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, type AdapterName } from '../../support/attached.ts';
import { closedPort } from '../../support/closed-port.ts';
import { TIMEOUT_MS, untrusted } from '../../support/faults.ts';
import { NEWER_NODE } from '../../support/newer-node.ts';
import { type Arrange, play, REQUEST_NAMES, type RequestName, type Scene } from './play.ts';
import { type Exchange, message, rawServer, WARM, WHOLE } from './servers.ts';

/**
 * What comes of a call, as `sends/requests that the server saw → what the caller got`. Every cell is played over real
 * sockets, and `play` also looks whether anything stayed behind.
 */
type Row = Readonly<Record<RequestName, string>>;

/** With two retries: where only the first send goes wrong, and where every send does. */
interface Rows {
  readonly once?: Row;
  readonly always?: Row;
}

/** The request, or part of it, may have been carried out. */
const lost = (failure: string, arrived = 1): Rows => ({
  once: {
    GET: `2/${arrived + 1} → 200`,
    PUT: `2/${arrived + 1} → 200`,
    POST: `1/${arrived} → ${failure} unsafe-method`,
    'POST with a key': `2/${arrived + 1} → 200`,
    'PUT of a stream': `1/${arrived} → ${failure} body-not-replayable`,
  },
  always: {
    GET: `3/${3 * arrived} → ${failure} retries-exhausted`,
    PUT: `3/${3 * arrived} → ${failure} retries-exhausted`,
    POST: `1/${arrived} → ${failure} unsafe-method`,
    'POST with a key': `3/${3 * arrived} → ${failure} retries-exhausted`,
    'PUT of a stream': `1/${arrived} → ${failure} body-not-replayable`,
  },
});

/** There was no connection, so nothing can have been carried out. */
const unsent = (failure: string): Rows => ({
  once: {
    GET: '2/1 → 200',
    PUT: '2/1 → 200',
    POST: '2/1 → 200',
    'POST with a key': '2/1 → 200',
    'PUT of a stream': `1/0 → ${failure} body-not-replayable`,
  },
  always: {
    GET: `3/0 → ${failure} retries-exhausted`,
    PUT: `3/0 → ${failure} retries-exhausted`,
    POST: `3/0 → ${failure} retries-exhausted`,
    'POST with a key': `3/0 → ${failure} retries-exhausted`,
    'PUT of a stream': `1/0 → ${failure} body-not-replayable`,
  },
});

/** It ends in the same way whatever the request is. */
const all = (cell: string): Row => Object.fromEntries(REQUEST_NAMES.map((name) => [name, cell])) as Row;
const same = (cell: string): Rows => ({ always: all(cell) });
const hopeless = (failure: string, arrived: string | number = 1): Rows =>
  same(`1/${arrived} → ${failure} not-retryable`);

const onRequest =
  (does: (exchange: Exchange) => void): Arrange =>
  () => ({ fault: { at: 'request', does } });

/**
 * The client, which is in this process, has read what was written: a reset throws away what was not. The event loop reads once a turn, so
 * turns bring that about where time does not: a machine that stands still for 30 ms has read nothing.
 */
async function haveRead(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setTimeout(resolve, 3));
}

/** Breaks the connection off where these bytes end. */
const thenReset = (bytes: string): Arrange =>
  onRequest(({ socket }) => {
    socket.write(bytes, () => void haveRead().then(() => socket.resetAndDestroy()));
  });
const thenEnd = (bytes: string | Buffer): Arrange => onRequest(({ socket }) => void socket.end(bytes));
/** Leaves the connection open and says no more. */
const thenNothing = (bytes: string): Arrange => onRequest(({ socket }) => void socket.write(bytes));
/** An answer that ends where it says that it ends, whatever is in it. */
const framed = (body: string | Buffer, headers: Record<string, string>): Arrange => {
  const head = message(200, { 'Content-Length': String(body.length), ...headers });
  return onRequest(({ send }) => send(Buffer.concat([Buffer.from(head), Buffer.from(body)])));
};

/** Sends so many to another address. */
const elsewhere = (baseURL: string, times: number) => ({
  policy: {
    beforeSend: ({ config, send }: { config: { baseURL?: string }; send: number }) => {
      if (send <= times) config.baseURL = baseURL;
    },
  },
});

const DEADLINE_MS = 60_000;

/** Drips these bytes, then one after the other; after some of them the deadline comes. */
const dripping =
  (beginning: string): Arrange =>
  (clock) => ({
    policy: { deadlineMs: DEADLINE_MS },
    fault: {
      at: 'request',
      does: ({ socket }) => {
        socket.write(beginning);
        let drops = 0;
        const drip = setInterval(() => {
          socket.write('x');
          drops += 1;
          if (drops === 10) clock.pass(DEADLINE_MS);
        }, 1);
        socket.on('close', () => clearInterval(drip));
      },
    },
  });

const redirect = (status: number, location: string | (() => Promise<string>), maxRedirects?: number): Arrange => {
  return async () => {
    const to = typeof location === 'string' ? location : await location();
    const config = maxRedirects === undefined ? {} : { maxRedirects };
    return { config, fault: { at: 'request', does: ({ answer }) => answer(status, '', { Location: to }) } };
  };
};
const nowhere = async () => `http://127.0.0.1:${await closedPort()}`;

const GZIP = gzipSync(WHOLE);
const CODED = { 'Content-Encoding': 'gzip' };
const NO_GZIP = framed(WHOLE, CODED);
const wrongSum = Buffer.from(GZIP);
wrongSum.writeUInt32LE(1, GZIP.length - 8);

/** Has the pool hold a connection. */
const warm: NonNullable<Scene['before']> = async (client, server) => {
  await client.get(WARM);
  return server;
};

type Case = readonly [what: string, arrange: Arrange, rows: Readonly<Record<AdapterName, Rows>>];

const both = (rows: Rows): Readonly<Record<AdapterName, Rows>> => ({ http: rows, fetch: rows });

const NO_CONNECTION: readonly Case[] = [
  [
    'a port that nobody listens on',
    async (_clock, times) => elsewhere(await nowhere(), times),
    both(unsent('ECONNREFUSED network')),
  ],
  [
    'a name that does not exist',
    (_clock, times) => elsewhere('http://nowhere.invalid', times),
    both({ once: unsent('ENOTFOUND network').once as Row }), // a resolver may take its time
  ],
  [
    'a certificate that nobody trusts',
    async () => {
      const server = await untrusted();
      return { ...elsewhere(server.url, Number.POSITIVE_INFINITY), elsewhere: server };
    },
    both(hopeless('DEPTH_ZERO_SELF_SIGNED_CERT network', '1 connected')),
  ],
  [
    'plain HTTP where TLS was asked for',
    () => ({
      fault: { at: 'accept', does: (socket) => void socket.once('data', () => socket.end(message(400))) },
      policy: {
        beforeSend: ({ config }) => {
          config.baseURL = String(config.baseURL).replace('http:', 'https:');
        },
      },
    }),
    {
      http: hopeless('EPROTO network', '1 connected'),
      fetch: hopeless('ERR_SSL_WRONG_VERSION_NUMBER network', '1 connected'),
    },
  ],
];

/** What the parser found wrong, in the head of an answer or in its body. undici has no code for either in newer versions. */
const noHttp = (code: string, at: 'head' | 'body'): Readonly<Record<AdapterName, Rows>> => {
  const named = lost(`${code} network`);
  if (!NEWER_NODE.leavesParserErrorsWithoutCode) return both(named);
  return { http: named, fetch: lost(at === 'head' ? 'ERR_NETWORK network' : 'network') };
};

const HEADERS_CUT = 'HTTP/1.1 200 OK\r\nContent-Le';
const BODY_CUT = message(200, { 'Content-Length': '100' }, 'half');
const LAST_BODY_CUT = message(200, { Connection: 'close', 'Content-Length': '100' }, 'half');
const CHUNK_CUT = message(200, { 'Transfer-Encoding': 'chunked' }, '4\r\nhalf\r\n');
const LAST_CHUNK_CUT = message(200, { Connection: 'close', 'Transfer-Encoding': 'chunked' }, '4\r\nhalf\r\n');
const UNTIL_CLOSE = message(200, { Connection: 'close' }, 'who');

const BROKEN_OFF: readonly Case[] = [
  [
    'a reset before the request was read whole',
    () => ({ fault: { at: 'head', does: ({ socket }) => void socket.resetAndDestroy() } }),
    both(lost('ECONNRESET network')),
  ],
  [
    'a reset before the first byte of the answer',
    onRequest(({ socket }) => void socket.resetAndDestroy()),
    both(lost('ECONNRESET network')),
  ],
  [
    'an end before the first byte of the answer',
    onRequest(({ socket }) => void socket.end()),
    { http: lost('ECONNRESET network'), fetch: lost('UND_ERR_SOCKET network') },
  ],
  ['a reset in the middle of the headers', thenReset(HEADERS_CUT), both(lost('ECONNRESET network'))],
  [
    'an end in the middle of the headers',
    thenEnd(HEADERS_CUT),
    { http: lost('ECONNRESET network'), fetch: lost('UND_ERR_SOCKET network') },
  ],
  ['a reset in the body', thenReset(BODY_CUT), both(lost('ECONNRESET network'))],
  [
    'a body that ends before its Content-Length',
    thenEnd(BODY_CUT),
    { http: lost('200 ERR_BAD_RESPONSE network'), fetch: lost('UND_ERR_SOCKET network') },
  ],
  [
    'a body that ends before its last chunk',
    thenEnd(CHUNK_CUT),
    { http: lost('200 ERR_BAD_RESPONSE network'), fetch: lost('UND_ERR_SOCKET network') },
  ],
  [
    'a reset in a body of known length, with Connection: close',
    thenReset(LAST_BODY_CUT),
    {
      http: lost('ECONNRESET network'),
      fetch: lost(`${NEWER_NODE.tellsCutAnswers ? 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' : 'UND_ERR_SOCKET'} network`),
    },
  ],
  [
    'an end in a body of known length, with Connection: close',
    thenEnd(LAST_BODY_CUT),
    { http: lost('200 ERR_BAD_RESPONSE network'), fetch: lost('UND_ERR_RES_CONTENT_LENGTH_MISMATCH network') },
  ],
  [
    // The undici of Node 20 takes a reset after `Connection: close` for the end, although the last chunk is missing: part of a body
    // passes for the whole.
    'a reset before the last chunk, with Connection: close',
    thenReset(LAST_CHUNK_CUT),
    {
      http: lost('ECONNRESET network'),
      fetch: NEWER_NODE.tellsCutAnswers ? noHttp('HPE_INVALID_EOF_STATE', 'body').fetch : same('1/1 → 200 "half"'),
    },
  ],
  [
    // undici takes the reset for the end here, so axios resolves: part of a body passes for the whole. Nothing in the answer tells.
    'a reset in a body that lasts until the connection ends',
    thenReset(UNTIL_CLOSE),
    { http: lost('ECONNRESET network'), fetch: same('1/1 → 200 "who"') },
  ],
  [
    // The end of the connection is the end of the body: nobody can tell that there was more (RFC 9112 §8).
    'an early end of a body that lasts until the connection ends',
    thenEnd(UNTIL_CLOSE),
    both(same('1/1 → 200 "who"')),
  ],
];

const SILENCE: readonly Case[] = [
  [
    'a server that accepts and says nothing, bounded by timeout',
    (_clock, times) => ({
      fault: { at: 'request', does: () => {} },
      policy: {
        beforeSend: ({ config, send }) => {
          config.timeout = send <= times ? TIMEOUT_MS : 0;
        },
      },
    }),
    { http: lost('ECONNABORTED timeout'), fetch: lost('ETIMEDOUT timeout') },
  ],
  [
    'a server that accepts and says nothing, bounded by the deadline',
    (clock) => ({
      fault: { at: 'request', does: () => clock.pass(DEADLINE_MS) },
      policy: { deadlineMs: DEADLINE_MS },
    }),
    both(same('1/1 → ETIMEDOUT timeout deadline')),
  ],
  ['headers that drip', dripping('HTTP/1.1 200 OK\r\nX-Slow: '), both(same('1/1 → ETIMEDOUT timeout deadline'))],
  [
    'a body that drips',
    dripping(message(200, { 'Content-Length': '10000' })),
    both(same('1/1 → ETIMEDOUT timeout deadline')),
  ],
];

const NO_HTTP: readonly Case[] = [
  ['something else than HTTP', thenNothing('SSH-2.0-OpenSSH_9.6\r\n'), noHttp('HPE_INVALID_CONSTANT', 'head')],
  ['a status that is no number', thenNothing('HTTP/1.1 2x0 OK\r\n\r\n'), noHttp('HPE_INVALID_STATUS', 'head')],
  ['a chunk whose size is no number', thenNothing(`${CHUNK_CUT}zz\r\n`), noHttp('HPE_INVALID_CHUNK_SIZE', 'body')],
  [
    'two lengths that contradict each other',
    thenNothing(message(200, { 'Content-Length': '5', 'content-length': '6' }, WHOLE)),
    {
      http: lost('HPE_UNEXPECTED_CONTENT_LENGTH network'),
      fetch: lost(
        `${NEWER_NODE.tellsCutAnswers ? 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH' : 'HPE_UNEXPECTED_CONTENT_LENGTH'} network`,
      ),
    },
  ],
  [
    'headers that are too long',
    thenNothing(message(200, { 'X-Long': 'x'.repeat(20_000) })),
    { http: hopeless('HPE_HEADER_OVERFLOW network'), fetch: hopeless('UND_ERR_HEADERS_OVERFLOW network') },
  ],
  [
    // undici hands out what lies within the length, and axios resolves it: part of a body passes for the whole. Under http, the
    // bytes beyond it make an error of the whole answer, as long as they come with it.
    'a Content-Length that is smaller than the body',
    thenNothing(message(200, { 'Content-Length': '3' }, WHOLE)),
    { http: lost('HPE_INVALID_CONSTANT network'), fetch: same('1/1 → 200 "who"') },
  ],
];

const SWITCHING = message(101, { Connection: 'upgrade', Upgrade: 'websocket' });

const INTERIM: readonly Case[] = [
  [
    // undici refuses a 100 that nobody asked for (RFC 9110 §15.2 would have it ignored), so a POST that was carried out fails.
    '100 Continue, unasked',
    onRequest(({ socket, answer }) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      answer(200, WHOLE);
    }),
    { http: same('1/1 → 200'), fetch: lost('UND_ERR_SOCKET network') },
  ],
  [
    '103 Early Hints',
    onRequest(({ socket, answer }) => {
      socket.write(message(103, { Link: '</a.css>; rel=preload' }));
      answer(200, WHOLE);
    }),
    both(same('1/1 → 200')),
  ],
  [
    '103 Early Hints, and then a reset',
    thenReset(message(103, { Link: '</a.css>; rel=preload' })),
    both(lost('ECONNRESET network')),
  ],
  [
    // Node closes the connection and tells nobody, so axios' http adapter never settles; with `maxRedirects: 0` not even its
    // `timeout` ends that. The deadline does.
    '101 Switching Protocols, unasked, bounded by the deadline',
    (clock) => ({
      policy: { deadlineMs: DEADLINE_MS },
      fault: {
        at: 'request',
        does: ({ socket }) => {
          socket.on('close', () => void haveRead().then(() => clock.pass(DEADLINE_MS)));
          socket.write(SWITCHING);
        },
      },
    }),
    { http: same('1/1 → ETIMEDOUT timeout deadline'), fetch: {} },
  ],
  ['101 Switching Protocols, unasked', thenNothing(SWITCHING), { http: {}, fetch: lost('UND_ERR_SOCKET network') }],
  [
    'Expect: 100-continue, which the server grants',
    () => ({
      config: { headers: { Expect: '100-continue' } },
      fault: {
        at: 'head',
        does: ({ socket, answer }) => {
          socket.write('HTTP/1.1 100 Continue\r\n\r\n');
          haveRead().then(() => answer(200, WHOLE));
        },
      },
    }),
    { http: same('1/1 → 200'), fetch: hopeless('UND_ERR_NOT_SUPPORTED local', 0) },
  ],
  [
    'Expect: 100-continue, which the server leaves unanswered',
    () => ({ config: { headers: { Expect: '100-continue' } } }),
    { http: same('1/1 → 200'), fetch: hopeless('UND_ERR_NOT_SUPPORTED local', 0) },
  ],
  [
    'Expect: 100-continue, which the server refuses',
    () => ({
      config: { headers: { Expect: '100-continue' } },
      fault: { at: 'request', does: ({ answer }) => answer(417) },
    }),
    {
      http: hopeless('417 ERR_BAD_REQUEST rejected'),
      fetch: hopeless('UND_ERR_NOT_SUPPORTED local', 0),
    },
  ],
];

/** fetch cannot follow a redirect with a stream in its hand, and gives no reason. */
const STREAM_REDIRECTED = '1/1 → ERR_NETWORK network body-not-replayable';

const REDIRECTS: readonly Case[] = [
  [
    'one redirect',
    redirect(302, '/orders'),
    {
      http: { once: all('1/2 → 200') },
      fetch: { once: { ...all('1/2 → 200'), 'PUT of a stream': STREAM_REDIRECTED } },
    },
  ],
  [
    // Under fetch, axios' maxRedirects has no say but as 0; fetch gives up after 20.
    'a redirect in a circle, with maxRedirects: 3',
    redirect(302, '/orders', 3),
    {
      http: hopeless('ERR_FR_TOO_MANY_REDIRECTS network', 4),
      fetch: {
        always: { ...all('1/21 → ERR_NETWORK network not-retryable'), 'PUT of a stream': STREAM_REDIRECTED },
      },
    },
  ],
  ['a redirect with maxRedirects: 0', redirect(302, '/orders', 0), both(hopeless('302 ERR_BAD_RESPONSE rejected'))],
  ['a 303 to a port that nobody listens on', redirect(303, nowhere), both(lost('ECONNREFUSED network'))],
  [
    'a 307 to a port that nobody listens on',
    redirect(307, nowhere),
    {
      http: lost('ECONNREFUSED network'),
      fetch: {
        once: { ...lost('ECONNREFUSED network').once, 'PUT of a stream': STREAM_REDIRECTED } as Row,
        always: { ...lost('ECONNREFUSED network').always, 'PUT of a stream': STREAM_REDIRECTED } as Row,
      },
    },
  ],
];

const UNDECODABLE = { http: lost('200 Z_DATA_ERROR network'), fetch: lost('Z_DATA_ERROR network') };

const ENCODED: readonly Case[] = [
  ['gzip that is none', NO_GZIP, UNDECODABLE],
  ['gzip with a wrong checksum', framed(wrongSum, CODED), UNDECODABLE],
  ['gzip with something after it', framed(Buffer.concat([GZIP, Buffer.from('more')]), CODED), UNDECODABLE],
  [
    'gzip that breaks off with the connection',
    thenEnd(Buffer.concat([Buffer.from(message(200, { ...CODED, 'Content-Length': '100' })), GZIP.subarray(0, 12)])),
    { http: lost('200 ECONNRESET network'), fetch: lost('UND_ERR_SOCKET network') },
  ],
  [
    // Both axios and undici have zlib take whatever has come for the end, so axios resolves: part of a body passes for the whole.
    'gzip that was cut before it was framed',
    framed(GZIP.subarray(0, 12), CODED),
    both(same('1/1 → 200 "w"')),
  ],
];

const CONNECTIONS: readonly Case[] = [
  [
    'Connection: close',
    thenEnd(message(200, { Connection: 'close', 'Content-Length': '5' }, WHOLE)),
    both(same('1/1 → 200')),
  ],
  [
    'Connection: close with a 503',
    thenEnd(message(503, { Connection: 'close', 'Content-Length': '0' })),
    both(lost('503 ERR_BAD_RESPONSE unavailable')),
  ],
  [
    'a pooled connection that is reset by the next request',
    () => ({ before: warm, fault: { at: 'head', does: ({ socket }) => void socket.resetAndDestroy() } }),
    both(lost('ECONNRESET network')),
  ],
  [
    // Under http, Node 20 sends the request on a connection that is gone. It cannot have arrived, but nothing tells that from a
    // reset that came after it had, so a POST is not repeated. undici, and the agent of a newer Node, notice before they send.
    'a pooled connection that the server has just closed',
    () => ({
      async before(client, server) {
        await client.get(WARM);
        for (const socket of server.open) socket.destroy();
        return server;
      },
    }),
    {
      http: NEWER_NODE.looksBeforeItReuses
        ? same('1/1 → 200')
        : {
            always: {
              GET: '2/1 → 200',
              PUT: '2/1 → 200',
              POST: '1/0 → ECONNRESET network unsafe-method',
              'POST with a key': '2/1 → 200',
              'PUT of a stream': '1/0 → ECONNRESET network body-not-replayable',
            },
          },
      fetch: same('1/1 → 200'),
    },
  ],
  [
    'a server that was started anew since the last request',
    () => ({
      async before(client, server) {
        await client.get(WARM);
        await server.close();
        const anew = await rawServer(undefined, 0, server.port);
        await haveRead();
        return anew;
      },
    }),
    both(same('1/1 → 200')),
  ],
];

const TABLE: Readonly<Record<string, readonly Case[]>> = {
  'no connection': NO_CONNECTION,
  'an answer that breaks off': BROKEN_OFF,
  silence: SILENCE,
  'what is not HTTP': NO_HTTP,
  'interim answers': INTERIM,
  redirects: REDIRECTS,
  'encoded bodies': ENCODED,
  'the end of a connection': CONNECTIONS,
};

describe.each(Object.entries(TABLE))('%s', (_group, cases) => {
  describe.each(cases)('%s', (_what, arrange, rows) => {
    const cells = ADAPTERS.flatMap((adapter) =>
      (['once', 'always'] as const).flatMap((times) =>
        Object.entries(rows[adapter][times] ?? {}).map(([name, cell]) => ({ adapter, times, name, cell })),
      ),
    );
    it.each(cells)('$adapter, $times, $name: $cell', async ({ adapter, times, name, cell }) => {
      const n = times === 'once' ? 1 : Number.POSITIVE_INFINITY;
      expect(await play(adapter, name as RequestName, n, arrange)).toBe(cell);
    });
  });
});

describe('an answer that cannot be decoded', () => {
  // The codes are the same, but the http adapter's comes with the response that was begun, and counts as broken off.
  it('comes to the same under every adapter', async () => {
    const [http, fetch] = [await play('http', 'GET', 1, NO_GZIP), await play('fetch', 'GET', 1, NO_GZIP)];
    expect(fetch.slice(0, 3)).toBe(http.slice(0, 3)); // sends/requests
  });
});
