import { defineProject } from 'vitest/config'
import { testSettings } from './test-settings.ts'
import { excludedTests } from './without-replication.ts'

export default defineProject({
  test: {
    name: 'test',
    globalSetup: ['./prisma/global-setup.ts'],
    setupFiles: ['./force-pipelining.ts'],
    // Of a release that only the project for the next peers has.
    exclude: ['integration/drizzle-relations.test.ts', '**/node_modules/**', ...excludedTests()],
    ...testSettings,
  },
})
