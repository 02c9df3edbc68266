import { fileURLToPath } from 'node:url'
import { defineProject } from 'vitest/config'
import { testSettings } from '../../test/test-settings.ts'

const hooks = fileURLToPath(new URL('./src/testing/oldest-better-sqlite3.ts', import.meta.url))

/** The tests of what needs a peer, once more on the oldest driver and ORM that the peer ranges allow. */
export default defineProject({
  resolve: { alias: [{ find: /^drizzle-orm(?=\/|$)/, replacement: 'drizzle-orm-oldest' }] },
  test: {
    name: '@poolguard/sqlite (oldest peers)',
    include: ['src/{sqlite-pool,sqlite-transaction,iterate-rows,drizzle}.test.ts'],
    // Threads inherit it, which is where the driver is loaded.
    execArgv: ['--import', hooks],
    ...testSettings,
  },
})
