/** @module axios-holdfast/web */

export { type WebTokenStoreOptions, webTokenStore } from './auth/stores/web.ts';
