import { setTimeout as pause } from 'node:timers/promises'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { type Disruption, type FaultProxy, startFailoverBed, startProxy, waitUntil } from '../harness/index.ts'
import { type Benchmark, type Figures, summarise } from './benchmark.ts'
import { benchmark as replicas } from './replicas.ts'

const ROUNDS = 10
const DISRUPTIONS: readonly Disruption[] = ['killed', 'cut-off', 'read-only']
const CONNECTIONS = 8
const CALLERS = 16
/** Between two writes of a caller. */
const PAUSE_MILLIS = 5
const DEADLINE_MILLIS = 10_000
/** How long the load goes on after writes have come back. */
const AFTERWARDS_MILLIS = 2_000

const SETUP =
  'CREATE TABLE written (id serial); GRANT ALL ON ALL TABLES IN SCHEMA public TO app; GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO app'
/** Tells which server has written. */
const WRITE = 'insert into written default values returning inet_server_port() as port'

/** One pool; `write` calls `onSent` when it has a connection. */
interface Subject {
  write(onSent: () => void): Promise<number>
  end(): Promise<unknown>
}

interface Outcome {
  /** When the statement was sent; undefined if no connection was available within the deadline. */
  readonly sentAt: number | undefined
  readonly endedAt: number
  /** The port of the server that has written; undefined if the write failed. */
  readonly port: number | undefined
}

interface RoundFigures {
  readonly writesBackMillis: number
  readonly failedBeyond: number
  readonly connectsPerSecond: number
  readonly plainCameBack: boolean
}

export const benchmark: Benchmark = {
  keys: {
    writes_back_millis: `from the order to promote to the first write on the new primary, ${CALLERS} callers on ${CONNECTIONS} connections, ${ROUNDS} rounds, pg and postgres.js in turns; goal at most 2,000`,
    failed_writes_beyond_in_flight:
      'writes that failed although they were sent after the first failure, and callers that got no connection within 10 s; goal 0',
    connects_to_dead_host_per_second: 'of one pool, from the failure on; goal at most 2',
    pg_pool_writes_back: `of ${ROUNDS} rounds, with the plain pool of pg, which knows one host`,
    ...replicas.keys,
  },
  async run(tell) {
    const figures: Record<string, Record<string, Figures[string]>> = {}
    for (const disruption of DISRUPTIONS) {
      const rounds: RoundFigures[] = []
      for (let round = 0; round < ROUNDS; round++) {
        rounds.push(await measure(disruption, round % 2 === 0 ? openPg : openPostgresJs))
        tell(`failover: ${disruption}, round ${round + 1}: ${JSON.stringify(rounds.at(-1))}`)
      }
      const name = disruption.replace('-', '_')
      const add = (key: string, figure: Figures[string]) => {
        figures[key] = { ...figures[key], [name]: figure }
      }
      add('writes_back_millis', summarise(rounds.map(({ writesBackMillis }) => writesBackMillis)))
      add('failed_writes_beyond_in_flight', sum(rounds.map(({ failedBeyond }) => failedBeyond)))
      // A host that is only read-only is not dead.
      if (disruption !== 'read-only')
        add('connects_to_dead_host_per_second', summarise(rounds.map(({ connectsPerSecond }) => connectsPerSecond)))
      add('pg_pool_writes_back', rounds.filter(({ plainCameBack }) => plainCameBack).length)
    }
    return { ...figures, ...(await replicas.run(tell)) }
  },
}

