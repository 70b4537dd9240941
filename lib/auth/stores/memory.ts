import type { TokenStore } from '../options.ts';

/** The store of one process. It keeps nothing: the credential has the token, and sees to it that there is one refresh at a time. */
export function memoryTokenStore(): TokenStore {
  return {
    refresh: async (_key, generation, refresh) => ({ ...(await refresh()), generation: generation + 1 }),
  };
}
