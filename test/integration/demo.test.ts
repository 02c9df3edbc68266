import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { describeWithPgBouncer, waitUntil } from '../harness/index.ts'

const DEMO = fileURLToPath(new URL('../../examples/demo/src/main.ts', import.meta.url))
const TIMEOUT_MILLIS = 400_000

const describe = await describeWithPgBouncer()
describe('the demo', () => {
  test('shows failures without poolguard and none with it', { timeout: TIMEOUT_MILLIS }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [DEMO, '--json'])
    const { direct, pooler } = JSON.parse(stdout)
    expect(direct.unguarded.sqlstates['53300']).toBeGreaterThan(0)
    expect(direct.unguarded.failed).toBe(direct.unguarded.sqlstates['53300'])
    expect(direct.guarded).toMatchObject({ requests: direct.unguarded.requests, failed: 0, sqlstates: {} })
    // 14 to share, and newcomers come in through the headroom of 3.
    expect(direct.guarded.peakConnections).toBeLessThanOrEqual(17)
    expect(pooler).toMatchObject({ detected: 'transaction', preparedStatements: 'safe', guarded: { failed: 0 } })
    expect(pooler.guarded.peakConnections).toBeLessThanOrEqual(10)
  })

  test('leaves no process and no folder behind when it is interrupted', { timeout: TIMEOUT_MILLIS }, async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'poolguard-demo-'))
    // If the tests run as root, the servers run as another user, which needs access.
    await chmod(folder, 0o755)
    const demo = spawn(process.execPath, [DEMO, '--json'], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let progress = ''
    demo.stderr.on('data', (data) => {
      progress += data
    })
    await waitUntil(() => progress.includes('PostgreSQL 18'), {
      what: 'the demo to have its server',
      deadlineMillis: 60_000,
    })
    expect(await readdir(folder)).not.toEqual([])
    const exited = once(demo, 'exit')
    demo.kill('SIGINT')
    expect(await exited).toEqual([130, null])
    await waitUntil(async () => (await readdir(folder)).length === 0, { what: 'the folders to be gone' })
    await waitUntil(async () => !(await processesNaming(folder)), { what: 'the processes to be gone' })
    await rm(folder, { recursive: true })
  })
})

/** Whether any process was started with that folder in its command. */
async function processesNaming(folder: string): Promise<boolean> {
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'args'])
  return stdout.includes(folder)
}
