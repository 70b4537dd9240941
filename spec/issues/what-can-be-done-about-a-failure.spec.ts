import axios, { type AxiosInstance, type AxiosRequestConfig } from 'axios';
import old from 'axios-1.7';
import { attach, exponentialBackoff, failureOf, type Policy } from 'axios-holdfast';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { attachWith } from '../../lib/full.ts';
import { attached, inTurn, rejectionOf, status } from '../support/attached.ts';
import { type Answer, loopback } from '../support/loopback.ts';
import { ManualClock } from '../support/manual-clock.ts';

async function serving(answer: Answer) {
  const server = await loopback(answer);
  onTestFinished(() => server.close());
  return server;
}

async function summaryOf(answer: Answer, policy: Policy, call: AxiosRequestConfig = {}): Promise<string> {
  const { client } = await attached(answer, policy);
  return String(failureOf(await rejectionOf(client.request(call)))?.summary);
}

describe('the summary says what can be done', () => {
  it('names the number of retries that were made', async () => {
    expect(await summaryOf(status(503), { retry: { maxRetries: 2 } })).toContain('retries exhausted (maxRetries 2)');
  });

  it('of a POST that was not repeated, that a key would make it harmless', async () => {
    const summary = await summaryOf(status(502), {}, { method: 'post', data: {} });
    expect(summary).toContain('a repeat might be applied twice: turn on `idempotency`');
  });

  it('of a body that was read, who can make another', async () => {
    const { Readable } = await import('node:stream');
    const summary = await summaryOf(status(503), {}, { method: 'put', data: Readable.from(['x']) });
    expect(summary).toContain('the body can be read only once: `body` can make it afresh');
  });

  it('of the limiter, which of its options refused', async () => {
    const server = await serving(() => {});
    const client = axios.create({ baseURL: server.url });
    const holdfast = attach(client, { limit: { maxConcurrent: 1, maxQueue: 1 } });
    const sending = new AbortController();
    const first = rejectionOf(client.get('/', { signal: sending.signal }));
    const queued = rejectionOf(client.get('/'));
    const refused = await rejectionOf(client.get('/'));
    expect(failureOf(refused)?.summary).toContain('the queue of the limiter is full (`limit.maxQueue`)');
    await holdfast.close();
    expect(failureOf(await queued)?.summary).toContain('the limiter is closed');
    sending.abort();
    await first;
    const paced = axios.create({ baseURL: server.url });
    attach(paced, { limit: { requests: 1, perMs: 60_000, maxWaitMs: 100 }, deadlineMs: 1_000 });
    void paced.get('/').catch(() => {});
    const late = await rejectionOf(paced.get('/'));
    expect(failureOf(late)?.summary).toContain('the limiter asks for a longer wait than `limit.maxWaitMs`');
  });
});

describe("of a limiter of the caller's own", () => {
  it('it is told what that said, and is limited', async () => {
    const limit = {
      acquire: () => Promise.reject(new Error('the pool was drained')),
      pause: () => {},
      close: async () => {},
      stats: () => ({ queued: 0, running: 0 }),
    };
    const { client } = await attached(status(200), { limit });
    const failure = failureOf(await rejectionOf(client.get('/')));
    expect(failure).toMatchObject({ kind: 'limited', endedBecause: 'limited', sends: 0 });
    expect(failure?.summary).toContain('limited, the limiter refused: "the pool was drained"');
  });
});

describe('of a deadline', () => {
  it('that has passed, it says so', async () => {
    const server = await serving(() => {});
    const client = axios.create({ baseURL: server.url });
    const clock = new ManualClock();
    attachWith({ clock, random: () => 1 }, client, { deadlineMs: 30_000 });
    const rejected = rejectionOf(client.get('/'));
    await vi.waitFor(() => expect(server.seen).toHaveLength(1));
    await clock.advance(30_000);
    expect(failureOf(await rejected)?.summary).toMatch(/timeout \(ETIMEDOUT\), the deadline of 30 s has passed$/);
  });

  it('that a retry could not meet, that it is too near', async () => {
    const summary = await summaryOf(status(503, { 'retry-after': '40' }), { deadlineMs: 30_000 });
    expect(summary).toMatch(/503 unavailable, the deadline of 30 s is too near for a retry/);
  });

  it('that is over before its turn in the queue, that it is too near for that', async () => {
    const server = await serving(status(200));
    const client = axios.create({ baseURL: server.url });
    attach(client, { limit: { requests: 1, perMs: 60_000 }, deadlineMs: 2_500 });
    await client.get('/');
    const error = await rejectionOf(client.get('/'));
    expect(failureOf(error)?.summary).toMatch(
      /limited \(ERR_LIMIT_DEADLINE\), the deadline of 2\.5 s is too near for its turn in the queue$/,
    );
  });
});

