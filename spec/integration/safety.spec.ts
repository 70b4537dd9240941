import { randomUUID } from 'node:crypto';
import axios from 'axios';
import { attach, failureOf, mergePolicies, type Policy, partnerApi } from 'axios-holdfast';
import MockAdapter from 'axios-mock-adapter';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { verdictOfError } from '../../lib/classify/network.ts';
import { json, type Loopback, loopback } from '../support/loopback.ts';

let server: Loopback | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

async function clientOf(policy: Policy, status = 504) {
  server = await loopback((_request, response) => json(response, status));
  const client = axios.create({ baseURL: server.url });
  const holdfast = attach(client, mergePolicies({ retry: { backoff: () => 0 } }, policy));
  return { client, holdfast, seen: server.seen };
}

describe('whether a repeat is harmless', () => {
  it('is judged by the method that was sent, not by the one that was asked for', async () => {
    const beforeSend: Policy['beforeSend'] = ({ config }) => {
      config.method = 'post';
    };
    const { client, seen } = await clientOf({ beforeSend });
    await client.get('/m').catch(() => {});
    expect(seen.map(({ method }) => method)).toEqual(['POST']);
  });

  it('is not vouched for by a key that beforeSend makes anew for every send', async () => {
    const beforeSend: Policy['beforeSend'] = ({ config }) => {
      config.headers.set('Idempotency-Key', randomUUID());
    };
    const { client, seen } = await clientOf({ idempotency: {}, beforeSend });
    await client.post('/m', {}).catch(() => {});
    expect(seen).toHaveLength(1);
  });

  it('is not vouched for by a key that beforeSend took off', async () => {
    const beforeSend: Policy['beforeSend'] = ({ config }) => {
      config.headers.delete('Idempotency-Key');
    };
    const { client, seen } = await clientOf({ beforeSend });
    await client.post('/m', {}, { headers: { 'Idempotency-Key': 'mine' } }).catch(() => {});
    expect(seen).toHaveLength(1);
  });

  it.each(['read', 'write'])('is not proven by EHOSTUNREACH on a %s: the connection was there', (syscall) => {
    const cause = Object.assign(new Error(`${syscall} EHOSTUNREACH`), { code: 'EHOSTUNREACH', syscall });
    expect(verdictOfError(Object.assign(new Error(), { code: 'EHOSTUNREACH', cause })).unapplied).toBeUndefined();
    const connecting = Object.assign(new Error(), { code: 'EHOSTUNREACH', syscall: 'connect' });
    expect(verdictOfError(connecting).unapplied).toBe(true);
  });

  it('does not matter for a code that is not the network’s: it is sent once', async () => {
    let sends = 0;
    const client = axios.create({
      adapter: () => {
        sends += 1;
        return Promise.reject(Object.assign(new Error('bad input'), { code: 'E_VALIDATION' }));
      },
    });
    attach(client);
    await client.get('/').catch(() => {});
    expect(sends).toBe(1);
  });
});

describe("axios-mock-adapter's network errors, which have no code,", () => {
  it('are retried like those that have one', async () => {
    const client = axios.create();
    const mock = new MockAdapter(client as never);
    mock.onGet('/').networkErrorOnce().onGet('/').reply(200);
    attach(client, { retry: { backoff: () => 0 } });
    expect((await client.get('/')).status).toBe(200);
  });
});

describe('a code that forbids a repeat', () => {
  it('counts wherever it stands in the body', async () => {
    server = await loopback((_request, response) => {
      const innerError = { code: '800064', message: 'being processed' };
      json(response, 409, { error: { code: '800060', message: 'in progress', innerError } });
    });
    const client = axios.create({ baseURL: server.url });
    attach(client, mergePolicies(partnerApi(), { retry: { backoff: () => 0 } }));
    await client.put('/orders/1', {}).catch(() => {});
    expect(server.seen).toHaveLength(1);
  });
});

describe('a clock that stands still', () => {
  it('does not keep a retry waiting for ever', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    try {
      server = await loopback((_request, response, n) => json(response, n === 0 ? 503 : 200));
      const client = axios.create({ baseURL: server.url });
      attach(client);
      expect((await client.get('/')).status).toBe(200);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('a limiter that fails after the send', () => {
  it('does not take the place of the answer', async () => {
    const release = () => {
      throw new Error('the store is down');
    };
    const limit = {
      acquire: () => ({ release }),
      pause() {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const { client } = await clientOf({ limit }, 201);
    expect((await client.post('/orders', {})).status).toBe(201);
  });
});

describe('closing', () => {
  it('refuses the calls that wait for the limiter', async () => {
    const limit = {
      acquire: () => new Promise<never>(() => {}),
      pause() {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const { client, holdfast, seen } = await clientOf({ limit });
    const call = client.get('/').catch((error: unknown) => error);
    await new Promise((resolve) => setImmediate(resolve));
    expect(holdfast.stats().queued).toBe(1);
    await holdfast.close();
    expect(await call).toMatchObject({ name: 'LimitError', code: 'ERR_LIMIT_CLOSED' });
    expect(failureOf(await call)?.endedBecause).toBe('limited');
    expect(holdfast.stats().queued).toBe(0);
    expect(seen).toHaveLength(0);
  });
});

describe('clearing the interceptors of an instance', () => {
  it('takes the attachment away, so that it can be attached to again', () => {
    const client = axios.create();
    const holdfast = attach(client);
    client.interceptors.request.clear();
    const again = attach(client);
    expect(() => attach(client)).toThrow('already');
    holdfast.detach();
    again.detach();
  });
});

describe('the summary', () => {
  it('does not repeat what the body held under a telling name', async () => {
    server = await loopback(({ body }, response) => {
      const { password } = JSON.parse(String(body));
      json(response, 400, { code: 'weak', description: `The value ${password} is too weak`, source: 'test' });
    });
    const client = axios.create({ baseURL: server.url });
    attach(client);
    const error = await client.post('/users', { password: 'hunter2-Secret!' }).catch((thrown: unknown) => thrown);
    expect(failureOf(error)?.summary).toContain('The value [redacted] is too weak');
  });
});

describe(mergePolicies.name, () => {
  it('lets a judge, a hook or a listener speak once, however often it is given', () => {
    const classify = () => undefined;
    const beforeSend = () => {};
    const finished = () => {};
    const policy: Policy = { classify, beforeSend, on: { finished } };
    expect(mergePolicies(policy, undefined, policy)).toEqual({
      classify: [classify],
      beforeSend: [beforeSend],
      on: { finished: [finished] },
    });
  });
});
