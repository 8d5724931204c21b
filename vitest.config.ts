import { defineConfig } from 'vitest/config'

// A busy or a slow machine is no failure: what is waited for comes at once as a rule, and may take long now and then. What fails
// for such a reason all the same is tried again in CI, and reported as retried.
const patience = { testTimeout: 60_000, hookTimeout: 120_000, retry: process.env.CI ? 2 : 0 }

// `unit` needs nothing but Node and runs in parallel; `e2e` starts real clusters, processes and kubectl, one file at a time.
export default defineConfig({
  test: {
    projects: [
      { test: { name: 'unit', include: ['test/**/*.test.ts'], exclude: ['test/e2e/**'], maxWorkers: '100%', ...patience } },
      {
        test: {
          name: 'e2e',
          include: ['test/e2e/**/*.test.ts'],
          fileParallelism: false,
          ...patience,
          testTimeout: 120_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
    ],
  },
})
