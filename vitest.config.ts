import { defineConfig } from 'vitest/config'

// `unit` needs nothing but Node and runs in parallel; `e2e` starts real clusters, processes and kubectl, one file at a time.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'], testTimeout: 20_000 } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // A busy machine is no failure: conditions are waited for, and most come at once.
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
})
