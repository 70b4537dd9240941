import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * What mutants are run against: the specs that move time by hand, without Redis, browsers and other processes; and those of
 * `auth` over sockets, since a refresh is the loop's and a credential's together.
 */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^axios-holdfast$/, replacement: fileURLToPath(new URL('./lib/index.ts', import.meta.url)) },
      { find: /^axios-holdfast\/(.+)$/, replacement: fileURLToPath(new URL('./lib/$1.ts', import.meta.url)) },
    ],
  },
  test: {
    include: [
      'spec/{call,time,classify,retry,breaker,idempotency,failure,auth,limit,policy}/**/*.spec.ts',
      'spec/{check,loop}.spec.ts',
      'spec/integration/auth-*.spec.ts',
      'spec/properties/auth.spec.ts',
    ],
    exclude: ['spec/**/*{redis,bottleneck,adaptive}*.spec.ts'],
    testTimeout: 60_000,
    restoreMocks: true,
  },
});
