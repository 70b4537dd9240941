import axios from 'axios';
import { attach, InvalidPolicyError, localLimiter } from 'axios-holdfast';
import { bottleneckLimiter } from 'axios-holdfast/bottleneck';
import { type IoredisLike, redisLimiter } from 'axios-holdfast/redis';
import Bottleneck from 'bottleneck';
import { describe, expect, it, onTestFinished } from 'vitest';
import { attached, rejectionOf, status } from '../support/attached.ts';

/** With no place to wait in, or no time, a limiter in which every call waits a moment refuses all of them for ever. */

const never = () => new Promise<never>(() => {});
const redis: IoredisLike = { evalsha: never, eval: never };

const WAITING = [
  ['redisLimiter', 'Redis', (options: object) => redisLimiter({ redis, ...options })],
  ['bottleneckLimiter', 'Bottleneck', (options: object) => bottleneckLimiter(new Bottleneck(), options)],
] as const;

describe.each(WAITING)('%s', (_name, whom, make) => {
  it.each([{ maxQueue: 0 }, { maxWaitMs: 0 }])('is refused when it is made with %j, with the reason', (options) => {
    expect(() => make(options)).toThrow(InvalidPolicyError);
    expect(() => make(options)).toThrow(new RegExp(`limit\\.max.* since every call waits for ${whom}`));
  });

  it('takes what lets a call wait at all', () => {
    for (const options of [{ maxQueue: 1 }, { maxWaitMs: 0.5 }, { maxQueue: Number.POSITIVE_INFINITY }]) {
      expect(() => make(options)).not.toThrow();
    }
  });

  it('refuses a call whose own maxWaitMs is 0, with the reason', async () => {
    const limit = make({});
    onTestFinished(() => limit.close());
    const { client, server } = await attached(status(200), { limit });
    const error = await rejectionOf(client.get('/', { holdfast: { limit: { maxWaitMs: 0 } } }));
    expect(error).toBeInstanceOf(InvalidPolicyError);
    expect((error as Error).message).toContain(`since every call waits for ${whom}`);
    expect(server.seen).toHaveLength(0);
  });
});

describe('localLimiter', () => {
  it('takes no queue and no waiting: what is free leaves at once', async () => {
    const limit = localLimiter({ maxQueue: 0, maxWaitMs: 0, maxConcurrent: 1 });
    const { client } = await attached(status(200), { limit });
    expect((await client.get('/')).status).toBe(200);
    expect(attach(axios.create(), { limit: { maxQueue: 0 } }).policy.limit).toMatchObject({ maxQueue: 0 });
  });

  it('refuses a weight that could never leave', async () => {
    const limiter = localLimiter({ requests: 0.5, perMs: 1_000, burst: 3 });
    onTestFinished(() => limiter.close());
    const error = await rejectionOf(Promise.resolve(limiter.acquire({ key: 'k', weight: 4 })));
    expect(error).toBeInstanceOf(RangeError);
    expect((error as Error).message).toBe('weight must be at most 3, since no window ever holds more; got 4');
    expect(limiter.acquire({ key: 'k', weight: 3 })).not.toBeInstanceOf(Promise);
  });
});
