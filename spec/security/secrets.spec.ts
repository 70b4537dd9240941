import { channel } from 'node:diagnostics_channel';
import { inspect } from 'node:util';
import axios from 'axios';
import { type AuthOptions, attach, type EventName, failureOf, InvalidPolicyError, reportOf } from 'axios-holdfast';
import { redisLimiter, redisTokenStore } from 'axios-holdfast/redis';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addressOf } from '../../lib/call/address.ts';
import { EVENT_NAMES } from '../../lib/call/events.ts';
import { ADAPTERS, attached, axiosErrorOf, rejectionOf } from '../support/attached.ts';
import { type Answer, json } from '../support/loopback.ts';

/*
 * Summaries, reports, events and stats against a server that repeats all it is told, for tokens, cookies, API keys, basic
 * authentication, queries and URLs: `spec/integration/secrets.spec.ts`. Bodies in summaries: `spec/integration/safety.spec.ts`.
 * What is here: the token that the library itself carries, the one before it and the one after, wherever it writes.
 */
const SECRETS = ['0ld-t0ken', 'n3w-t0ken', 'r3fresh-t0ken', 'cl1ent-s3cret'];

/** Repeats what it is told, in the body and in every header that the library reads. */
const parrot: Answer = ({ headers, url, body }, response) => {
  const said = `${headers.authorization} ${headers.authorization?.slice(7)} ${body} ${url}`.replace(
    /[^\x20-\x7e]/g,
    '',
  );
  json(
    response,
    url.startsWith('/token') ? 400 : 401,
    { error: { code: said, message: said, target: said } },
    {
      'www-authenticate': `Bearer realm="${said.replaceAll('"', '')}"`,
      'ms-requestid': said,
      'x-correlation-id': said,
      'retry-after': said,
      ratelimit: said,
    },
  );
};

describe.each(ADAPTERS)('over %s, the tokens of an auth policy come to no light', (adapter) => {
  it.each(['succeeds', 'fails'])('where the refresh %s', async (how) => {
    const auth: AuthOptions = {
      token: () => ({ value: '0ld-t0ken', refreshToken: 'r3fresh-t0ken' }),
      refresh: async ({ http }) => {
        if (how === 'fails') await http.post('/token', new URLSearchParams({ client_secret: 'cl1ent-s3cret' }));
        return { value: 'n3w-t0ken', refreshToken: 'r3fresh-t0ken' };
      },
      retry: { retries: 0 },
    };
    const { server, client, holdfast } = await attached(parrot, { auth, limit: {} }, { adapter });
    const told: unknown[] = [];
    for (const name of EVENT_NAMES as EventName[]) {
      const hear = (event: unknown) => void told.push({ name, event });
      holdfast.on(name, hear);
      const diagnostics = channel(`holdfast:${name}`);
      diagnostics.subscribe(hear);
      onTestFinished(() => void diagnostics.unsubscribe(hear));
    }
    const error = (await rejectionOf(client.get('/x'))) as Error;
    expect(server.seen).toHaveLength(2);
    const [, { body, headers } = {}] = server.seen;
    expect(how === 'fails' ? String(body) : headers?.authorization).toContain(
      how === 'fails' ? 'cl1ent-s3cret' : 'n3w-t0ken',
    );

    const config = (error as { config?: unknown }).config;
    const shown: { readonly [where: string]: unknown } = {
      message: error.message,
      stack: error.stack,
      code: (error as { code?: unknown }).code,
      summary: failureOf(error)?.summary,
      report: JSON.stringify(reportOf(error)),
      events: JSON.stringify(told),
      inspectedEvents: inspect(told, { depth: 9, showHidden: true }),
      stats: JSON.stringify(holdfast.stats()),
      attachment: JSON.stringify(holdfast),
      inspectedAttachment: inspect(holdfast, { depth: 9, showHidden: true }),
      config: inspect(config, { depth: 9, showHidden: true }),
      // A failed refresh's error carries no more than its code; axios' own is axios' to show, and its config has no token.
      json: how === 'fails' ? JSON.stringify(error) : JSON.stringify((error as { config?: unknown }).config),
    };
    expect(told.length).toBeGreaterThan(0);
    for (const [where, text] of Object.entries(shown)) {
      for (const secret of SECRETS) expect(String(text), where).not.toContain(secret);
    }
  });

  it('also where it was written into a header of its own, and in the config of a success', async () => {
    const { client } = await attached(
      (_request, response) => json(response, 200),
      {
        auth: {
          token: () => '0ld-t0ken',
          refresh: async () => 'n3w-t0ken',
          apply: (headers, { value }) => headers.set('X-Ticket', value),
        },
      },
      { adapter },
    );
    const { config } = await client.get('/x');
    expect(inspect(config, { depth: 9, showHidden: true })).not.toContain('0ld-t0ken');
  });
});

