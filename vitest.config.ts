import { realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defineConfig } from 'vitest/config'

// Tests start hundreds of processes from TypeScript sources: with Node's cache on disk, each of them starts in half the time.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, 'node_modules/.cache/node-compile-cache')

// A link on macOS and a short name on Windows: a process that is started there would see another path than the test that has started it.
if (process.platform === 'darwin') process.env.TMPDIR = realpathSync.native(tmpdir())
if (process.platform === 'win32') process.env.TEMP = realpathSync.native(tmpdir())

export default defineConfig({
  test: {
    reporters: ['default', './test/retries-reporter.ts'],
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
