import { defineProject } from 'vitest/config'

/** What the adapters do, once more on the oldest driver and ORM that their peer ranges allow. */
export default defineProject({
  resolve: { alias: [{ find: /^(pg|drizzle-orm)(?=\/|$)/, replacement: '$1-oldest' }] },
  test: {
    name: 'test (oldest peers)',
    include: ['integration/{guarded-pool,drizzle,observe,lint}.test.ts', 'faults/{network,pgbouncer}.test.ts'],
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
