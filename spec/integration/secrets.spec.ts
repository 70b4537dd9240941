import type { AxiosInstance, AxiosRequestConfig } from 'axios';
import axios from 'axios';
import { attach, type EventName, failureOf, InvalidPolicyError, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { EVENT_NAMES } from '../../lib/call/events.ts';
import { ADAPTERS, attached, axiosErrorOf, rejectionOf } from '../support/attached.ts';
import { type Answer, json } from '../support/loopback.ts';

/** Repeats all that it is told: in the message of an error, in its code, and in the ids of its headers. */
const parrot: Answer = ({ headers, url }, response) => {
  const authorization = String(headers.authorization);
  const [, credentials = ''] = authorization.split(' ');
  const said = [
    authorization,
    credentials,
    Buffer.from(credentials, 'base64').toString(),
    headers.cookie,
    headers['x-api-key'],
    headers['x-signature-key'],
    url,
    url.split('?')[1],
    decodeURIComponent(url),
  ].join(' | ');
  const id = String(headers['x-api-key'] ?? headers.cookie ?? credentials).replace(/[^\x20-\x7e]/g, '');
  // Twice, so that there is a retry; the other body shape the second time.
  const body = { error: { code: said.slice(0, 500), message: `I do not know ${said}`, target: url } };
  json(response, 503, body, { 'ms-requestid': id, 'www-authenticate': `Bearer realm="x", error_description="y"` });
};

const SECRETS = {
  bearer: 'b34r3r-t0k3n.with.dots',
  password: 'p4ss/w0rd+with=odd&chars',
  user: 'us3rn4me',
  cookie: 'c00kie-v4lue',
  apiKey: 'k3y-4b5f9c',
  query: 'qu3ry value/with+odd&chars',
  inUrl: 's1gn4ture-in-url',
  signed: 's1gned-by-hook',
};

const asSent = (secret: string) => [
  secret,
  encodeURIComponent(secret),
  encodeURIComponent(secret).replace(/%20/g, '+'),
];

const FORBIDDEN = [
  ...Object.values(SECRETS).flatMap(asSent),
  Buffer.from(`${SECRETS.user}:${SECRETS.password}`).toString('base64'),
];

const REQUESTS: [name: string, request: (client: AxiosInstance) => AxiosRequestConfig, policy?: Policy][] = [
  ['a bearer token', () => ({ headers: { Authorization: `Bearer ${SECRETS.bearer}` } })],
  ['cookies', () => ({ headers: { Cookie: `a=1; sid=${SECRETS.cookie}` } })],
  ['an API key', () => ({ headers: { 'X-Api-Key': SECRETS.apiKey } })],
  ['basic authentication', () => ({ auth: { username: SECRETS.user, password: SECRETS.password } })],
  ['query values', () => ({ params: { q: SECRETS.query, deep: { er: SECRETS.inUrl } } })],
  ['query values in the url', () => ({ url: `/v1/x?q=${encodeURIComponent(SECRETS.query)}&s=${SECRETS.inUrl}#frag` })],
  [
    'user and password in the url',
    ({ defaults }) => ({
      url: `${String(defaults.baseURL).replace('//', `//${SECRETS.user}:${encodeURIComponent(SECRETS.password)}@`)}/v1/x`,
    }),
  ],
  [
    'user and password in an odd url',
    ({ defaults }) => ({
      url: `${String(defaults.baseURL).replace('//', `///${SECRETS.user}:${encodeURIComponent(SECRETS.password)}@`)}/v1/x`,
      baseURL: '',
    }),
  ],
  [
    'what a hook has signed the send with',
    () => ({}),
    {
      beforeSend: ({ config }) => {
        config.headers.set('X-Signature-Key', SECRETS.signed);
        config.params = { sig: SECRETS.inUrl };
      },
    },
  ],
];

describe.each(ADAPTERS)('over %s, a server that repeats all it is told brings to no light', (adapter) => {
  it.each(REQUESTS)('%s', async (_name, request, policy = {}) => {
    const { client, holdfast, server } = await attached(parrot, { retry: { maxRetries: 1 }, ...policy }, { adapter });
    const told: unknown[] = [];
    for (const name of EVENT_NAMES as EventName[]) holdfast.on(name, (event) => told.push({ name, event }));

    const error = await axiosErrorOf(client.request({ url: '/v1/x', ...request(client) }));
    const failure = failureOf(error);
    expect(server.seen, 'the requests went out').toHaveLength(2);
    expect(failure, 'the server did repeat it').toMatchObject({ status: 503, api: { shape: 'nested' } });
    expect(FORBIDDEN.some((secret) => failure?.api?.message.includes(secret))).toBe(true);
    expect(told).not.toHaveLength(0);

    const shown = {
      summary: failure?.summary,
      report: JSON.stringify(reportOf(error)),
      events: JSON.stringify(told),
      stats: JSON.stringify(holdfast.stats()),
      error: String(reportOf(error)?.url),
    };
    expect(failure?.summary).toMatch(
      /^GET .* ended after 2 sends in .*: 503 unavailable, retries exhausted \(maxRetries 1\); the server says/,
    );
    for (const [where, text] of Object.entries(shown)) {
      for (const secret of FORBIDDEN) expect(text, where).not.toContain(secret);
    }
  });
});

describe('the messages of a policy error', () => {
  it('show nothing of what an option holds that has no business there', async () => {
    const policies = [
      { token: SECRETS.bearer },
      { headers: { Authorization: SECRETS.bearer } },
      { retry: { auth: { password: SECRETS.password } } },
      { on: { finished: { Authorization: SECRETS.bearer } } },
      { classify: [SECRETS.apiKey] },
    ] as unknown as Policy[];
    const client = axios.create();
    const { client: own } = await attached(parrot);
    for (const holdfast of policies) {
      expect(() => attach(client, holdfast)).toThrow(InvalidPolicyError);
      const error = (await rejectionOf(own.get('/', { holdfast }))) as InvalidPolicyError;
      expect(error).toBeInstanceOf(InvalidPolicyError);
      for (const secret of FORBIDDEN) {
        expect(error.message).not.toContain(secret);
        expect(error.stack).not.toContain(secret);
      }
    }
  });
});
