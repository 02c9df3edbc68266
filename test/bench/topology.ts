import { type PostgresServer, pgBouncerAvailability, pgBouncerVersions, startPostgres } from '../harness/index.ts'
import { findAt, findTarget, type Target, targetsFor, wrongAbout } from '../topology/target.ts'
import { type Benchmark, type Figures, summarise } from './benchmark.ts'

const TIMES = 15

export const benchmark: Benchmark = {
  keys: {
    round_trips:
      'to find out what is at the other end; goals: direct 1, pgbouncer_1_26 0, pgbouncer_1_24_transaction <= 4',
    verdicts: 'targets looked at; POOLGUARD_MATRIX=full looks at every combination',
    wrong_verdicts: 'goal 0',
    unknown_verdicts: 'nothing was claimed: pools that others held the whole time',
  },
  async run(tell) {
    await using postgres15 = await startPostgres({ version: 15 })
    await using postgres18 = await startPostgres({ version: 18 })
    const servers = { 15: postgres15, 18: postgres18 }
    tell('round trips')
    const roundTrips = await countRoundTrips(servers[18])
    return { round_trips: roundTrips, ...(await countVerdicts(servers, tell)) }
  },
}

/** Idle targets, each several times: chance has a part in it. */
async function countRoundTrips(server: PostgresServer): Promise<Figures> {
  const idle: Omit<Target, 'poolMode'> = { poolSize: 20, minPoolSize: 0, roundRobin: 0, postgres: 18, traffic: false }
  const pooled = (version: (typeof pgBouncerVersions)[number], poolMode: Target['poolMode']) => () =>
    findTarget(version, { ...idle, poolMode }, server)
  const targets = {
    direct: () => findAt(server.url),
    pgbouncer_1_26: pooled('1.26', 'transaction'),
    pgbouncer_1_24_transaction: pooled('1.24', 'transaction'),
    pgbouncer_1_24_session: pooled('1.24', 'session'),
    pgbouncer_1_18_transaction: pooled('1.18', 'transaction'),
  }
  const figures: Record<string, { median: number; min: number; max: number }> = {}
  for (const [name, find] of Object.entries(targets)) {
    const counts: number[] = []
    for (let i = 0; i < TIMES; i++) counts.push((await find()).roundTrips)
    figures[name] = summarise(counts)
  }
  return figures
}

async function countVerdicts(
  servers: Readonly<Record<15 | 18, PostgresServer>>,
  tell: (text: string) => void,
): Promise<{ verdicts: number; wrong_verdicts: number; unknown_verdicts: number }> {
  const counts = { verdicts: 0, wrong_verdicts: 0, unknown_verdicts: 0 }
  for (const version of pgBouncerVersions) {
    const availability = await pgBouncerAvailability(version)
    if (!availability.available) throw new Error(availability.how)
    tell(`verdicts on PgBouncer ${availability.version}`)
    for (const target of targetsFor(version)) {
      const { topology } = await findTarget(version, target, servers[target.postgres])
      const wrong = wrongAbout(target, topology)
      counts.verdicts++
      if (topology?.kind === 'unknown') counts.unknown_verdicts++
      if (wrong === undefined) continue
      counts.wrong_verdicts++
      tell(`wrong: ${JSON.stringify(target)}: ${wrong} (${topology?.evidence.join('; ')})`)
    }
  }
  return counts
}
