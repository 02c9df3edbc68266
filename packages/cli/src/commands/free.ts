import { describeAddress, readOneRow } from '@poolguard/core/postgres'
import type { Command } from 'commander'
import { contact, type Pool } from '../database/contact.ts'
import { OPEN_SLOTS_QUERY, readOpenSlots } from '../database/open-slots.ts'
import { readSessions } from '../database/read-sessions.ts'
import { environment } from '../environment/own-environment.ts'
import { type Candidate, type Choice, selectCandidates, stillCandidates } from '../free/candidates.ts'
import { describeCandidates } from '../free/describe-candidates.ts'
import { endCandidates } from '../free/end-candidates.ts'
import { type FreeReport, freeOutcome, type Occupancy } from '../free/free-outcome.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { askAfter, canAsk } from '../output/ask.ts'
import { withPlainTexts } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import { readSeconds, wholeFrom } from '../read-number.ts'
import { clientSessions, isHidden, type Session } from '../sessions/session.ts'
import { requireTarget } from '../target.ts'
import { showQueriesOption } from './show-queries-option.ts'

interface FreeOptions {
  readonly application?: string
  readonly role?: string
  readonly olderThan?: number
  readonly active?: boolean
  readonly limit?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
  readonly showQueries: boolean
  readonly json?: boolean
  readonly dotenv?: string
}

const APPLICATION = 'poolguard free'

const EXAMPLES = `
Examples:
  $ poolguard free --dry-run
  $ poolguard free postgresql://postgres@db/orders --application orders
  $ poolguard free --role app --older-than 30s --limit 20 --yes

It lists the sessions that may be ended: those that hold a lock which others wait for, those that have been idle in
transaction for a minute, and those that have been idle for five minutes; --older-than replaces these ages. It asks, ends them with
pg_terminate_backend, and reports how many connections came free. Without a terminal it needs --yes. It never ends sessions
of superusers, of replication, of PostgreSQL itself or of poolguard, and leaves a session alone that has worked since it was listed.
The exit code is 0 if no candidate is left.`

export function defineFree(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument('[url]', 'URL of the database (default: DIRECT_URL, then DATABASE_URL)')
    .option('--application <name>', 'only sessions with this application_name')
    .option('--role <name>', 'only sessions of this role')
    .option('--older-than <duration>', 'only sessions that have not changed for this long, such as 30s', readSeconds)
    .option('--active', 'also sessions that run a query (default age: a minute)')
    .option('--limit <number>', 'end at most this many, the most effective first', wholeFrom(1))
    .option('--dry-run', 'list the sessions and end none')
    .option('--yes', 'end them without asking')
    .addOption(showQueriesOption())
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: FreeOptions) => done(await free(url, options)))
}

async function free(url: string | undefined, options: FreeOptions): Promise<Outcome> {
  const { dotenv, application, role, olderThan, active, limit } = options
  const found = requireTarget({ url, dotenv, folder: process.cwd(), env: environment })
  const target = found.direct ?? found.url
  const choice = { application, role, olderThanSeconds: olderThan, includesActive: active, limit }
  await using database = contact(target, { applicationName: APPLICATION, max: 1 })
  await database.reach().catch((error: Error) => {
    throw new CannotRunError(
      t`Cannot connect to ${describeAddress(target)}: ${error.message}. If the server is full, pass the URL of a superuser; poolguard doctor prints what else helps.`,
    )
  })
  return freeOutcome(await freeSessions(database.pool, choice, options))
}

async function freeSessions(pool: Pool, choice: Choice, options: FreeOptions): Promise<FreeReport> {
  const { showQueries: showsQueries } = options
  const sessions = await listSessions(pool, showsQueries)
  const before = await countOpen(pool, sessions)
  const candidates = selectCandidates(sessions, choice)
  const report = { candidates, before, hidden: clientSessions(sessions).filter(isHidden).length }
  if (options.dryRun || candidates.length === 0) return report
  await askToEnd(candidates, options)
  // A person takes a while to answer.
  const now = stillCandidates(
    candidates,
    selectCandidates(await listSessions(pool, showsQueries), { ...choice, limit: undefined }),
  )
  const gone = candidates.filter(({ session }) => !now.some((each) => each.session.pid === session.pid))
  const ended = [...(await endCandidates(pool, now)), ...gone.map((each) => ({ ...each, ending: 'changed' as const }))]
  return {
    ...report,
    ended: withPlainTexts(ended),
    after: await countOpen(pool, await listSessions(pool, showsQueries)),
  }
}

async function listSessions(pool: Pool, showsQueries: boolean): Promise<readonly Session[]> {
  return withPlainTexts((await readSessions(pool, { showsQueries })).sessions)
}

async function countOpen(pool: Pool, sessions: readonly Session[]): Promise<Occupancy> {
  const { rows } = await pool.query(OPEN_SLOTS_QUERY)
  const { openSlots } = readOneRow('the query for open slots', rows, readOpenSlots)
  return { used: clientSessions(sessions).filter(({ isOwn }) => !isOwn).length, usable: openSlots }
}

/** @throws {CannotRunError} if the answer is no, or if there is no terminal to ask on. */
async function askToEnd(candidates: readonly Candidate[], { yes, json }: FreeOptions): Promise<void> {
  if (yes) return
  if (!canAsk({ json })) {
    throw new CannotRunError(
      t`Nothing was ended: ${candidates.length} sessions are candidates, and there is no terminal to ask on. Pass --yes to end them, or --dry-run to list them.`,
    )
  }
  const message = candidates.length === 1 ? t`End this session?` : t`End these ${candidates.length} sessions?`
  if (!(await askAfter(describeCandidates(candidates).join('\n'), message)))
    throw new CannotRunError(t`Nothing was ended.`)
}
