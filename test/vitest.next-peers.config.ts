import { defineProject } from 'vitest/config'
import { isFullMatrix } from './matrix.ts'
import { testSettings } from './test-settings.ts'

/** Tests in which the next release has made no difference so far. */
const MATRIX_ONLY = ['integration/fastify-{load,deadlines}.test.ts']

/** The next major releases of ORMs and frameworks, before they are out. */
export default defineProject({
  resolve: { alias: [{ find: /^(drizzle-orm|fastify)(?=\/|$)/, replacement: '$1-next' }] },
  test: {
    name: 'test (next peers)',
    include: ['integration/{drizzle,drizzle-relations,fastify}.test.ts', ...(isFullMatrix ? MATRIX_ONLY : [])],
    ...testSettings,
  },
})
