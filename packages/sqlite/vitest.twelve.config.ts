import { fileURLToPath } from 'node:url'
import { defineProject } from 'vitest/config'

const hooks = '/tmp/peer/hooks.mjs'

/** The tests of what needs a peer, once more on the oldest driver and ORM that the peer ranges allow. */
export default defineProject({
  resolve: { alias: [{ find: /^drizzle-orm(?=\/|$)/, replacement: 'drizzle-orm-oldest' }] },
  test: {
    name: '@poolguard/sqlite (twelve)',
    include: ['src/{sqlite-pool,sqlite-transaction,iterate-rows,drizzle}.test.ts'],
    // Threads inherit it, which is where the driver is loaded.
    execArgv: ['--import', hooks],
    testTimeout: 120_000,
  },
})
