export { type RedisTokenStoreOptions, redisTokenStore, type TokenRedis } from './auth/redis-token-store.ts';
