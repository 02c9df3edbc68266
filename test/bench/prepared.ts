import { GuardedPool } from '@poolguard/pg'
import type pg from 'pg'
import { type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { type Benchmark, compare, type Figure } from './benchmark.ts'
import { listPools } from './queries.ts'

const CONNECTIONS = 4
/** Of each measurement: as long for the faster one as for the slower, which would else count its first queries for less. */
const MEASURED_MILLIS = 300
/** In each of the rounds: over all of them, far more than 100,000. */
const DISTINCT_TEXTS = 8_000
/** So many statements are prepared on one connection to see what the server keeps for each. */
const STATEMENTS = 200

const BY_KEY = 'select id, owner, balance from account where id = $1'
const SIX_WAY_JOIN = `
  select a.id, b.note, c.city, d.total, e.kind, f.label
    from account a
    join note b on b.account_id = a.id
    join address c on c.account_id = a.id
    join purchase d on d.account_id = a.id
    join kind e on e.id = d.kind_id
    join label f on f.id = e.label_id
   where a.id = $1 and d.total > $2
   order by d.total desc limit 5`

export const benchmark: Benchmark = {
  keys: {
    direct_gain_join: 'queries/s of a six-way join, GuardedPool / pg.Pool, 4 connections; goal >= 5',
    direct_gain_pk: 'of a read by primary key; goal >= 1.4',
    pooled_gain_join: 'the join through PgBouncer 1.24 in transaction mode; goal >= 4',
    pooled_gain_pk: 'the read by primary key; goal >= 1.3',
    gain_by_hand:
      'the same four of a pg.Pool whose queries are given a name by hand, over one whose are not: the largest gain that this machine allows',
    distinct_texts_overhead: 'time for texts that never come again, GuardedPool / pg.Pool; goal <= 1.05',
    server_bytes_per_statement: "what a connection's server process keeps for each: the read by key, and the join",
  },
  async run(tell) {
    await using server = await startPostgres({ maxConnections: 60 })
    await makeTables(server)
    await using pooler = await startPgBouncer({ version: '1.24', poolMode: 'transaction', upstream: server })
    const figures: Record<string, Figure> = {}
    const byHand: Record<string, Figure> = {}
    for (const [name, url] of [
      ['direct', server.url],
      ['pooled', pooler.url],
    ] as const) {
      await using pools = listPools(url, CONNECTIONS)
      await pools.ours.ready()
      tell(`${name}: join`)
      figures[`${name}_gain_join`] = await gain(pools, join)
      byHand[`${name}_join`] = await gainByHand(pools, join)
      tell(`${name}: primary key`)
      figures[`${name}_gain_pk`] = await gain(pools, readByKey)
      byHand[`${name}_pk`] = await gainByHand(pools, readByKey)
      if (name === 'direct') {
        tell('distinct texts')
        figures.distinct_texts_overhead = await overhead(pools)
      }
    }
    const bytes = await bytesPerStatement(server.adminUrl)
    return { ...figures, gain_by_hand: byHand, server_bytes_per_statement: bytes }
  },
}

/** Small ones, as most lookups meet: what costs is the planning. */
async function makeTables(server: PostgresServer): Promise<void> {
  await server.query(`
    create table account (id int primary key, owner text not null, balance int not null);
    create table note (id int primary key, account_id int not null references account, note text not null);
    create table address (id int primary key, account_id int not null references account, city text not null);
    create table label (id int primary key, label text not null);
    create table kind (id int primary key, label_id int not null references label, kind text not null);
    create table purchase (id int primary key, account_id int not null references account,
      kind_id int not null references kind, total int not null);
    create index on note (account_id);
    create index on address (account_id);
    create index on purchase (account_id);
    insert into account select id, 'owner ' || id, id % 100 from generate_series(1, 1000) id;
    insert into note select id, id, 'note ' || id from generate_series(1, 1000) id;
    insert into address select id, id, 'city ' || id from generate_series(1, 1000) id;
    insert into label select id, 'label ' || id from generate_series(1, 20) id;
    insert into kind select id, id % 20 + 1, 'kind ' || id from generate_series(1, 50) id;
    insert into purchase select id, id % 1000 + 1, id % 50 + 1, id from generate_series(1, 3000) id;
    grant select on all tables in schema public to app;
    analyze`)
}

type Pools = ReturnType<typeof listPools>
/** @param name of the statement, where it is given one by hand. */
type Query = (pool: pg.Pool, number: number, name?: string) => Promise<unknown>

async function gain({ pairOf }: Pools, query: Query): Promise<Figure> {
  return (await compare(pairOf((pool) => rateOf((number) => query(pool, number))))).ratio
}

/** Both are the peer's. */
async function gainByHand({ pairOf }: Pools, query: Query): Promise<Figure> {
  const named = pairOf((pool) => rateOf((number) => query(pool, number, 'by_hand'))).theirs
  const unnamed = pairOf((pool) => rateOf((number) => query(pool, number))).theirs
  return (await compare({ ours: named, theirs: unnamed })).ratio
}

const join: Query = (pool, number, name) =>
  pool.query({ ...(name && { name: `${name}_join` }), text: SIX_WAY_JOIN, values: [(number % 1_000) + 1, 10] })
const readByKey: Query = (pool, number, name) =>
  pool.query({ ...(name && { name: `${name}_key` }), text: BY_KEY, values: [(number % 1_000) + 1] })

/** Queries per millisecond, one after the other on each connection. */
async function rateOf(query: (number: number) => Promise<unknown>): Promise<number> {
  let done = 0
  const began = performance.now()
  const line = async () => {
    while (performance.now() - began < MEASURED_MILLIS) await query(done++)
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, line))
  return done / (performance.now() - began)
}

async function overhead({ pairOf }: Pools): Promise<Figure> {
  return (await compare(pairOf(millisForDistinctTexts))).ratio
}

let texts = 0
/** As an ORM writes them: an IN-list of another length, an alias of another number. */
async function millisForDistinctTexts(pool: pg.Pool): Promise<number> {
  const end = texts + DISTINCT_TEXTS
  const line = async () => {
    while (texts < end) {
      const number = texts++
      await pool.query(`${BY_KEY} /* ${number} */`, [(number % 1_000) + 1])
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: CONNECTIONS }, line))
  return performance.now() - began
}

/** What the memory contexts of cached plans hold, once the server has settled on generic ones (after five runs). Only a superuser may look. */
async function bytesPerStatement(adminUrl: string): Promise<Record<string, Figure>> {
  const measure = async (text: string, values: readonly unknown[]): Promise<number> => {
    await using pool = disposable(new GuardedPool({ url: adminUrl, max: 1, prepareThreshold: 0 }))
    await pool.value.ready()
    for (let n = 0; n < STATEMENTS; n++) {
      for (let run = 0; run < 7; run++) await pool.value.query(`${text} /* ${n} */`, [...values])
    }
    const { rows } = await pool.value.query(
      `select sum(total_bytes)::int as bytes from pg_backend_memory_contexts where name like 'CachedPlan%'`,
    )
    return rows[0].bytes / STATEMENTS
  }
  return { pk: await measure(BY_KEY, [1]), join: await measure(SIX_WAY_JOIN, [1, 10]) }
}

function disposable(pool: GuardedPool) {
  return { value: pool, [Symbol.asyncDispose]: () => pool.end() }
}
