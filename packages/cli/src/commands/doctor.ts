import { guessProvider, type Surge } from '@poolguard/core/postgres'
import type { Command } from 'commander'
import { lookAtDatabase } from '../database/look-at-database.ts'
import { requirePoolerFacts } from '../database/read-pooler-facts.ts'
import { doctorOutcome } from '../doctor/doctor-outcome.ts'
import type { Facts, SqliteFacts } from '../doctor/facts.ts'
import { adminEndpoint } from '../endpoint/admin-endpoint.ts'
import { readAppInsight } from '../endpoint/read-pool-stats.ts'
import type { EnvironmentConnection } from '../environment/connection-from-environment.ts'
import { environment } from '../environment/own-environment.ts'
import type { Outcome } from '../outcome.ts'
import { withProgress } from '../output/progress.ts'
import { t } from '../output/translate.ts'
import { targetsOfApps, urlVariablesOf } from '../project/apps/app-targets.ts'
import type { ProjectFacts } from '../project/project-facts.ts'
import { readProject } from '../project/read-project.ts'
import { readSurge } from '../read-number.ts'
import { checkSqlite } from '../sqlite/check-sqlite.ts'
import { findSqlite, showPath } from '../sqlite/sqlite-address.ts'
import { findTarget, readVariables, type TargetOptions } from '../target.ts'
import { type InstancesOption, instancesOption } from './instances-option.ts'
import { type RuleOptions, withRuleOptions } from './rule-options.ts'
import { showQueriesOption } from './show-queries-option.ts'

interface DoctorOptions extends RuleOptions {
  readonly instances?: InstancesOption
  readonly maxSurge?: Surge
  readonly poolerUrl?: string
  readonly app?: string
  readonly offline?: boolean
  readonly showQueries: boolean
  readonly json?: boolean
  readonly dotenv?: string
}

const EXAMPLES = `
Examples:
  $ poolguard doctor
  $ poolguard doctor postgresql://app@db/orders --instances 6 --max-surge 25%
  $ poolguard doctor --offline --json
  $ poolguard doctor --app http://127.0.0.1:3000   # with the app's adminToken in POOLGUARD_TOKEN
  $ poolguard doctor --fail-on critical --ignore no-direct-url

It reads the project in the current directory (every app's package.json, .env files, Prisma's files, sources; compose files, pgbouncer.ini)
and opens at most two connections to the database for a moment. It changes nothing.`

export function defineDoctor(command: Command, done: (outcome: Outcome) => void): void {
  withRuleOptions(
    command
      .argument('[url]', 'URL of the database, or of the pooler in front of it')
      .addOption(instancesOption())
      .option('--max-surge <number|share>', 'extra instances during a rolling deploy: 1, or 25%', readSurge)
      .option('--pooler-url <url>', "URL of PgBouncer's console, as a user in stats_users (default: the same URL)")
      .option('--app <url>', "a running app's admin endpoint, with its adminToken in POOLGUARD_TOKEN")
      .option('--offline', 'check the project only, without connecting')
      .addOption(showQueriesOption()),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: DoctorOptions) => {
      const { ignore: ignored, failOn, json: isSilent } = options
      const facts = await withProgress(t`Reading the project and the database`, gather(url, options), { isSilent })
      done(doctorOutcome(facts, { ignored, failOn }))
    })
}

async function gather(url: string | undefined, options: DoctorOptions): Promise<Facts> {
  const { instances, maxSurge, cores, poolerUrl, app, offline, dotenv, showQueries } = options
  const folder = process.cwd()
  const unread: string[] = []
  const onUnread = (line: string) => unread.push(line)
  const project = readProject(folder)
  // A database that the user names is the only one to check.
  const targets = url === undefined && dotenv === undefined ? targetsOfApps(project.apps, onUnread) : []
  const sqlite = await readSqlite(url, { dotenv, folder, onUnread }, offline)
  const chosen = sqlite ? undefined : chooseTarget(url, { dotenv, folder, onUnread }, project)
  const found = chosen?.connection
  const consoleUrl = poolerUrl === undefined ? undefined : findTarget({ url: poolerUrl, folder, env: {} })?.url
  const onInvalid = (problem: string) => unread.push(t`PgBouncer's console (${problem})`)
  const look =
    found && !offline
      ? await lookAtDatabase({
          ...{ url: found.url, direct: found.direct, consoleUrl, onInvalid },
          read: { showsQueries: showQueries },
        })
      : { pooler: consoleUrl && !offline ? await requirePoolerFacts(consoleUrl) : undefined }
  return {
    target: chosen && { url: chosen.connection.url, source: chosen.source, ...(chosen.app && { app: chosen.app }) },
    otherTargets: targets.filter((each) => `${each.url}` !== `${found?.url}`),
    hasDirectUrl: found?.direct !== undefined,
    endpoint: found && guessProvider(found.url)?.endpoint,
    server: undefined,
    unreached: undefined,
    ...look,
    sqlite,
    app: app === undefined ? undefined : await readAppInsight(adminEndpoint(app, { dotenv, folder })),
    project: { ...project, unread: [...new Set([...unread, ...project.unread])] },
    scope: { instances: instances?.all, instancesOf: instances?.named, maxSurge },
    cores,
  }
}

/** The app's SQLite database, if the argument or the environment names one instead of PostgreSQL. */
async function readSqlite(
  url: string | undefined,
  { dotenv, folder, onUnread }: Pick<TargetOptions, 'dotenv' | 'folder' | 'onUnread'>,
  offline = false,
): Promise<SqliteFacts | undefined> {
  const variables =
    url === undefined ? readVariables({ dotenv, folder, env: environment, ...(onUnread && { onUnread }) }) : {}
  const found = findSqlite(url, folder, variables)
  if (!found) return undefined
  const shown = showPath(found.path, folder)
  return { ...found, shown, checks: offline ? [] : await checkSqlite(found.path) }
}

interface ChosenTarget {
  readonly connection: EnvironmentConnection
  readonly source: string
  readonly app?: string
}

/** The database of the argument, the environment or the directory; in a monorepo otherwise that of the first app with one. */
function chooseTarget(
  url: string | undefined,
  options: Pick<TargetOptions, 'dotenv' | 'folder' | 'onUnread'>,
  { apps }: ProjectFacts,
): ChosenTarget | undefined {
  const [root] = apps
  const here = findTarget({ ...options, url, env: environment, names: root ? urlVariablesOf(root) : [] })
  if (here)
    return { connection: here, source: url === undefined ? (here.sources.host ?? t`the environment`) : t`the argument` }
  for (const app of apps.slice(1)) {
    const { variables, used } = app.environment
    if (options.dotenv !== undefined || used.length === 0) continue
    const connection = findTarget({ ...options, env: environment, variables, names: urlVariablesOf(app) })
    if (connection)
      return {
        connection,
        source: t`${connection.sources.host} in ${used.map(({ file }) => file).join(', ')}`,
        app: app.folder,
      }
  }
  return undefined
}
