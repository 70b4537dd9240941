export { type RedisTokenStoreOptions, redisTokenStore, type TokenRedis } from './auth/stores/redis.ts';
export { type RedisLimiterOptions, redisLimiter } from './limit/redis/redis-limiter.ts';
export type { LimiterRedis } from './limit/redis/shared-store.ts';
