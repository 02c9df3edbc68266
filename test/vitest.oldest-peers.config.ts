import { defineProject } from 'vitest/config'
import { testSettings } from './test-settings.ts'

/** What the adapters do, once more on the oldest driver and ORM that their peer ranges allow. */
export default defineProject({
  resolve: { alias: [{ find: /^(pg|postgres|drizzle-orm|typeorm|fastify)(?=\/|$)/, replacement: '$1-oldest' }] },
  test: {
    name: 'test (oldest peers)',
    include: [
      'integration/{guarded-pool,checkouts,late-queries,quiet-leases,borrower-stacks,abandoned-streams,observe,lint,lint-first-statement,prepared-statements,prepared-statements-pgbouncer,prepared-statements-settings}.test.ts',
      'integration/{drizzle,drizzle-schema,postgres-js*,typeorm*,fastify*}.test.ts',
      'faults/{network,pgbouncer,postgres-js*,typeorm*,adapters}.test.ts',
    ],
    // Off with the oldest postgres.js: see integration/postgres-js-pipelining-version.test.ts.
    exclude: ['integration/postgres-js-pipelining.test.ts', '**/node_modules/**'],
    ...testSettings,
  },
})
