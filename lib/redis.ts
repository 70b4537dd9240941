export { type RedisTokenStoreOptions, redisTokenStore, type TokenRedis } from './auth/redis-token-store.ts';
export { type RedisLimiterOptions, redisLimiter } from './limit/redis.ts';
export type { LimiterRedis } from './limit/shared-store.ts';
