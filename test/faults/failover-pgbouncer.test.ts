import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { expect, onTestFinished, test } from 'vitest'
import { type Disruption, describeWithPgBouncer, startFailoverBed, startPgBouncer } from '../harness/index.ts'

const SETUP = 'CREATE TABLE written (id int); GRANT ALL ON written TO app'

type Write = (id: number) => Promise<unknown>

function writeWithPg(url: string): Write {
  const pool = new GuardedPool({ url, max: 3, onEvent: () => {} })
  onTestFinished(() => pool.end())
  return (id) => pool.query('insert into written values ($1)', [id])
}

function writeWithPostgresJs(url: string): Write {
  const sql = guardPostgres(url, { max: 3, onEvent: () => {} })
  onTestFinished(() => sql.end())
  return (id) => sql`insert into written values (${id})`
}

const describe = await describeWithPgBouncer('1.24')
describe('a PgBouncer in front of the primary, and one in front of the standby', () => {
  test.each<[string, Disruption, (url: string) => Write]>([
    ['pg', 'killed', writeWithPg],
    ['pg', 'read-only', writeWithPg],
    ['postgres.js', 'killed', writeWithPostgresJs],
    ['postgres.js', 'read-only', writeWithPostgresJs],
  ])('%s: the primary is %s, then writes go through the other one', async (_driver, disruption, open) => {
    await using bed = await startFailoverBed(SETUP)
    const { primary } = bed.replication
    // A statement waits for a server that does not come back for this long, by default for two minutes.
    const settings = { query_wait_timeout: 2, server_login_retry: 1 }
    await using first = await startPgBouncer({ version: '1.24', upstream: primary, settings })
    await using second = await startPgBouncer({ version: '1.24', upstream: bed.standby, settings })
    const hosts = `${first.host}:${first.port},${second.host}:${second.port}`
    const write = open(`${first.url.replace(/@[^/]+/, `@${hosts}`)}?target_session_attrs=read-write`)
    await write(1)
    await bed.replication.caughtUp()

    await bed.disrupt(disruption)
    await bed.promote()
    const ids = [2, 3, 4, 5, 6, 7, 8, 9]
    const failures: unknown[] = []
    // One after another: each that fails was the one in flight.
    for (const id of ids) await write(id).catch((error: unknown) => failures.push(error))
    expect(failures.length).toBeLessThanOrEqual(3)
    const [row] = await bed.standby.query<{ ids: number[] }>('select array_agg(id order by id) as ids from written')
    expect(row?.ids).toContain(9)
  })
})
