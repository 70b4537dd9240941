import { failureOf, type Policy, reportOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { axiosErrorOf, inTurn, status } from '../support/attached.ts';
import { byHand, runThrough } from '../support/by-hand.ts';

const asks = (seconds: number, code = 429) => status(code, { 'retry-after': String(seconds) });

/** What a call waits because the server says so is bounded in sum, so that `maxMs` says how long a caller waits. */
describe('the named waits of a call', () => {
  it('are not longer than maxMs together: the wait that would pass it ends the call at once', async () => {
    const setting = await byHand(inTurn(asks(57), asks(10), status(200)));
    const delays = runThrough(setting);
    const failure = failureOf(await axiosErrorOf(setting.client.get('/')));
    expect(delays).toEqual([57_000]);
    expect(failure).toMatchObject({ endedBecause: 'wait-too-long', sends: 2, waitedMs: 57_000, retryAfterMs: 10_000 });
    expect(failure?.summary).toContain(
      'waited 57 s of 60 s; the server asks for 10 s more: raise `retry.retryAfter.maxMs`',
    );
  });

  it('may be as long as maxMs to the millisecond', async () => {
    const setting = await byHand(inTurn(asks(20), asks(39, 503), asks(1), status(200)));
    const delays = runThrough(setting);
    expect((await setting.client.get('/')).status).toBe(200);
    expect(delays).toEqual([20_000, 39_000, 1_000]);
  });

  it('are counted without backoff and without jitter', async () => {
    const policy: Policy = { retry: { backoff: () => 30_000, retryAfter: { jitterMs: 10_000 } } };
    const setting = await byHand(inTurn(status(503), asks(55), asks(5), status(200)), policy);
    const delays = runThrough(setting);
    expect((await setting.client.get('/')).status).toBe(200);
    expect(delays).toEqual([30_000, 60_000, 10_000]);
  });

  it('are counted for each call alone, and without the time in a queue', async () => {
    const setting = await byHand(
      ({ url }, response, n) => {
        const answer = n === 0 ? asks(40) : url === '/b' && n === 1 ? asks(50) : status(200);
        return answer({ url } as never, response, n);
      },
      { limit: { maxConcurrent: 1 } },
    );
    const { client, clock } = setting;
    const [a, b] = [client.get('/a'), client.get('/b')];
    expect((await clock.run(a)).status).toBe(200);
    expect((await clock.run(b)).status).toBe(200);
  });

  it('are counted against what the call itself allows', async () => {
    const setting = await byHand(inTurn(asks(57), asks(57), asks(57), status(200)));
    const delays = runThrough(setting);
    const patient = { holdfast: { retry: { retryAfter: { maxMs: 180_000 } } } };
    expect((await setting.client.get('/', patient)).status).toBe(200);
    expect(delays).toEqual([57_000, 57_000, 57_000]);
  });

  it("are each cut to maxMs with 'clamp', and bounded in sum by maxRetries only", async () => {
    const setting = await byHand(asks(120), { retry: { retryAfter: { whenLonger: 'clamp' } } });
    const delays = runThrough(setting);
    const error = await axiosErrorOf(setting.client.get('/'));
    expect(delays).toEqual([60_000, 60_000, 60_000]);
    expect(reportOf(error)?.endedBecause).toBe('retries-exhausted');
  });

  it('end a call at the first answer where that alone is too long, and the summary says by how much', async () => {
    const { client } = await byHand(asks(3_600));
    const failure = failureOf(await axiosErrorOf(client.get('/')));
    expect(failure?.summary).toContain('the server asks for 3600 s, of at most 60 s: raise `retry.retryAfter.maxMs`');
  });
});

describe('retryAfter: false', () => {
  it.each([429, 503])('takes no notice of what a %i names, and waits by the backoff', async (code) => {
    const policy: Policy = { retry: { retryAfter: false, backoff: ({ retry }) => 10 * (retry + 1) } };
    const setting = await byHand(inTurn(asks(3_600, code), asks(0, code), status(200)), policy);
    const delays = runThrough(setting);
    expect((await setting.client.get('/')).status).toBe(200);
    expect(delays).toEqual([10, 20]);
  });

  it('pauses no bucket of a limiter for what is named', async () => {
    const policy: Policy = { limit: {}, retry: { retryAfter: false, maxRetries: 0 } };
    const { client, clock, holdfast } = await byHand(inTurn(asks(3_600), status(200)), policy);
    await axiosErrorOf(client.get('/'));
    // As for a refusal that names no time.
    await clock.advance(1_000);
    expect(holdfast.stats().pausedKeys).toBe(0);
  });

  it('is taken back by an object: on one call, or in a later policy', async () => {
    const setting = await byHand(inTurn(asks(7), status(200)), { retry: { retryAfter: false } });
    const delays = runThrough(setting);
    await setting.client.get('/', { holdfast: { retry: { retryAfter: { jitterMs: 0 } } } });
    expect(delays).toEqual([7_000]);
  });

  it('still lets a POST be repeated after a 503 that names a time: it was not applied', async () => {
    const setting = await byHand(inTurn(asks(30, 503), status(200)), { retry: { retryAfter: false } });
    runThrough(setting);
    expect((await setting.client.post('/', {})).status).toBe(200);
  });
});

describe('maxRetries: Infinity', () => {
  it('retries until it works', async () => {
    const setting = await byHand((_request, response, n) => status(n < 50 ? 503 : 200)(_request, response, n), {
      retry: { maxRetries: Number.POSITIVE_INFINITY },
    });
    runThrough(setting);
    expect((await setting.client.get('/')).status).toBe(200);
    expect(setting.server.seen).toHaveLength(51);
  });

  it.each<[string, Policy, string]>([
    ['the deadline', { deadlineMs: 60_000 }, 'deadline'],
    ['the budget', { retry: { budget: { capacity: 140, refillPerSecond: 0 } } }, 'budget-empty'],
  ])('is bounded by %s', async (_name, policy, why) => {
    const setting = await byHand(status(503), {
      ...policy,
      retry: { ...policy.retry, maxRetries: Number.POSITIVE_INFINITY },
    });
    runThrough(setting);
    expect(failureOf(await axiosErrorOf(setting.client.get('/')))?.endedBecause).toBe(why);
  });

  it('is bounded by maxMs', async () => {
    const setting = await byHand(asks(7), { retry: { maxRetries: Number.POSITIVE_INFINITY } });
    runThrough(setting);
    expect(failureOf(await axiosErrorOf(setting.client.get('/')))).toMatchObject({
      endedBecause: 'wait-too-long',
      sends: 9,
    });
  });
});
