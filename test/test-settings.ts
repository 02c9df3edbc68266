import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'

/**
 * Settings of every test project. The timeouts only end tests that hang, so they are long enough for a machine that is busy with other
 * work. Tests wait for conditions with `expect.poll`, whose own default is one second.
 */
export const testSettings = {
  // Vitest's own default is one less. Each worker has servers and processes beside it.
  maxWorkers: Math.max(2, availableParallelism()),
  // In CI, a busy machine may break what a test assumes about time; the report names every test that had to run again.
  retry: process.env.CI ? 1 : 0,
  testTimeout: 120_000,
  // On a cold machine, the first start of a server initialises a cluster, or fetches PgBouncer.
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
} as const

/** Settings of the projects whose tests need no server. */
export const unitTestSettings = {
  ...testSettings,
  include: ['src/**/*.test.ts'],
  // Test files share processes. Alone in its process, each file would load all modules again, which takes longer than most files' tests.
  isolate: false,
  setupFiles: [fileURLToPath(new URL('forget-process-wide.ts', import.meta.url))],
}
