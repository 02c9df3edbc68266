import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { startPostgres } from '../harness/index.ts'

const PROGRAM = fileURLToPath(new URL('./loses-connections.ts', import.meta.url))

test('given connections lost in every phase and no listeners, then the process lives', async () => {
  await using server = await startPostgres()
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [PROGRAM, server.url, server.adminUrl])
  expect(stdout.trim()).toBe('idle, checked out, in a transaction, in a query, connecting, at the end')
  expect(stderr).toBe('')
})
