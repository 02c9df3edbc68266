import { defineProject } from 'vitest/config'
import { testSettings } from './test-settings.ts'

/** The next major release of an ORM, before it is out. */
export default defineProject({
  resolve: { alias: [{ find: /^drizzle-orm(?=\/|$)/, replacement: 'drizzle-orm-next' }] },
  test: {
    name: 'test (next peers)',
    include: ['integration/{drizzle,drizzle-relations}.test.ts'],
    ...testSettings,
  },
})
