import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Most tests wait for servers and timers: two files at a time also on a machine with two cores.
    maxWorkers: Math.max(2, availableParallelism() - 1),
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
