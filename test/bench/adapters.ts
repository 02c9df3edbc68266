import { startPostgres } from '../harness/index.ts'
import { type AdapterPair, openAdapterPairs } from './adapter-pairs.ts'
import { type Benchmark, compare, type Figure } from './benchmark.ts'

const QUERIES = 10_000
/** As many requests at a time as an app of some traffic has; more than a pool of the default size lends. */
const CONCURRENCY = 32

export const benchmark: Benchmark = {
  keys: {
    prisma: 'Prisma 7: queries/s of a mixed read load with the defaults, guarded / not; goal >= 0.97',
    drizzle_pg: 'Drizzle over node-postgres; goal >= 0.97',
    drizzle_postgres_js: 'Drizzle over postgres.js; goal >= 0.97',
    typeorm: 'TypeORM; goal >= 0.97',
    queries_per_second: 'the guarded side of each',
  },
  async run(tell) {
    await using server = await startPostgres({ maxConnections: 120 })
    await server.query('create table account (id int primary key, owner text not null, balance int not null)')
    await server.query(`insert into account select id, 'owner ' || id, id % 100 from generate_series(1, 1000) id`)
    await server.query('alter table account owner to app')
    await server.query('analyze account')
    await using pairs = await openAdapterPairs(server.url)
    const figures: Record<string, Figure> = {}
    const rates: Record<string, Figure> = {}
    for (const [name, { guarded, plain }] of Object.entries(pairs.all)) {
      tell(name)
      const { ratio, ours } = await compare({
        ours: () => queriesPerSecond(guarded),
        theirs: () => queriesPerSecond(plain),
      })
      figures[name] = ratio
      rates[name] = ours
    }
    return { ...figures, queries_per_second: rates }
  },
}

/** Of ten reads seven are by primary key, two of a page of twenty, and one counts. */
async function queriesPerSecond(reads: AdapterPair['guarded']): Promise<number> {
  let sent = 0
  const line = async () => {
    while (sent < QUERIES) {
      const number = sent++
      const id = (number % 900) + 1
      if (number % 10 < 7) await reads.byId(id)
      else if (number % 10 < 9) await reads.page(id)
      else await reads.count(id % 100)
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: CONCURRENCY }, line))
  return (QUERIES / (performance.now() - began)) * 1_000
}
