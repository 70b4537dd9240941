import type { TokenStore } from '../options.ts';

/** The store of one process: `Credential` sees to one refresh at a time and has the token, so there is nothing to keep. */
export function memoryTokenStore(): TokenStore {
  return {
    refresh: async (_key, generation, refresh) => ({ ...(await refresh()), generation: generation + 1 }),
  };
}