describe('of a refresh that throws', () => {
  const auth = (refresh: () => never, token = { value: 'at-0123456789abcdef' }): Policy => ({
    auth: { token: () => token, refresh, retry: { retries: 0 } },
  });
  const throwing = (message: string) => () => {
    throw new Error(message);
  };

  it('its message is in the summary', async () => {
    const summary = await summaryOf(status(401), auth(throwing('the refresh token has been revoked')));
    expect(summary).toContain('the token could not be refreshed: "the refresh token has been revoked"');
  });

  it('also where the token had expired before anything was sent', async () => {
    const token = { value: 'at-0123', refreshToken: 'rt-abc', expiresAt: 1 };
    const refused = auth(throwing('no user for at-0123 and rt-abc'), token);
    expect(await summaryOf(status(200), refused)).toContain(
      'the token could not be refreshed: "no user for [redacted] and [redacted]"',
    );
  });

  it('without the tokens that it quotes, whether or not we know them', async () => {
    const message = 'bad at-0123456789abcdef, Bearer zzz.yyy, rt_9f8e7d6c5b4a, password=hunter2';
    const summary = await summaryOf(status(401), auth(throwing(message)));
    expect(summary).toContain('bad [redacted], Bearer [redacted], [redacted], password=[redacted]');
  });

  it('without what its own request held', async () => {
    const provider = await serving(status(400, {}, { error: 'invalid_grant' }));
    const refresh = async (): Promise<never> => {
      const data = new URLSearchParams({ client_secret: 'open sesame', refresh_token: 'mellon' });
      const error = await rejectionOf(axios.post(provider.url, data));
      (error as Error).message += ' for open sesame, mellon';
      throw error;
    };
    const summary = await summaryOf(status(401), {
      auth: { token: () => ({ value: 'secret-token' }), refresh, retry: { retries: 0 } },
    });
    expect(summary).toContain(': "Request failed with status code 400 for [redacted], [redacted]"');
  });

  it('of whatever length it is', async () => {
    const message = 'a0123456789b '.repeat(100_000);
    const summary = await summaryOf(status(401), auth(throwing(message)));
    expect(summary).toContain(': "[redacted] [redacted] ');
    expect(summary.length).toBeLessThan(400);
  });

  it('and the error itself stays without it', async () => {
    const { client } = await attached(status(401), auth(throwing('why')));
    expect(await rejectionOf(client.get('/'))).toMatchObject({
      message: 'the token could not be refreshed',
      cause: { message: 'why' },
    });
  });
});

describe('of a call that nobody looked after', () => {
  const holdfast: Policy = { retry: { maxRetries: 5, backoff: exponentialBackoff() }, idempotency: {} };
  const NOT_ATTACHED = /503 unavailable, not attached: attach\(instance, policy\) comes first, and for each instance$/;

  it.each<[string, () => AxiosInstance]>([
    ['an instance that nothing is attached to', () => axios.create()],
    ['one of axios 1.7', () => old.create() as unknown as AxiosInstance],
    [
      'one that was made from an attached one',
      () => {
        const client = axios.create();
        attach(client);
        return client.create();
      },
    ],
    [
      'one that is detached',
      () => {
        const client = axios.create();
        attach(client).detach();
        return client;
      },
    ],
  ])('the policy that it brought to %s did nothing, and the summary says why', async (_, make) => {
    const server = await serving(status(503));
    const error = await rejectionOf(make().get(server.url, { holdfast }));
    expect(server.seen).toHaveLength(1);
    expect(failureOf(error)).toMatchObject({ endedBecause: 'disabled', summary: expect.stringMatching(NOT_ATTACHED) });
  });

  it('is told from one that was let through, and from a policy without retries', async () => {
    expect(await summaryOf(status(503), {}, { holdfast: false })).toMatch(/, let through by `holdfast: false`$/);
    expect(await summaryOf(status(503), { retry: false })).toMatch(/, retrying is off$/);
  });

  it('is told from one that ended before it was sent', async () => {
    const { client } = await attached(inTurn(status(200)));
    const error = await rejectionOf(client.get('/', { signal: AbortSignal.abort(), holdfast: {} }));
    expect(failureOf(error)?.summary).not.toContain('not attached');
  });
});
