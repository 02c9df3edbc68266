import { setTimeout as pause } from 'node:timers/promises'
import {
  countSessions,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startProxy,
  startReplication,
  watchSessions,
} from '../harness/index.ts'
import type { Fault } from './fault.ts'
import { CREATE_LEDGER, DURABLE, readLedger } from './ledger.ts'
import { MAX_CONNECTIONS, type Stack } from './stack.ts'
import { type Verdict, verdictOf } from './verdict.ts'
import { WorkerProcess } from './worker-process.ts'

/** How long after the fault the app may take until it writes again. */
const RECOVERY_MILLIS = 15_000
/** The app works on for so long after it has recovered. */
const AFTERWARDS_MILLIS = 500
/** More than the app's own patience, for the count of its connections. */
const COUNT_MILLIS = 25_000
/** More than the app's own patience, for the callers and for the end of the pool. */
const END_MILLIS = 35_000
/** Pause between two counts of the app's sessions. */
const SAMPLE_MILLIS = 50

/** Runs one fault on one stack. @returns undefined if the stack's API does not allow the fault. */
export async function runCell(fault: Fault, stack: Stack): Promise<Verdict | undefined> {
  await using servers = await startServers(fault)
  const { server, standby } = servers
  await server.query(`${CREATE_LEDGER}; alter table ledger owner to app`)
  if (fault.setup) await server.query(fault.setup)
  await using pooler = fault.pooler && (await startPgBouncer({ upstream: server, settings: fault.pooler }))
  await using proxy = await startProxy({ target: pooler ?? server })
  const app = new WorkerProcess(stack, proxy.urlFor((pooler ?? server).url))
  const sessions = watchSessions(server, SAMPLE_MILLIS)
  try {
    await app.atWork()
    if (!app.exit) await fault.inject({ server, standby, proxy, pooler, app })
    const healedAt = performance.now()
    if (app.notPossible) return undefined
    const isBack = fault.endsTheApp || (await app.until(() => app.committedAt > healedAt, RECOVERY_MILLIS))
    const recoveryMillis = isBack ? Math.max(0, app.committedAt - healedAt) : undefined
    const expectedConnections = MAX_CONNECTIONS - (fault.keptConnections ?? 0)
    const connections = fault.endsTheApp ? undefined : await countConnections(app, expectedConnections)
    app.ask({ type: 'stop' })
    await app.until(() => app.stopped !== undefined, END_MILLIS)
    const serverAfterwards = standby ?? server
    const sessionsLeft = app.exit || pooler ? 0 : await sessionsAfterEnd(serverAfterwards)
    await app.until(() => app.exit !== undefined, 5_000)
    return verdictOf({
      crash: app.hasCrashed
        ? `${app.exit?.signal ?? `exit code ${app.exit?.code}`}: ${errorIn(app.stderr)}`
        : undefined,
      hungCallers: app.stopped?.hungCallers ?? 0,
      ended: app.exit !== undefined && app.stopped?.closed === true,
      committed: app.committed,
      rows: await readLedger(serverAfterwards),
      ...{ expectedConnections, connections, sessionsLeft, recoveryMillis },
      peakSessions: await sessions.end(),
      errors: app.errors,
    })
  } finally {
    await sessions.end()
    await app.end()
  }
}

interface Servers extends AsyncDisposable {
  readonly server: PostgresServer
  readonly standby: PostgresServer | undefined
}

async function startServers({ settings: own, takenOverByStandby }: Fault): Promise<Servers> {
  const settings = { ...DURABLE, ...own }
  if (!takenOverByStandby) {
    const server = await startPostgres({ settings: { max_connections: 40, ...settings } })
    return { server, standby: undefined, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  }
  const replication = await startReplication({ settings })
  const [server, [standby]] = [replication.primary, replication.standbys]
  // Each commit waits for the standby.
  await server.query(`alter system set synchronous_standby_names = '*'`)
  await server.query('select pg_reload_conf()')
  return { server, standby, [Symbol.asyncDispose]: () => replication.stop() }
}

async function countConnections(app: WorkerProcess, expected: number): Promise<number | undefined> {
  await pause(AFTERWARDS_MILLIS)
  app.ask({ type: 'pause' })
  app.ask({ type: 'count-connections', expected })
  await app.until(() => app.counted !== undefined, COUNT_MILLIS)
  app.ask({ type: 'resume' })
  return app.exit ? undefined : (app.counted ?? 0)
}

/** Sessions end a moment after their sockets. */
async function sessionsAfterEnd(server: PostgresServer): Promise<number> {
  for (let n = 0; n < 40 && (await countSessions(server)) > 0; n++) await pause(50)
  return countSessions(server)
}

/** The line of an uncaught error that says what happened. */
function errorIn(stderr: string): string {
  const lines = stderr.trim().split('\n')
  return (lines.find((line) => /^\w*error\b/i.test(line)) ?? lines.at(-1) ?? '').trim()
}
