import { availableParallelism } from 'node:os'

/**
 * Settings of every test project. The timeouts only end tests that hang, so they are long enough for a machine that is busy with other
 * work. Tests wait for conditions with `expect.poll`, whose own default is one second.
 */
export const testSettings = {
  // Many tests wait for servers and processes. Vitest counts the project's own number, and caps a percentage at the number of cores.
  maxWorkers: Math.ceil(availableParallelism() * 1.5),
  testTimeout: 120_000,
  // On a cold machine, the first start of a server initialises a cluster, or fetches PgBouncer.
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
} as const
