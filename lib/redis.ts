export { type RedisTokenStoreOptions, redisTokenStore, type TokenRedis } from './auth/stores/redis.ts';
export { type RedisLimiterOptions, redisLimiter } from './limit/redis.ts';
export type { LimiterRedis } from './limit/shared-store.ts';
