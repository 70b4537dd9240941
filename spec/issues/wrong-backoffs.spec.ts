import { type Backoff, failureOf } from 'axios-holdfast';
import { describe, expect, it } from 'vitest';
import { attached, rejectionOf, status } from '../support/attached.ts';

/** To guess a wait would hide the mistake for a year; so the call that asks says what is wrong. */
describe('a backoff that gives no wait', () => {
  it.each<[string, unknown]>([
    ['NaN', Number.NaN],
    ['-5', -5],
    ['Infinity', Number.POSITIVE_INFINITY],
    ['undefined', undefined],
    ["'soon'", 'soon'],
    ['a promise: await it?', Promise.resolve(100)],
  ])('ends the call with a TypeError that names it: %s', async (got, wait) => {
    const { client, server } = await attached(status(503), { retry: { backoff: (() => wait) as unknown as Backoff } });
    const error = await rejectionOf(client.get('/'));
    expect(error).toBeInstanceOf(TypeError);
    const message = `retry.backoff must return a finite number of ms, at least 0, and at once; got ${got}`;
    expect(error).toMatchObject({ message, cause: { response: { status: 503 } } });
    expect(failureOf(error)).toMatchObject({ sends: 1, retries: 0, endedBecause: 'not-retryable', kind: 'local' });
    // The answer before it is not what ended the call.
    expect(failureOf(error)?.code).toBeUndefined();
    expect(server.seen).toHaveLength(1);
  });

  it('costs nothing where it is not asked', async () => {
    const { client } = await attached(status(404), { retry: { backoff: () => Number.NaN } });
    expect(await rejectionOf(client.get('/'))).toMatchObject({ response: { status: 404 } });
  });
});
