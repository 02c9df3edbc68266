import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startPostgres } from '@poolguard/test/harness'
import { MAX_CONNECTIONS, type Progress, prepareServer } from '../demo.ts'
import { ChangingFleet } from './changing-fleet.ts'
import { serveJointAdminEndpoint } from './joint-admin-endpoint.ts'

const UI = fileURLToPath(new URL('../app/ui.ts', import.meta.url))
const FEWEST = 2
const MOST = 6
const STEP_MILLIS = 4_000

/** Prints the address of the live page, and starts and ends app processes until the page's process ends. */
export async function watchFleet(progress: Progress, json: boolean): Promise<void> {
  const starting = progress.begin(`Starting PostgreSQL with max_connections = ${MAX_CONNECTIONS}, and app processes`)
  await using server = await startPostgres({ version: 18, maxConnections: MAX_CONNECTIONS })
  await prepareServer(server)
  const adminToken = randomBytes(32).toString('base64url')
  await using fleet = new ChangingFleet(server.url, adminToken)
  while (fleet.size < FEWEST) await fleet.grow()
  await using endpoint = await serveJointAdminEndpoint(() => fleet.ports)
  starting(
    `PostgreSQL ${server.version} runs with max_connections = ${MAX_CONNECTIONS}. Every few seconds an app process starts or ends: ${FEWEST} to ${MOST} of them share the connections.`,
  )
  // As a superuser: on a connection that is reserved for superusers.
  await using page = startPage(server.adminUrl, endpoint.address, adminToken, json)
  await keepChanging(fleet, page.over)
  if (page.process.exitCode !== 0) throw new Error(`poolguard ui ended with exit code ${page.process.exitCode}`)
}

interface PageProcess extends AsyncDisposable {
  readonly process: ChildProcess
  /** Aborts when the process has ended. */
  readonly over: AbortSignal
}

/** Starts `poolguard ui`, which prints the page's address. */
function startPage(databaseUrl: string, appUrl: string, adminToken: string, json: boolean): PageProcess {
  const args = ['ui', '--interval', '1', '--app', appUrl, ...(json ? ['--json'] : [])]
  const page = fork(UI, args, { env: { ...process.env, DATABASE_URL: databaseUrl, POOLGUARD_TOKEN: adminToken } })
  const over = new AbortController()
  const ended = once(page, 'exit').finally(() => over.abort())
  const end = async () => {
    page.kill()
    await ended
  }
  return { process: page, over: over.signal, [Symbol.asyncDispose]: end }
}

/** Grows the fleet step by step to the most instances, then shrinks it to the fewest, and so on. */
async function keepChanging(fleet: ChangingFleet, over: AbortSignal): Promise<void> {
  let grows = true
  while (await isStillOn(over)) {
    await (grows ? fleet.grow() : fleet.shrink())
    if (fleet.size === MOST) grows = false
    if (fleet.size === FEWEST) grows = true
  }
}

/** Waits for one step. */
async function isStillOn(over: AbortSignal): Promise<boolean> {
  await pause(STEP_MILLIS, undefined, { signal: over }).catch(() => {})
  return !over.aborted
}
