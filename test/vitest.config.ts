import { defineProject } from 'vitest/config'

export default defineProject({
  test: {
    name: 'test',
    globalSetup: ['./prisma/global-setup.ts'],
    setupFiles: ['./force-pipelining.ts'],
    // Of a release that only the project for the next peers has.
    exclude: ['integration/drizzle-relations.test.ts', '**/node_modules/**'],
    // Real servers: on a cold machine the first start initialises a cluster, or fetches PgBouncer.
    testTimeout: 120_000,
    hookTimeout: 180_000,
  },
})
