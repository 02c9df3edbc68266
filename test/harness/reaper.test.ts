import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, test } from 'vitest'
import { runStartServers } from './fixtures/run-start-servers.ts'
import { describeWithPgBouncer, queryOnce, waitUntil } from './index.ts'
import { isAlive } from './is-alive.ts'

interface Traces {
  readonly pid: number
  readonly folder: string
}

async function postgresTraces(adminUrl: string): Promise<Traces> {
  const [row] = await queryOnce<{ pid: string; data: string }>(
    adminUrl,
    `SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid, current_setting('data_directory') AS data`,
  )
  if (!row) throw new Error('no row')
  return { pid: Number(row.pid), folder: dirname(row.data) }
}

describe.each(['SIGKILL', 'SIGINT'] as const)('a test process ended by %s', (signal) => {
  test('leaves neither PostgreSQL nor its folder behind', async () => {
    const { child, started, ended } = await runStartServers(['stay'])
    const { pid, folder } = await postgresTraces(started.postgres)
    expect([isAlive(pid), existsSync(folder)]).toEqual([true, true])

    child.kill(signal)
    await ended
    await waitUntil(() => !isAlive(pid) && !existsSync(folder), { what: 'process and folder are gone' })
  })
})

const describePgBouncer = await describeWithPgBouncer()
describePgBouncer('a test process killed with PgBouncer running', () => {
  test('leaves neither PgBouncer nor its folder behind', async () => {
    const { child, started, ended } = await runStartServers(['stay', 'pgbouncer'])
    const console = started.pgBouncer ?? ''
    const config = await queryOnce<{ key: string; value: string }>(console, 'SHOW CONFIG')
    const folder = dirname(config.find(({ key }) => key === 'auth_file')?.value ?? '')
    expect(existsSync(folder)).toBe(true)

    child.kill('SIGKILL')
    await ended
    await waitUntil(() => !existsSync(folder), { what: 'the folder is gone' })
    await expect(queryOnce(console, 'SHOW VERSION')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })
})
