import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: [
      { find: /^axios-holdfast$/, replacement: fileURLToPath(new URL('./lib/index.ts', import.meta.url)) },
      { find: /^axios-holdfast\/(.+)$/, replacement: fileURLToPath(new URL('./lib/$1.ts', import.meta.url)) },
    ],
  },
  test: {
    include: ['spec/**/*.spec.ts'],
    restoreMocks: true,
    testTimeout: 15_000,
  },
});
