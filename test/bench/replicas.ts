import type { PoolSnapshot } from '@poolguard/core'
import { runWithOwnWrites } from '@poolguard/core/postgres'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { startReplication } from '../harness/index.ts'
import type { Benchmark } from './benchmark.ts'

const READS = 100_000
const READS_PER_WRITE = 10
/** Requests at the same time. */
const CALLERS = 400
const CONNECTIONS = 8
const LAG = '1s'
const OPTIONS = { max: CONNECTIONS, readYourWritesMillis: 5_000, pool: { acquireTimeoutMillis: 30_000 } }

/** One pool with a replica. */
interface Subject {
  write(id: number): Promise<unknown>
  /** Whether the row is there. */
  read(id: number): Promise<boolean>
  snapshot(): PoolSnapshot
  end(): Promise<unknown>
}

export const benchmark: Benchmark = {
  keys: {
    stale_reads: `of ${READS} reads after an own write, under ${LAG} of replay lag, ${READS_PER_WRITE} reads for each write, ${CALLERS} callers on ${CONNECTIONS} connections per server, half with pg, half with postgres.js; goal 0`,
    reads_on_replicas: 'the share of these reads that a replica has answered; goal at least 0.8',
  },
  async run(tell) {
    await using replication = await startReplication({ settings: { synchronous_commit: 'on' } })
    const { primary, standbys } = replication
    const [standby] = standbys
    if (!standby) throw new Error('no standby has started')
    await primary.query('create table written (id int primary key); grant all on written to app')
    await replication.caughtUp()
    await standby.query(`alter system set recovery_min_apply_delay = '${LAG}'`)
    await standby.query('select pg_reload_conf()')
    let stale = 0
    let onReplicas = 0
    for (const [index, open] of [openPg, openPostgresJs].entries()) {
      const subject = open(primary.url, standby.url)
      stale += await staleReads(subject, index * READS)
      const reads = subject.snapshot().routing?.replicas[0]?.reads ?? 0
      onReplicas += reads
      tell(`replicas: ${open.name}: ${stale} stale reads so far, ${reads} of ${READS / 2} reads on the replica`)
      await subject.end()
    }
    return { stale_reads: stale, reads_on_replicas: onReplicas / READS }
  },
}

/** @param first the number of the first row. */
async function staleReads(subject: Subject, first: number): Promise<number> {
  const writes = READS / 2 / READS_PER_WRITE
  let next = first
  let stale = 0
  const call = async () => {
    while (next < first + writes) {
      const id = next++
      await runWithOwnWrites(async () => {
        await subject.write(id)
        for (let read = 0; read < READS_PER_WRITE; read++) if (!(await subject.read(id))) stale++
      })
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, call))
  return stale
}

function openPg(url: string, replica: string): Subject {
  const pool = new GuardedPool({ url, replicas: [replica], onEvent: () => {}, ...OPTIONS })
  return {
    write: (id) => pool.query('insert into written values ($1)', [id]),
    read: async (id) => (await pool.query('select id from written where id = $1', [id])).rowCount === 1,
    snapshot: () => pool.snapshot(),
    end: () => pool.end(),
  }
}

function openPostgresJs(url: string, replica: string): Subject {
  const sql = guardPostgres(url, { replicas: [replica], onEvent: () => {}, ...OPTIONS })
  return {
    write: async (id) => await sql`insert into written values (${id})`,
    read: async (id) => (await sql`select id from written where id = ${id}`).length === 1,
    snapshot: () => sql.snapshot(),
    end: () => sql.end(),
  }
}
