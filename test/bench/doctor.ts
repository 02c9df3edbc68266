import pg from 'pg'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { runPoolguard } from '../integration/run-poolguard.ts'
import { firstScreen, namesCulprit } from '../outages/first-screen.ts'
import { OUTAGES, type StagedOutage } from '../outages/outages.ts'
import { type Benchmark, summarise } from './benchmark.ts'

const SESSIONS = 1_000
const RUNS = 5

export const benchmark: Benchmark = {
  keys: {
    seconds: '`poolguard doctor`, from start to end, on a server with 1,000 sessions; goal <= 2',
    staged_outages_named:
      'of 5 outages with 4 processes each: the first screen names the process and the statement, as superuser and as the app; goal 5',
  },
  async run(tell) {
    const seconds = await measureDoctor()
    let named = 0
    for (const [name, stage] of Object.entries(OUTAGES)) {
      const isNamed = await isOutageNamed(stage)
      tell(`${name}: ${isNamed ? 'named' : 'not named'}`)
      if (isNamed) named++
    }
    return { seconds: summarise(seconds), staged_outages_named: named }
  },
}

async function measureDoctor(): Promise<number[]> {
  await using server = await startPostgres({ maxConnections: SESSIONS + 20 })
  await using _sessions = await openSessions(server)
  const seconds: number[] = []
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now()
    const { stdout, stderr } = await runPoolguard(['doctor', server.adminUrl])
    seconds.push((performance.now() - began) / 1_000)
    if (!stdout.includes(`${SESSIONS} of `))
      throw new Error(`doctor did not see ${SESSIONS} sessions: ${stdout}${stderr}`)
  }
  return seconds
}

async function openSessions(server: PostgresServer): Promise<AsyncDisposable> {
  const clients = Array.from({ length: SESSIONS }, () => new pg.Client(server.url))
  // A few at a time: the server's backlog is short.
  for (let at = 0; at < clients.length; at += 20) {
    await Promise.all(clients.slice(at, at + 20).map((client) => client.connect()))
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await Promise.all(clients.map((client) => client.end()))
    },
  }
}

async function isOutageNamed(stage: () => Promise<StagedOutage>): Promise<boolean> {
  await using outage = await stage()
  const screens = [await firstScreen(outage.asSuperuser), await firstScreen(outage.asApp)]
  return screens.every((screen) => namesCulprit(screen, outage))
}
