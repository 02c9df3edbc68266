import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { runStartServers } from './fixtures/run-start-servers.ts'

let emptyCache: string
beforeEach(() => {
  emptyCache = mkdtempSync(join(tmpdir(), 'poolguard-cache-'))
  chmodSync(emptyCache, 0o755)
})
afterEach(() => rmSync(emptyCache, { recursive: true, force: true }))

test('two processes that find the cache empty both get a server, and leave one template', async () => {
  const env = { POOLGUARD_CACHE: emptyCache }
  const processes = await Promise.all([runStartServers([], env), runStartServers([], env)])
  await Promise.all(processes.map(({ ended }) => ended))

  expect(processes.map(({ child }) => child.exitCode)).toEqual([0, 0])
  expect(readdirSync(emptyCache)).toEqual([expect.stringMatching(/^postgres-18.*-template-/)])
})
