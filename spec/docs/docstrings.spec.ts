import { describe, expect, it } from 'vitest';
import { needsRedis } from '../support/documented.ts';
import { disconnect, examples } from '../support/examples.ts';
import { json, loopback } from '../support/loopback.ts';
import { checkBlocks } from '../support/pages.ts';
import { noRedis, redisServer } from '../support/redis-server.ts';

describe('the examples of the docstrings', () => {
  const all = examples();

  it('are found, in every room', () => {
    expect(all.length).toBeGreaterThan(60);
  });

  // Only those that connect to a Redis need one to run; without it they are compiled.
  checkBlocks(
    { path: 'docstrings', blocks: all.map(({ code }) => code), titles: all.map(({ title }) => title) },
    async () => {
      const server = await loopback((_, response) => json(response, 200, { token: 'renewed' }));
      const redis = noRedis === undefined ? await redisServer() : undefined;
      return {
        replaced: [
          ['https://api.example.com', server.url],
          ['redis://redis.example.com:6379', `redis://127.0.0.1:${redis?.port}`],
        ],
        async close() {
          disconnect();
          await Promise.all([server.close(), redis?.kill()]);
        },
      };
    },
    needsRedis,
  );
});
