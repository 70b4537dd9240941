import type { StoredToken, TokenStore } from './options.ts';

/** Keeps refreshed tokens in this process. That one refresh does for everybody in it is seen to by `Credential`. */
export function memoryTokenStore(): TokenStore {
  const tokens = new Map<string, StoredToken>();
  return {
    read: async (key) => tokens.get(key),
    refresh: async (key, generation, refresh) => {
      const stored = { ...(await refresh()), generation: generation + 1 };
      tokens.set(key, stored);
      return stored;
    },
  };
}
