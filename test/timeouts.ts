/**
 * Timeouts of every test project. They only end tests that hang, so they are long enough for a machine that is busy with other work.
 * Tests wait for conditions with `expect.poll`, whose own default is one second.
 */
export const timeouts = {
  testTimeout: 120_000,
  // On a cold machine, the first start of a server initialises a cluster, or fetches PgBouncer.
  hookTimeout: 180_000,
  expect: { poll: { timeout: 60_000 } },
} as const