describe('the connection of a store', () => {
  it('shows nothing of its password through the attachment', () => {
    const redis = { options: { password: 'r3dis-s3cret' }, evalsha() {}, eval() {}, script() {}, on() {} } as never;
    const limit = redisLimiter({ redis, requests: 1, perMs: 1_000 });
    const store = redisTokenStore({ redis, key: 'k' });
    const client = axios.create({ baseURL: 'https://api.example.com' });
    const auth: AuthOptions = { token: () => 'x', refresh: async () => 'y', store };
    const holdfast = attach(client, { limit, auth });
    expect(JSON.stringify(holdfast)).not.toContain('r3dis-s3cret');
    expect(inspect(holdfast, { depth: 9 })).not.toContain('r3dis-s3cret');
  });
});

describe('what the library keeps on an error or a response', () => {
  it('is seen by neither JSON, a spread, a copy nor a log', async () => {
    const { client } = await attached((_request, response) => json(response, 404), {
      beforeSend: ({ config }) => void config.headers.set('X-Signature', 's1gned'),
    });
    const error = await axiosErrorOf(client.get('/x'));
    const { response } = error;
    const { request: _request, ...rest } = response ?? {};
    for (const text of [JSON.stringify(error), JSON.stringify(rest), inspect({ ...rest }, { depth: 9 })]) {
      expect(text).not.toContain('s1gned');
    }
    expect(Reflect.ownKeys({ ...error }).filter((key) => typeof key === 'symbol')).toEqual([]);
  });
});

describe('the address of a call', () => {
  it('holds no user and password, however the URL is written', () => {
    const mess = fc.constantFrom('', '/', '\\', '//', ':', ' ', '@', '?', '#', 'x', '%2f', '\u3000');
    fc.assert(
      fc.property(
        fc.constantFrom('https:', 'http:', 'HTTPS:', 'ftp:', 'ws:', 'custom:', ''),
        fc.array(mess, { maxLength: 4 }),
        fc.array(mess, { maxLength: 2 }),
        fc.constantFrom(undefined, 'https://base.example/v1'),
        (scheme, before, after, baseURL) => {
          const url = `${scheme}${before.join('')}us3r:p4ssword@host.example${after.join('')}/path`;
          const parsed = parse(url, baseURL);
          if (parsed?.password !== 'p4ssword') return;
          expect(addressOf(baseURL === undefined ? { url } : { url, baseURL }), JSON.stringify(url)).not.toContain(
            'p4ssword',
          );
        },
      ),
      { numRuns: 3_000 },
    );
  });

  it('also where a backslash stands in the user of a scheme of its own', () => {
    const url = 'custom://\\x\\us3r:p4ssword@host.example/path';
    expect(parse(url, undefined)?.password).toBe('p4ssword');
    expect(addressOf({ url })).not.toContain('p4ssword');
  });

  // `new URL` drops tabs and line breaks wherever they stand; here they hide the slashes behind the scheme.
  it.each(['https:\n//', 'https:\t//', 'https:/\r\n/'])('also where it begins with %j', (beginning) => {
    const url = `${beginning}us3r:p4ssword@host.example/path`;
    expect(parse(url, undefined)?.password).toBe('p4ssword');
    expect(addressOf({ url })).not.toContain('p4ssword');
  });
});

/** As axios' adapters do: after joining. */
function parse(url: string, baseURL: string | undefined): URL | undefined {
  try {
    return new URL(axios.getUri(baseURL === undefined ? { url } : { url, baseURL }));
  } catch {
    return undefined;
  }
}

describe('what a policy error says of the wrong values', () => {
  const wrong: readonly [name: string, policy: unknown][] = [
    ['a token instead of a function that gives it', { auth: { token: 's3cret-token', refresh: async () => 'x' } }],
    ['a token instead of an auth policy', { auth: 'Bearer s3cret-token' }],
    ['a key instead of a function that makes it', { idempotency: { generate: 's3cret-token' } }],
  ];
  const client = axios.create({ baseURL: 'https://api.example.com' });

  // Elsewhere texts of up to 40 characters are quoted; most opaque tokens and API keys are not longer.
  it.each(wrong)('is not the value: %s', (_name, policy) => {
    const error = thrownBy(() => attach(client, policy as never));
    expect(error.message).not.toContain('s3cret-token');
  });

  it('is not seen in its JSON either', () => {
    const policy = { auth: { token: () => 'x', refresh: async () => 'y', clientSecret: 's3cret-token' } };
    const error = thrownBy(() => attach(client, policy as never));
    expect(JSON.stringify(error)).not.toContain('s3cret-token');
  });
});

function thrownBy(body: () => unknown): InvalidPolicyError {
  try {
    body();
  } catch (error) {
    if (error instanceof InvalidPolicyError) return error;
  }
  throw new Error('expected an InvalidPolicyError');
}
