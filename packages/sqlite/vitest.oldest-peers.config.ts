import { fileURLToPath } from 'node:url'
import { defineProject } from 'vitest/config'
import { isFullMatrix } from '../../test/matrix.ts'
import { testSettings } from '../../test/test-settings.ts'

const hooks = fileURLToPath(new URL('./src/testing/oldest-better-sqlite3.ts', import.meta.url))

/** The tests of what needs a peer, once more on the oldest driver and ORM that the peer ranges allow. */
export default defineProject({
  resolve: { alias: [{ find: /^drizzle-orm(?=\/|$)/, replacement: 'drizzle-orm-oldest' }] },
  test: {
    name: '@poolguard/sqlite (oldest peers)',
    // The tests of the pool take a minute, and the peer's version has made no difference in them so far.
    include: [
      isFullMatrix ? 'src/{sqlite-pool,drizzle}.test.ts' : 'src/drizzle.test.ts',
      'src/**/{sqlite-transaction,iterate-rows}.test.ts',
    ],
    // Threads inherit it, which is where the driver is loaded.
    execArgv: ['--import', hooks],
    ...testSettings,
  },
})
