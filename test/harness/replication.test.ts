import { describe, expect, test } from 'vitest'
import { failureOf } from './fixtures/failure-of.ts'
import { postgresVersions, queryOnce, startReplication, waitUntil } from './index.ts'

describe.each(postgresVersions)('replication with PostgreSQL %i', (version) => {
  test('a standby has the rows of its primary, rejects writes, and accepts them after its promotion', async () => {
    await using replication = await startReplication({ version })
    const { primary, standbys } = replication
    const [standby] = standbys
    if (!standby) throw new Error('no standby has started')

    await queryOnce(primary.url, 'CREATE TABLE written AS SELECT 1 AS id')
    await replication.caughtUp()
    expect(await queryOnce(standby.url, 'SELECT id FROM written')).toEqual([{ id: 1 }])
    const { code } = await failureOf(queryOnce(standby.url, 'INSERT INTO written VALUES (2)'))
    expect(code).toBe('25006')
    expect(await primary.query('SELECT state FROM pg_stat_replication')).toEqual([{ state: 'streaming' }])

    await primary.kill('SIGKILL')
    await replication.promote(standby)
    await queryOnce(standby.url, 'INSERT INTO written VALUES (2)')
    expect(await queryOnce(standby.url, 'SELECT id FROM written ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }])
  })
})

test('a primary feeds two standbys, and goes on after one has stopped', async () => {
  await using replication = await startReplication({ standbys: 2 })
  const { primary, standbys } = replication
  const streams = () => primary.query('SELECT pid FROM pg_stat_replication')
  await waitUntil(async () => (await streams()).length === 2, { what: 'both standbys stream' })

  await standbys[1]?.stop()
  await queryOnce(primary.url, 'CREATE TABLE written AS SELECT 1 AS id')
  expect(await primary.query('SELECT count(*)::int AS rows FROM written')).toEqual([{ rows: 1 }])
})
