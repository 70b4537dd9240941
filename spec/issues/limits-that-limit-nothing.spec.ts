import axios from 'axios';
import { attach, type Limiter, localLimiter, type Policy } from 'axios-holdfast';
import { bottleneckLimiter } from 'axios-holdfast/bottleneck';
import { type IoredisLike, redisLimiter } from 'axios-holdfast/redis';
import { describe, expect, it } from 'vitest';

/** Limits that bound nothing, or one thing twice, were taken without a word; and what was not given at all was called null. */

const never = () => new Promise<never>(() => {});
const client = (): IoredisLike => ({ eval: never, evalsha: never });
const redis = client();

const attached = (limit: unknown) => () => attach(axios.create(), { limit: limit as Policy['limit'] });

describe('a limit that bounds nothing is refused', () => {
  it.each([
    ["burst: 'all' alone", { burst: 'all' }, 'limit.burst must be left out without limit.requests and perMs'],
    ['a burst beside something else', { maxConcurrent: 5, burst: 9 }, 'limit.burst must be left out'],
    ['one of several', [{ maxConcurrent: 5 }, { burst: 'all' }], 'limit.1.burst must be left out'],
    ['an empty list', [], 'and at least one, got an empty array'],
    ['nothing in a place of a list', [undefined], 'got undefined in it'],
  ])('%s', (_what, limit, message) => {
    expect(attached(limit)).toThrow(message);
  });

  it('an update may leave out what holds already, and not what nobody has given', () => {
    const limit = localLimiter({ requests: 5, perMs: 1_000 });
    limit.update({ burst: 'all' });
    const holdfast = attach(axios.create(), { limit: { requests: 5, perMs: 1_000 } });
    holdfast.update({ limit: { burst: 'all' } });
    expect(() => localLimiter({ maxConcurrent: 5 }).update({ burst: 'all' })).toThrow('limit.burst must be left out');
    expect(attached({ maxConcurrent: 5 })().update).toBeTypeOf('function');
  });
});

describe('redisLimiters of a list that have the same bucket', () => {
  const made = (options: object, other = redis) =>
    redisLimiter({ redis: other, requests: 5, perMs: 1_000, ...options });
  const message =
    "limit.1.prefix must be another than limit.0.prefix, since redisLimiters of one client with the same prefix and perMs have the same buckets; got 'holdfast:limit'";

  it.each<[string, () => readonly Limiter[]]>([
    ['by default', () => [made({}), made({ requests: 9 })]],
    [
      'in one of their windows',
      () => [made({}), made({ requests: 9, perMs: 1, windows: [{ requests: 1, perMs: 1_000 }] })],
    ],
    ["with burst: 'all' and without", () => [made({}), made({ burst: 'all' })]],
    ['where both learn', () => [made({ adaptive: true }), made({ adaptive: true, perMs: 5 })]],
  ])('are refused: %s', (_what, limits) => {
    expect(attached(limits())).toThrow(message);
  });

  it.each<[string, () => readonly Limiter[]]>([
    ['another prefix', () => [made({}), made({ prefix: 'other' })]],
    ['another length', () => [made({}), made({ perMs: 60_000 })]],
    ['another client', () => [made({}), made({}, client())]],
  ])('are taken with %s', (_what, limits) => {
    expect(attached(limits())).not.toThrow();
  });
});

describe('what is not given at all', () => {
  it.each([
    ['localLimiter()', () => localLimiter(undefined as never), 'limit must be a plain object, got undefined'],
    ['redisLimiter()', () => redisLimiter(undefined as never), 'limit.redis must be'],
    ['redisLimiter({})', () => redisLimiter({ requests: 5, perMs: 5 } as never), 'got undefined'],
    ['bottleneckLimiter()', () => bottleneckLimiter(undefined as never), 'got undefined'],
    [
      'attach(client, null)',
      () => attach(axios.create(), null as never),
      'the policy must be a plain object, got null',
    ],
    ['update()', () => localLimiter({}).update(undefined as never), 'limit must be a plain object, got undefined'],
  ])('is called so: %s', (_what, act, message) => {
    expect(act).toThrow(message);
  });
});
