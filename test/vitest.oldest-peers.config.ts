import { defineProject } from 'vitest/config'
import { isFullMatrix } from './matrix.ts'
import { testSettings } from './test-settings.ts'

/** Minutes of tests in which the peer's version has made no difference so far. */
const MATRIX_ONLY = [
  'integration/{quiet-leases,borrower-stacks,prepared-statements-settings}.test.ts',
  'faults/{adapters,pgbouncer}.test.ts',
  'integration/fastify-load.test.ts',
]

/** What the adapters do, once more on the oldest driver and ORM that their peer ranges allow. */
export default defineProject({
  resolve: { alias: [{ find: /^(pg|postgres|drizzle-orm|typeorm|fastify)(?=\/|$)/, replacement: '$1-oldest' }] },
  test: {
    name: 'test (oldest peers)',
    include: [
      'integration/{guarded-pool,checkouts,late-queries,abandoned-streams,observe,lint,lint-first-statement,prepared-statements,prepared-statements-pgbouncer}.test.ts',
      'integration/{drizzle,drizzle-schema,postgres-js*,typeorm*,fastify*}.test.ts',
      'faults/{network,postgres-js*,typeorm*}.test.ts',
      ...(isFullMatrix ? MATRIX_ONLY : []),
    ],
    // Off with the oldest postgres.js: see integration/postgres-js-pipelining-version.test.ts.
    exclude: ['integration/postgres-js-pipelining.test.ts', '**/node_modules/**', ...(isFullMatrix ? [] : MATRIX_ONLY)],
    ...testSettings,
  },
})
