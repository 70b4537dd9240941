/** @module axios-holdfast/redis */

export { type RedisTokenStoreOptions, redisTokenStore } from './auth/stores/redis.ts';
export { type RedisLimiter, type RedisLimiterOptions, redisLimiter } from './limit/redis/redis-limiter.ts';
export type { IoredisLike, NodeRedisLike, RedisClient } from './redis-client/client.ts';
