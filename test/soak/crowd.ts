import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startPgBouncer, startPostgres, watchSessions } from '../harness/index.ts'

const PROGRAM = fileURLToPath(new URL('crowd-process.ts', import.meta.url))
const PROCESSES = 20
const CLIENTS_PER_PROCESS = 50
const SERVER_CONNECTIONS = 25
const WORK_MILLIS = 60_000

/** What a process has seen. */
export interface CrowdReport {
  readonly answered: number
  readonly failures: readonly string[]
  /** Connections to PgBouncer. */
  readonly opened: number
}

export interface CrowdResult {
  readonly processes: number
  readonly clients: number
  readonly peakServerConnections: number
  readonly answered: number
  readonly findings: readonly string[]
}

/** A thousand clients in twenty processes ask for a minute, through PgBouncer in transaction mode, on 25 connections of the server. */
export async function crowd(): Promise<CrowdResult> {
  await using server = await startPostgres({ maxConnections: SERVER_CONNECTIONS + 10 })
  const settings = { default_pool_size: SERVER_CONNECTIONS, max_client_conn: 2 * PROCESSES * CLIENTS_PER_PROCESS }
  await using pooler = await startPgBouncer({ poolMode: 'transaction', upstream: server, settings })
  const sessions = watchSessions(server, 100)
  const children = Array.from({ length: PROCESSES }, () => fork(PROGRAM, [pooler.url, String(CLIENTS_PER_PROCESS)]))
  const reports = children.map(async (child) => {
    const [report] = await Promise.race([once(child, 'message'), once(child, 'disconnect')])
    return typeof report === 'object' && report !== null ? (report as CrowdReport) : undefined
  })
  await pause(WORK_MILLIS)
  for (const child of children) if (child.connected) child.send('stop')
  const seen = (await Promise.all(reports)).filter((report) => report !== undefined)
  const peakServerConnections = await sessions.end()
  return {
    processes: seen.length,
    clients: seen.reduce((sum, { opened }) => sum + opened, 0),
    peakServerConnections,
    answered: seen.reduce((sum, { answered }) => sum + answered, 0),
    findings: findingsOf(seen, peakServerConnections),
  }
}

function findingsOf(seen: readonly CrowdReport[], peak: number): readonly string[] {
  const failures = seen.flatMap(({ failures }) => failures)
  return [
    ...(seen.length < PROCESSES ? [`${PROCESSES - seen.length} processes have ended`] : []),
    ...(peak > SERVER_CONNECTIONS
      ? [`${peak} connections of the server instead of at most ${SERVER_CONNECTIONS}`]
      : []),
    ...(failures.length > 0 ? [`${failures.length} calls failed, such as: ${failures[0]}`] : []),
  ]
}