async function measure(disruption: Disruption, open: (url: string) => Subject): Promise<RoundFigures> {
  await using bed = await startFailoverBed(SETUP)
  const ours = new Load(open(bed.urlFor('target_session_attrs=read-write')))
  const { primary } = bed.replication
  await using plainProxy = await startProxy({ target: primary })
  const plain = new Load(openPlain(plainProxy.urlFor(primary.url)))
  const newPort = bed.standby.port
  await waitUntil(() => ours.outcomes.length > 200 && plain.outcomes.length > 200, { what: 'both pools write' })
  const { accepted } = bed.proxies[0]
  const disruptedAt = performance.now()
  if (disruption === 'cut-off') plainProxy.blackhole()
  await bed.disrupt(disruption)
  const promotedAt = performance.now()
  await bed.promote()
  const onNew = () => ours.outcomes.find(({ port }) => port === newPort)
  await waitUntil(() => onNew() !== undefined, { what: 'writes come back', deadlineMillis: 30_000 })
  await pause(AFTERWARDS_MILLIS)
  const seconds = (performance.now() - disruptedAt) / 1_000
  const connects = bed.proxies[0].accepted - accepted
  const plainCameBack = plain.outcomes.some(({ port }) => port === newPort)
  await Promise.all([bed.proxies[0], plainProxy].map(mend))
  await Promise.all([ours.end(), plain.end()])
  return {
    writesBackMillis: Math.max(0, (onNew()?.endedAt ?? Number.NaN) - promotedAt),
    failedBeyond: ours.failedBeyondInFlight,
    connectsPerSecond: connects / seconds,
    plainCameBack,
  }
}

/** The plain pool would wait for a server that is cut off. */
async function mend(proxy: FaultProxy): Promise<void> {
  await proxy.heal()
  proxy.reset()
}

/** Callers that write one after another. */
class Load {
  readonly outcomes: Outcome[] = []
  readonly #subject: Subject
  readonly #callers: Promise<unknown>
  #isOver = false

  constructor(subject: Subject) {
    this.#subject = subject
    this.#callers = Promise.all(Array.from({ length: CALLERS }, () => this.#call()))
  }

  async #call(): Promise<void> {
    while (!this.#isOver) {
      let sentAt: number | undefined
      const onSent = () => {
        sentAt = performance.now()
      }
      const port = await this.#subject.write(onSent).catch(() => undefined)
      this.outcomes.push({ sentAt, endedAt: performance.now(), port })
      await pause(PAUSE_MILLIS)
    }
  }

  /** A write is in flight if it was sent before the first failure has become known. */
  get failedBeyondInFlight(): number {
    const failed = this.outcomes.filter(({ port }) => port === undefined)
    const firstAt = Math.min(...failed.map(({ endedAt }) => endedAt))
    return failed.filter(({ sentAt }) => sentAt === undefined || sentAt > firstAt).length
  }

  async end(): Promise<void> {
    this.#isOver = true
    await this.#callers
    await this.#subject.end()
  }
}

function openPg(url: string): Subject {
  const pool = new GuardedPool({
    url,
    max: CONNECTIONS,
    onEvent: () => {},
    pool: { acquireTimeoutMillis: DEADLINE_MILLIS },
  })
  return fromPgPool(pool)
}

function openPlain(url: string): Subject {
  const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS, connectionTimeoutMillis: DEADLINE_MILLIS })
  pool.on('error', () => {})
  return fromPgPool(pool)
}

function fromPgPool(pool: pg.Pool): Subject {
  return {
    async write(onSent) {
      const client = await pool.connect()
      onSent()
      const failed = (error: Error) => error
      client.on('error', failed)
      try {
        const { rows } = await client.query<{ port: number }>(WRITE)
        client.off('error', failed)
        client.release()
        return rows[0]?.port ?? 0
      } catch (error) {
        client.release(error as Error)
        throw error
      }
    },
    end: () => pool.end(),
  }
}

function openPostgresJs(url: string): Subject {
  const pool = { acquireTimeoutMillis: DEADLINE_MILLIS }
  const sql = guardPostgres(url, { max: CONNECTIONS, onEvent: () => {}, pool })
  return {
    async write(onSent) {
      const reserved = await sql.reserve()
      onSent()
      try {
        const [row] = await reserved.unsafe<{ port: number }[]>(WRITE)
        return row?.port ?? 0
      } finally {
        reserved.release()
      }
    },
    end: () => sql.end(),
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
