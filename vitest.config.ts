import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { SAME_UNDER_AXIOS_1_7 } from './spec/support/oldest-axios.ts';

export default defineConfig({
  resolve: {
    alias: [
      // AXIOS=axios-1.7 runs the specs by the oldest axios that is supported.
      ...(process.env.AXIOS === undefined ? [] : [{ find: /^axios$/, replacement: process.env.AXIOS }]),
      { find: /^axios-holdfast$/, replacement: fileURLToPath(new URL('./lib/index.ts', import.meta.url)) },
      { find: /^axios-holdfast\/(.+)$/, replacement: fileURLToPath(new URL('./lib/$1.ts', import.meta.url)) },
    ],
  },
  test: {
    ...(process.env.AXIOS === 'axios-1.7' && { testNamePattern: SAME_UNDER_AXIOS_1_7 }),
    include: ['spec/**/*.spec.ts'],
    setupFiles: ['spec/support/patience.ts'],
    restoreMocks: true,
    // Only what hangs takes so long, also on a machine with a lot else to do.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    // Many wait for a clock or another process more than they compute; by default, two processors would get one worker.
    maxWorkers: Math.max(3, availableParallelism() - 1),
  },
});
