import path from 'node:path'
import { defineProject } from 'vitest/config'
import { testSettings } from '../test-settings.ts'

const here = import.meta.dirname

/** What the adapter for Prisma does, once more on the oldest Prisma that it allows: every import of Prisma is from here. */
export default defineProject({
  plugins: [
    {
      name: 'prisma-6',
      enforce: 'pre',
      resolveId(source, importer) {
        if (/^@prisma\/(adapter-pg|client)(\/|$)/.test(source) && !importer?.startsWith(here)) {
          return this.resolve(source, path.join(here, 'package.json'), { skipSelf: true })
        }
        return undefined
      },
    },
  ],
  resolve: { alias: [{ find: '#prisma-client', replacement: path.join(here, 'generated/prisma/client.ts') }] },
  test: {
    name: 'test (Prisma 6)',
    root: path.join(here, '..'),
    include: ['{integration,faults}/prisma*.test.ts'],
    env: { PRISMA_MAJOR: '6' },
    globalSetup: [path.join(here, 'global-setup.ts')],
    ...testSettings,
  },
})
