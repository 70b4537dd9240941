import axios from 'axios';
import { type AuthOptions, attach, type Policy, partnerApi } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, rejectionOf, status } from '../support/attached.ts';

/*
 * Who can choose a header's value can try to smuggle in another header. Tokens: `spec/integration/auth-bounds.spec.ts`;
 * tokens of a refresh and of a shared store: `spec/auth/credential.spec.ts`; line breaks in a generated idempotency key:
 * `spec/integration/repeats.spec.ts`; names of headers: `spec/policy/validate.spec.ts`; what the caller's own headers hold
 * is axios' business: `spec/integration/attach-config.spec.ts`.
 */
const SMUGGLED: readonly [name: string, value: unknown][] = [
  ['CR and LF', 'a\r\nX-Evil: 1'],
  ['a LF', 'a\nX-Evil: 1'],
  ['a CR', 'a\rX-Evil: 1'],
  ['a LF at the end', 'a\n'],
  ['a NUL', 'a\u0000b'],
  ['a DEL', 'a\u007f'],
  ['a tab', 'a\tb'],
  ['an umlaut', 'ü'],
  ['what becomes a line break in latin-1', 'a\u010d\u010aX-Evil: 1'],
  ['a line separator', 'a\u2028b'],
  ['a blank before it', ' a'],
  ['nothing', ''],
  ['a list', ['a', 'b\r\nX-Evil: 1']],
  ['an object whose text is another', { toString: () => 'a\r\nX-Evil: 1' }],
  ['no value', undefined],
];

const session: AuthOptions = { token: () => 'one', refresh: async () => 'two', retry: { retries: 0 } };

const WAYS: readonly [name: string, policy: (value: never) => Policy][] = [
  ['an idempotency key', (value) => ({ idempotency: { generate: () => value } })],
  ['a correlation id', (value) => ({ correlation: { generate: () => value } })],
];

describe.each(ADAPTERS)('over %s', (adapter) => {
  describe.each(WAYS)('%s that the policy makes', (_way, policy) => {
    it.each(SMUGGLED)('with %s is refused before anything is sent', async (_name, value) => {
      const { server, client, holdfast } = await attached(status(200), policy(value as never), { adapter });
      const error = await rejectionOf(client.post('/x', {}));
      expect(error).toBeInstanceOf(TypeError);
      expect((error as Error).message).not.toContain('Evil');
      expect(server.connections).toBe(0);
      expect(holdfast.stats()).toMatchObject({ sends: 0, inFlight: 0 });
    });
  });

  it.each(SMUGGLED.filter(([, value]) => value !== ' a'))(
    'a refreshed token with %s is refused, and the request is not repeated with it',
    async (_name, value) => {
      const auth = { ...session, refresh: async () => value as string };
      const { server, client } = await attached(status(401), { auth }, { adapter });
      const error = await rejectionOf(client.get('/x'));
      expect(error).toMatchObject({ code: 'ERR_TOKEN_REFRESH' });
      expect(String((error as Error).cause)).not.toContain('Evil');
      expect(server.seen).toHaveLength(1);
    },
  );

  it('lets no header of a server become one of ours', async () => {
    const evil = { 'x-evil': '1', 'idempotency-key': 'theirs', authorization: 'Bearer theirs', 'retry-after': '0' };
    const policy: Policy = { idempotency: {}, correlation: {}, auth: session };
    const { server, client } = await attached(status(503, evil), policy, { adapter });
    await rejectionOf(client.post('/x', {}));
    expect(server.seen.length).toBeGreaterThan(1);
    for (const { headers } of server.seen) {
      expect(headers).not.toHaveProperty('x-evil');
      expect(headers).toMatchObject({ authorization: 'Bearer one' });
      expect(headers['idempotency-key']).not.toBe('theirs');
    }
  });
});

describe("the preset's ids", () => {
  it('hold nothing that a tenant, whose name may be anybody’s, could put there', async () => {
    const { server, client } = await attached(status(200), partnerApi({ tenant: 'a\r\nX-Evil: 1' }));
    await client.post('/v1/customers/b%0d%0aX-Evil:%201/orders', {});
    expect(JSON.stringify(server.seen[0]?.rawHeaders)).not.toContain('Evil');
  });
});

describe('a token with blanks around it', () => {
  // axios trims it, so the server would see another one than the policy gave, and a 401 about it would be taken for somebody else's.
  it('is refused as other values are that would not arrive as they are', async () => {
    for (const value of [' a', 'a ']) {
      const { server, client } = await attached(status(401), { auth: { ...session, token: () => value } });
      expect(await rejectionOf(client.get('/x'))).toBeInstanceOf(TypeError);
      expect(server.seen).toHaveLength(0);
    }
  });
});

it('refuses a header name that is more than a name before anything is attached', () => {
  const client = axios.create();
  for (const header of ['X: 1\r\nY', 'X Y', '', 'ü', 'X\u0000']) {
    expect(() => attach(client, { correlation: { header } })).toThrow('a header name');
    expect(() => attach(client, { idempotency: { header } })).toThrow('a header name');
  }
  attach(client).detach();
});
