import {
  type EndReason,
  failureOf,
  type IdempotencyOptions,
  mergePolicies,
  type Policy,
  reportOf,
} from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { ADAPTERS, attached, axiosErrorOf, inTurn, rejectionOf, status } from '../support/attached.ts';
import { hangUp, impatientAtFirst, reset, silent, truncated } from '../support/faults.ts';
import type { Answer, Seen } from '../support/loopback.ts';

const keysOf = (seen: readonly Seen[], name = 'idempotency-key') => seen.map(({ headers }) => headers[name]);

function counter(): () => string {
  let made = 0;
  return () => `key-${++made}`;
}

/** After these nobody knows whether the POST was applied. */
const AMBIGUOUS: readonly [string, Answer][] = [
  ['502', status(502)],
  ['503 without Retry-After', status(503)],
  ['504', status(504)],
  ['502 with Retry-After', status(502, { 'retry-after': '0' })],
  ['reset', reset],
  ['closed connection', hangUp],
  ['truncated 200', truncated],
  ['timeout', silent],
];

/** After these it provably was not. */
const REFUSED: readonly [string, Answer][] = [
  ['429', status(429)],
  ['429 with Retry-After', status(429, { 'retry-after': '0' })],
  ['503 with Retry-After', status(503, { 'retry-after': '0' })],
];

const METHODS = ['POST', 'PATCH'] as const;
/** The policy, with little time for an answer that never comes. */
const facing = (answer: Answer, policy: Policy = {}): Policy =>
  answer === silent ? mergePolicies(policy, impatientAtFirst) : policy;

describe.each(ADAPTERS)('POST and PATCH over the %s adapter', (adapter) => {
  describe.each(METHODS)('%s', (method) => {
    const call = { method, url: '/v1/orders', data: { item: 1 } };

    it.each(AMBIGUOUS)('is sent once where it may have been applied: %s', async (_what, answer) => {
      const { server, client } = await attached(inTurn(answer, status(200)), facing(answer), { adapter });
      const error = await axiosErrorOf(client.request(call));
      expect(failureOf(error)).toMatchObject({ endedBecause: 'unsafe-method', sends: 1 });
      expect(server.seen).toHaveLength(1);
    });

    it.each(REFUSED)('is repeated where it provably was not applied: %s', async (_what, answer) => {
      const { server, client } = await attached(inTurn(answer, answer, status(200)), {}, { adapter });
      expect((await client.request(call)).status).toBe(200);
      expect(server.seen.map(({ body }) => String(body))).toEqual(Array(3).fill('{"item":1}'));
    });

    it.each(AMBIGUOUS)("is repeated all the same with unsafe: 'always': %s", async (_what, answer) => {
      const policy: Policy = { retry: { unsafe: 'always' } };
      const { server, client } = await attached(inTurn(answer, status(200)), facing(answer, policy), { adapter });
      expect((await client.request(call)).status).toBe(200);
      expect(server.seen).toHaveLength(2);
    });

    it.each([...REFUSED, ...AMBIGUOUS.slice(0, 2)])("is sent once with unsafe: 'never': %s", async (_what, answer) => {
      const policy: Policy = { retry: { unsafe: 'never' } };
      const { server, client } = await attached(inTurn(answer, status(200)), policy, { adapter });
      const error = await axiosErrorOf(client.request(call));
      expect(failureOf(error)?.endedBecause).toBe('unsafe-method');
      expect(server.seen).toHaveLength(1);
    });

    it.each(AMBIGUOUS)('is repeated with the same idempotency key: %s', async (_what, answer) => {
      const policy: Policy = { idempotency: { generate: counter() } };
      const { server, client } = await attached(inTurn(answer, status(200)), facing(answer, policy), { adapter });
      expect((await client.request(call)).status).toBe(200);
      expect(keysOf(server.seen)).toEqual(['key-1', 'key-1']);
    });
  });

  it("of one call may have another policy than the attached one: unsafe: 'always'", async () => {
    const { server, client } = await attached(status(502), { retry: { maxRetries: 1 } }, { adapter });
    await axiosErrorOf(client.post('/', {}, { holdfast: { retry: { unsafe: 'always' } } }));
    expect(server.seen).toHaveLength(2);
    await axiosErrorOf(client.post('/', {}));
    expect(server.seen).toHaveLength(3);
  });
});

