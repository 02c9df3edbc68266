import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      'packages/*',
      'packages/sqlite/vitest.oldest-peers.config.ts',
      'test',
      'test/vitest.oldest-peers.config.ts',
      'test/vitest.next-peers.config.ts',
      'test/prisma-6/vitest.config.ts',
      'test/nestjs-11/vitest.config.ts',
    ],
  },
})
