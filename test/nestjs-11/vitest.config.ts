import path from 'node:path'
import { defineProject } from 'vitest/config'
import { testSettings } from '../test-settings.ts'
import { importerOfNest11, isOfNest11 } from './nest-11.ts'

const here = import.meta.dirname

/** What the module for Nest does, once more on Nest 11: every import of Nest is from here. */
export default defineProject({
  plugins: [
    {
      name: 'nestjs-11',
      enforce: 'pre',
      resolveId(source, importer) {
        if (!isOfNest11(source, importer)) return undefined
        return this.resolve(source, importerOfNest11, { skipSelf: true })
      },
    },
  ],
  test: {
    name: 'test (Nest 11)',
    root: path.join(here, '..'),
    include: ['integration/nestjs*.test.ts'],
    env: { NEST_MAJOR: '11', NEST_REGISTER: path.join(here, 'register.ts') },
    globalSetup: [path.join(here, '../prisma/global-setup.ts')],
    ...testSettings,
  },
})