describe("idempotent methods with unsafe: 'never'", () => {
  it.each(['GET', 'PUT', 'DELETE'])('%s is repeated', async (method) => {
    const { server, client } = await attached(inTurn(reset, status(502), status(200)), { retry: { unsafe: 'never' } });
    await client.request({ method, url: '/' });
    expect(server.seen).toHaveLength(3);
  });
});

describe.each(ADAPTERS)('the idempotency key over the %s adapter', (adapter) => {
  it('is a new UUID for every call, the same for all of its sends', async () => {
    const answers = inTurn(status(502), status(504), status(200), status(503), status(200));
    const { server, client } = await attached(answers, { idempotency: {} }, { adapter });

    await client.post('/', {});
    await client.post('/', {});

    const keys = keysOf(server.seen);
    expect(keys[0]).toMatch(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(keys.slice(0, 3)).toEqual(Array(3).fill(keys[0]));
    expect(keys.slice(3)).toEqual(Array(2).fill(keys[3]));
    expect(keys[3]).not.toBe(keys[0]);
  });

  it('is generated once per call, and not at all where none is sent', async () => {
    let made = 0;
    const generate = () => `key-${++made}`;
    const { server, client } = await attached(
      status(502),
      { idempotency: { generate }, retry: { maxRetries: 1 } },
      { adapter },
    );
    await axiosErrorOf(client.get('/'));
    expect(made).toBe(0);
    await axiosErrorOf(client.post('/', {}));
    expect(made).toBe(1);
    expect(keysOf(server.seen)).toEqual([undefined, undefined, 'key-1', 'key-1']);
  });

  it('is off by default', async () => {
    const { server, client } = await attached(status(200), {}, { adapter });
    await client.post('/', {});
    expect(keysOf(server.seen)).toEqual([undefined]);
  });

  it('goes under the header and with the methods of the policy', async () => {
    const idempotency: IdempotencyOptions = { header: 'MS-RequestId', methods: ['PUT'], generate: counter() };
    const { server, client } = await attached(inTurn(status(502), status(200)), { idempotency }, { adapter });
    await client.put('/', {});
    await client.post('/', {});
    expect(keysOf(server.seen, 'ms-requestid')).toEqual(['key-1', 'key-1', undefined]);
    expect(keysOf(server.seen)).toEqual([undefined, undefined, undefined]);
  });

  it('of the caller wins over a generated one', async () => {
    const policy: Policy = { idempotency: { generate: counter() } };
    const { server, client } = await attached(inTurn(status(502), status(200)), policy, { adapter });
    await client.post('/', {}, { headers: { 'idempotency-key': 'mine' } });
    expect(keysOf(server.seen)).toEqual(['mine', 'mine']);
  });

  it.each(AMBIGUOUS)('of the caller makes a POST repeatable where the policy makes none: %s', async (_what, answer) => {
    const { server, client } = await attached(inTurn(answer, status(200)), facing(answer), { adapter });
    await client.post('/', {}, { headers: { 'Idempotency-Key': 'mine' } });
    expect(keysOf(server.seen)).toEqual(['mine', 'mine']);
  });

  it('that the caller has switched off with false is not sent, and makes nothing repeatable', async () => {
    const policy: Policy = { idempotency: { generate: counter() } };
    const { server, client } = await attached(inTurn(status(502), status(200)), policy, { adapter });
    const error = await axiosErrorOf(client.post('/', {}, { headers: { 'Idempotency-Key': false } }));
    expect(failureOf(error)?.endedBecause).toBe('unsafe-method');
    expect(keysOf(server.seen)).toEqual([undefined]);
  });

  it("is not left behind on the caller's headers or config", async () => {
    const headers = { 'x-mine': '1' };
    const { client } = await attached(inTurn(status(502), status(200)), { idempotency: {} }, { adapter });
    const response = await client.post('/', {}, { headers });
    expect(headers).toEqual({ 'x-mine': '1' });
    expect(response.config.headers.has('Idempotency-Key')).toBe(false);
  });

  it("may be turned on, changed or turned off by a call's own policy", async () => {
    const policy: Policy = { idempotency: { generate: counter() } };
    const { server, client } = await attached(status(200), policy, { adapter });
    await client.post('/', {}, { holdfast: { idempotency: false } });
    await client.post('/', {}, { holdfast: { idempotency: { header: 'X-Key' } } });
    await client.post('/', {});
    expect(keysOf(server.seen)).toEqual([undefined, undefined, 'key-2']);
    expect(keysOf(server.seen, 'x-key')).toEqual([undefined, 'key-1', undefined]);
  });

  it.each<[string, unknown]>([
    ['with line breaks in it', 'key\r\nX-Admin: 1'],
    ['that is empty', ''],
    ['that is blank', ' '],
    ['that is no string', 42],
    ['that is undefined', undefined],
    ['that is a promise', Promise.resolve('key')],
  ])('%s is refused before anything is sent', async (_what, key) => {
    const policy: Policy = { idempotency: { generate: () => key as string } };
    const { server, client, holdfast } = await attached(status(200), policy, { adapter });
    const error = await rejectionOf(client.post('/', {}));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain('idempotency.generate');
    expect(server.connections).toBe(0);
    expect(holdfast.stats()).toMatchObject({ sends: 0, inFlight: 0 });
  });

  it('that cannot be generated has the call reject with what was thrown', async () => {
    const thrown = new Error('out of keys');
    const generate = () => {
      throw thrown;
    };
    const { server, client } = await attached(status(200), { idempotency: { generate } }, { adapter });
    expect(await rejectionOf(client.post('/', {}))).toBe(thrown);
    expect(server.connections).toBe(0);
  });
});

describe.each(ADAPTERS)("renew: 'after-response' over the %s adapter", (adapter) => {
  const renewing = (): Policy => ({ idempotency: { renew: 'after-response', generate: counter() } });

  it.each(REFUSED)('takes a new key after a %s', async (_what, answer) => {
    const { server, client } = await attached(inTurn(answer, answer, status(200)), renewing(), { adapter });
    await client.post('/', {});
    expect(keysOf(server.seen)).toEqual(['key-1', 'key-2', 'key-3']);
  });

  it.each<[string, Answer]>([
    ['reset', reset],
    ['closed connection', hangUp],
    ['timeout', silent],
  ])('keeps the key after a %s, and so repeats a POST', async (_what, answer) => {
    const { server, client } = await attached(inTurn(answer, status(200)), facing(answer, renewing()), { adapter });
    await client.post('/', {});
    expect(keysOf(server.seen)).toEqual(['key-1', 'key-1']);
  });

  it.each([502, 503, 504])('does not repeat a POST that was answered %i', async (code) => {
    const { server, client } = await attached(inTurn(status(code), status(200)), renewing(), { adapter });
    const error = await axiosErrorOf(client.post('/', {}));
    expect(failureOf(error)?.endedBecause).toBe<EndReason>('unsafe-method');
    expect(keysOf(server.seen)).toEqual(['key-1']);
  });

  it('keeps the key of a send that was lost, which may have been applied: lost, throttled, lost, done', async () => {
    const answers = inTurn(hangUp, status(429, { 'retry-after': '0' }), reset, status(200));
    const { server, client } = await attached(answers, renewing(), { adapter });
    const response = await client.post('/', {});
    expect(keysOf(server.seen)).toEqual(['key-1', 'key-1', 'key-1', 'key-1']);
    expect(reportOf(response)?.sends).toHaveLength(4);
  });

  it("never renews the caller's own key, which makes a POST repeatable also after a 502", async () => {
    const { server, client } = await attached(inTurn(status(502), status(429), status(200)), renewing(), { adapter });
    await client.post('/', {}, { headers: { 'Idempotency-Key': 'mine' } });
    expect(keysOf(server.seen)).toEqual(['mine', 'mine', 'mine']);
  });
});

describe('retry: false', () => {
  it('sends once, also what would be harmless to repeat, and says so', async () => {
    const { server, client } = await attached(status(503), { retry: false, idempotency: {} });
    const error = await axiosErrorOf(client.post('/', {}));
    expect(failureOf(error)?.endedBecause).toBe('disabled');
    expect(server.seen).toHaveLength(1);
    expect(keysOf(server.seen)[0]).toBeDefined();
  });
});
