import { snapshotPools } from '@poolguard/core'
import { describe, expect, test } from 'vitest'
import { startFailoverBed, waitUntil } from '../harness/index.ts'
import { apps } from './adapted-apps.ts'

const SETUP = 'CREATE TABLE written (id int); GRANT ALL ON written TO app'
const LIMITS = { max: 3, acquireTimeoutMillis: 10_000 }

describe.each(apps)('$orm with a primary and a standby', ({ open }) => {
  test('when the primary is killed, then writes and transactions come back on the promoted standby', async () => {
    await using bed = await startFailoverBed(SETUP)
    await using app = await open({ url: bed.urlFor('target_session_attrs=read-write'), ...LIMITS })
    await app.run('insert into written values (1)')
    await bed.replication.caughtUp()

    await bed.disrupt('killed')
    const total = () => snapshotPools().reduce((sum, { stats }) => sum + stats.total, 0)
    await waitUntil(() => total() === 0, { what: 'the connections are lost' })
    const write = app.run('insert into written values (2)')
    await bed.promote()
    await write
    await app.transact('insert into written values (3)', async () => {}, 'insert into written values (4)')
    expect(await bed.standby.query('select array_agg(id order by id) as ids from written')).toEqual([
      { ids: [1, 2, 3, 4] },
    ])
  })
})
