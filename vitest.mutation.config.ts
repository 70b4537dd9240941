import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import type { Reporter } from 'vitest/reporters';

/**
 * Stryker asks only for tests that failed. A file that a mutant keeps from being loaded has none, and the mutant would pass for one that
 * nobody noticed.
 */
const loading: Reporter = {
  onTestModuleEnd({ task: file }) {
    const { result, tasks } = file;
    if (tasks.length > 0 || result?.state !== 'fail') return;
    const name = 'loads';
    tasks.push({
      ...file,
      type: 'test',
      name,
      fullName: name,
      file,
      suite: undefined,
      context: {} as never,
      result,
    } as never);
  },
};

/** What the mutants of one room of `lib/` are run against: `scripts/mutation.mjs` names the specs. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^axios-holdfast$/, replacement: fileURLToPath(new URL('./lib/index.ts', import.meta.url)) },
      { find: /^axios-holdfast\/(.+)$/, replacement: fileURLToPath(new URL('./lib/$1.ts', import.meta.url)) },
    ],
  },
  test: {
    include: (process.env.MUTATION_SPECS ?? '').split(' '),
    setupFiles: ['spec/support/patience.ts', 'spec/support/quick-properties.ts'],
    exclude: ['spec/**/*{redis,bottleneck}*.spec.ts'],
    reporters: [loading],
    isolate: false,
    restoreMocks: true,
    // What a mutant makes hang has been seen. To wait for Stryker's own timeout costs a new worker each time.
    testTimeout: 5_000,
    hookTimeout: 1_000,
  },
});
