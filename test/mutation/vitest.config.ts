import { join } from 'node:path'
import { defineConfig } from 'vitest/config'
import { unitTestSettings } from '../test-settings.ts'

/** The tests of one folder of core, because each mutant runs all of those that reach it. */
export default defineConfig({
  test: {
    ...unitTestSettings,
    root: join(import.meta.dirname, '../../packages/core'),
    include: [`src/${process.env.POOLGUARD_MUTATION_PART}/**/*.test.ts`],
    setupFiles: [...unitTestSettings.setupFiles, join(import.meta.dirname, 'skip-slow-tests.ts')],
    retry: 0,
  },
})
