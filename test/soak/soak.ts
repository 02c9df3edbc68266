import { setTimeout as pause } from 'node:timers/promises'
import { seededRandom } from '../../packages/core/src/fleet/testing/simulated-clock.ts'
import { DURABLE } from '../fault-table/ledger.ts'
import { MAX_CONNECTIONS } from '../fault-table/stack.ts'
import { GUARDED_STACKS } from '../fault-table/stacks/index.ts'
import { guardedFleet } from '../fault-table/stacks/pg.ts'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { SOAK_FAULTS, type SoakFault } from './faults.ts'
import { type DatabaseOptions, SoakedDatabase } from './soaked-database.ts'

const FAULT_EVERY_MILLIS = 10_000
const CHECK_EVERY_FAULTS = 3
const FLEET_PROCESSES = 8
/** Of the fleet's database, of which the fleet leaves three free. */
const FLEET_CONNECTION_LIMIT = 20
const FLEET_HEADROOM = 3

export interface SoakResult {
  readonly stack: string
  readonly commits: number
  readonly failures: number
  readonly recoveryMillis: { readonly median: number; readonly max: number }
  readonly heapMegabytes: readonly number[]
  readonly findings: readonly string[]
}

export interface SoakOptions {
  readonly minutes: number
  readonly seed: number
  readonly tell: (text: string) => void
}

/** Runs each adapter, and a fleet, under load with a random fault every ten seconds. */
export async function soak({ minutes, seed, tell }: SoakOptions): Promise<readonly SoakResult[]> {
  await using server = await startPostgres({ settings: { max_connections: 120, ...DURABLE } })
  await using stack = new AsyncDisposableStack()
  const databases: SoakedDatabase[] = []
  for (const options of databaseOptions(server)) databases.push(stack.use(await SoakedDatabase.start(options)))
  const random = seededRandom(seed)
  const end = performance.now() + minutes * 60_000
  for (let round = 1; performance.now() < end; round++) {
    const next = performance.now() + FAULT_EVERY_MILLIS
    const chosen = SOAK_FAULTS[Math.floor(random() * SOAK_FAULTS.length)] as SoakFault
    await inject(chosen, server, databases)
    await Promise.all(databases.map((database) => database.awaitRecovery(chosen.fault.id)))
    const isCheck = round % CHECK_EVERY_FAULTS === 0
    if (isCheck) await Promise.all(databases.map((database) => database.check()))
    tell(
      `${chosen.fault.id}${isCheck ? ', checked' : ''}: ${databases.flatMap(({ findings }) => findings).length} findings`,
    )
    await pause(Math.max(0, next - performance.now()))
  }
  await Promise.all(databases.map((database) => database.check()))
  await Promise.all(databases.map((database) => database.end()))
  return databases.map(resultOf)
}

function databaseOptions(server: PostgresServer): readonly DatabaseOptions[] {
  const adapters = GUARDED_STACKS.map((stack, n) => ({
    ...{ server, stack, name: `soak_${n}` },
    ...{ processes: 1, maxSessions: MAX_CONNECTIONS },
  }))
  const fleet: DatabaseOptions = {
    ...{ server, stack: guardedFleet, name: 'soak_fleet' },
    ...{ processes: FLEET_PROCESSES, connectionLimit: FLEET_CONNECTION_LIMIT },
    maxSessions: FLEET_CONNECTION_LIMIT - FLEET_HEADROOM,
  }
  return [...adapters, fleet]
}

async function inject(
  { fault, inEachProcess }: SoakFault,
  server: PostgresServer,
  databases: readonly SoakedDatabase[],
): Promise<void> {
  const scenes = databases.flatMap(({ instances }) =>
    instances.map(({ proxy, worker }) => ({ server, standby: undefined, proxy, pooler: undefined, app: worker })),
  )
  await Promise.all((inEachProcess ? scenes : scenes.slice(0, 1)).map((scene) => fault.inject(scene)))
}

function resultOf(database: SoakedDatabase): SoakResult {
  const recoveries = database.recoveries.toSorted((a, b) => a - b).map(Math.round)
  return {
    stack: database.name,
    commits: database.commits,
    failures: database.failures,
    recoveryMillis: { median: recoveries[recoveries.length >> 1] ?? 0, max: recoveries.at(-1) ?? 0 },
    heapMegabytes: database.heapMegabytes,
    findings: database.findings,
  }
}
