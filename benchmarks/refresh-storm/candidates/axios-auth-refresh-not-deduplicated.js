import { withAuthRefresh } from './axios-auth-refresh.js';

export const setup = withAuthRefresh({ deduplicateRefresh: false });
