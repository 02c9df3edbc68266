import { defineProject } from 'vitest/config'

export default defineProject({
  test: {
    name: 'test',
    globalSetup: ['./prisma/global-setup.ts'],
    // Real servers: on a cold machine the first start initialises a cluster, or fetches PgBouncer.
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
