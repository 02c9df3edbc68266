import { type ConnectionString, describeAddress, type RowReader, readOneRow } from '@poolguard/core/postgres'
import { cannotConnect } from '../connect-errors/cannot-connect.ts'
import { type Contact, contact } from '../database/contact.ts'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { majorOf } from '../recommend/postgres-version.ts'
import type { RecommendedSetting } from '../recommend/recommended-setting.ts'
import type { ConnectionLimits } from '../recommend/requested-settings.ts'
import { APPLICATION } from './application.ts'
import { type Applied, applyChanges, previousValue } from './apply-changes.ts'
import { checkResults } from './check-results.ts'
import type { OptimizeReport } from './optimize-outcome.ts'
import { type Proposal, propose } from './propose.ts'
import { type Restart, type RestartOptions, restartServer } from './restart-server.ts'
import { readServerState, type ServerState } from './server-state.ts'

export interface OptimizeInput {
  readonly url: ConnectionString
  /** @throws {CannotRunError} if an option has an impossible value. */
  readonly settingsFor: (server: ConnectionLimits) => readonly RecommendedSetting[]
  /** Whether to apply the proposals. */
  readonly isWanted: (proposals: readonly Proposal[], server: ServerState) => Promise<boolean>
  /** How to restart the server; undefined without --restart-command. */
  readonly restart: RestartOptions | undefined
}

const LIMITS_QUERY = `
select pg_catalog.current_setting('server_version') as "version", pg_catalog.version() as "build",
       pg_catalog.current_setting('max_connections')::int as "maxConnections",
       pg_catalog.current_setting('superuser_reserved_connections')::int
         operator(pg_catalog.+) coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0) as "reserved"`

/**
 * Reads the server's settings, applies the changes if wanted, and checks the result in a new session.
 *
 * @throws {CannotRunError} if PostgreSQL itself cannot be reached.
 */
export async function optimizeServer(input: OptimizeInput): Promise<Omit<OptimizeReport, 'plan'>> {
  const { url, isWanted } = input
  const { before, proposals, applied } = await withServer(url, async ({ pool }) => {
    const recommended = await recommendedAt(pool, input)
    const before = await readServerState(pool, recommended)
    const proposals = propose(recommended, before)
    const applied = (await isWanted(proposals, before)) ? await applyChanges(pool, proposals, before) : undefined
    return { before, proposals, applied }
  })
  const title = t`PostgreSQL ${before.version} at ${describeAddress(url)}, as ${before.role}`
  const { sessions } = before
  if (!applied) return { title, results: proposals, applied: false, restarted: false, sessions, trouble: [], undo: [] }
  const restart = await restartWhereNeeded(input, proposals, applied, before)
  const failure = restart && !restart.restarted ? restart : undefined
  const report = { title, applied: true, restarted: restart?.restarted === true, sessions }
  try {
    if (failure && !failure.reachable) throw new CannotRunError(`${failure.why}.`)
    const after = await withServer(url, ({ pool }) => readServerState(pool, proposals))
    const trouble = failure ? [`${failure.why}.`] : []
    return { ...report, results: checkResults(proposals, applied, after), trouble, undo: applied.undo }
  } catch (error) {
    // Report the applied changes even if the result cannot be checked.
    const results = proposals.map((each) =>
      applied.changed.includes(each) ? ({ ...each, standing: 'waits' } as const) : each,
    )
    const trouble = [(error as Error).message, ...undoWithoutServer(applied, before)]
    return { ...report, results, trouble, undo: [] }
  }
}

async function recommendedAt(
  pool: Contact['pool'],
  { settingsFor }: OptimizeInput,
): Promise<readonly RecommendedSetting[]> {
  const server = readOneRow("the query for the server's limits", (await pool.query(LIMITS_QUERY)).rows, readLimits)
  // Throws for versions that are too old.
  majorOf(server.version)
  return settingsFor(server)
}

function readLimits(row: RowReader): ConnectionLimits & { readonly version: string } {
  return {
    version: row.text('version'),
    build: row.text('build'),
    maxConnections: row.integer('maxConnections'),
    reserved: row.integer('reserved'),
  }
}

async function withServer<T>(url: ConnectionString, use: (database: Contact) => Promise<T>): Promise<T> {
  await using database = contact(url, { applicationName: APPLICATION, max: 1 })
  const topology = await database.reach().catch((error: Error) => {
    throw cannotConnect(url, error)
  })
  if (topology.kind === 'direct') return await use(database)
  throw new CannotRunError(
    t`${describeAddress(url)} leads to a pooler, not to PostgreSQL itself. Pass the direct URL, or set DIRECT_URL.`,
  )
}

/** Restarts the server if a setting needs it. */
async function restartWhereNeeded(
  { url, restart }: OptimizeInput,
  proposals: readonly Proposal[],
  { changed, rejected }: Applied,
  { startedAt }: ServerState,
): Promise<Restart | undefined> {
  const waiting = [...changed, ...proposals.filter(({ standing }) => standing === 'waits')]
  if (!restart || rejected || !waiting.some(({ takesEffect }) => takesEffect === 'after a restart')) return undefined
  return await restartServer(url, startedAt, restart)
}

/** ALTER SYSTEM writes to a file, which you can edit while the server is down. */
function undoWithoutServer({ changed }: Applied, before: ServerState): readonly string[] {
  const file =
    before.dataDirectory === null
      ? t`postgresql.auto.conf in its data directory`
      : `${before.dataDirectory}/postgresql.auto.conf`
  const lines = changed
    .filter(({ by }) => by === 'system')
    .map((proposal) => {
      const old = previousValue(proposal, before)
      return old === undefined ? t`  remove ${proposal.name}` : `  ${proposal.name} = '${old}'`
    })
  if (lines.length === 0) return []
  return [t`To undo the changes while the server is down, edit ${file}, and start the server:`, ...lines]
}
