import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** What mutants are run against: the specs that move time by hand, without Redis, browsers and other processes. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^axios-holdfast$/, replacement: fileURLToPath(new URL('./lib/index.ts', import.meta.url)) },
      { find: /^axios-holdfast\/(.+)$/, replacement: fileURLToPath(new URL('./lib/$1.ts', import.meta.url)) },
    ],
  },
  test: {
    include: [
      'spec/{model,wait,classify,decide,failure,auth,limit,policy}/**/*.spec.ts',
      'spec/{check,pipeline}.spec.ts',
      'spec/integration/{auth-*,breaker,classify,failures,limit,limiter-port,network-errors,redirects,repeats,retry-after,secrets,status-table}.spec.ts',
      'spec/properties/auth.spec.ts',
    ],
    exclude: ['spec/**/*{redis,bottleneck}*.spec.ts', 'spec/integration/auth-store.spec.ts'],
    testTimeout: 5_000,
    restoreMocks: true,
  },
});
