import { describeAddress } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { adminEndpoint } from '../endpoint/admin-endpoint.ts'
import { isHttpAddress } from '../endpoint/http-address.ts'
import { environment } from '../environment/own-environment.ts'
import { openSources, type Sources } from '../monitor/open-sources.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { listed, portNumber, positive } from '../read-number.ts'
import { findTarget } from '../target.ts'
import { runUi } from '../ui/run-ui.ts'
import { WatchedApp } from '../ui/watched-app.ts'
import { WatchedDatabase } from '../ui/watched-database.ts'
import { showQueriesOption } from './show-queries-option.ts'

interface UiOptions {
  readonly port: number
  readonly interval: number
  readonly poolerUrl?: string
  readonly app?: readonly string[]
  readonly showQueries: boolean
  readonly actions?: boolean
  readonly json?: boolean
  readonly dotenv?: string
}

const EXAMPLES = `
Examples:
  $ poolguard ui
  $ poolguard ui postgresql://postgres@db/orders --pooler-url postgresql://stats@pooler:6432/pgbouncer
  $ poolguard ui http://127.0.0.1:3000 --app http://127.0.0.1:3001     # with the apps' adminToken in POOLGUARD_TOKEN
  $ ssh -L 4983:127.0.0.1:4983 server npx poolguard ui --port 4983     # for the browser of another machine

It prints the address of the page and serves it until Ctrl-C, to this machine only. The address contains a token: show it to no one.
It uses one connection to the database. A role sees the state of other roles' sessions with pg_read_all_stats.`

export function defineUi(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument(
      '[url]',
      'URL of the database (default: DIRECT_URL, then DATABASE_URL), or of an app: http://127.0.0.1:3000',
    )
    .option('--app <url>', "a running app's admin endpoint, with its adminToken in POOLGUARD_TOKEN; repeatable", listed)
    .option('--pooler-url <url>', "URL of PgBouncer's console, as a user in stats_users (default: the same URL)")
    .addOption(
      new Option('--port <number>', 'port of the page on 127.0.0.1').argParser(portNumber).default(0, 'any free one'),
    )
    .addOption(new Option('--interval <seconds>', 'time between samples').argParser(positive).default(2))
    .addOption(showQueriesOption())
    .option('--actions', 'let the page terminate sessions, each after a confirmation; every action is printed')
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: UiOptions) => done(await ui(url, options)))
}

async function ui(url: string | undefined, options: UiOptions): Promise<Outcome> {
  const { port, interval: intervalSeconds, showQueries: showsQueries, dotenv, json } = options
  const hasActions = options.actions === true
  const addresses = [...(isHttpAddress(url) ? [url] : []), ...(options.app ?? [])]
  const endpoints = addresses.map((address) => adminEndpoint(address, { dotenv, folder: process.cwd() }))
  await using sources = await openDatabase(url, options, endpoints.length > 0)
  const database = sources && new WatchedDatabase(describeAddress(sources.url), sources, { showsQueries, hasActions })
  const apps = endpoints.map((endpoint) => new WatchedApp(endpoint))
  // Not by the common way of output, which would hide the token.
  const onListening = (address: string) => {
    const readable = t`Open ${address} in a browser of this machine. Ctrl-C ends it.`
    process.stdout.write(`${json ? JSON.stringify({ address }) : readable}\n`)
  }
  await runUi({ database, apps, port, hasActions, intervalSeconds, onListening })
  return { exitCode: 0, text: '', json: undefined }
}

/**
 * The database and its pooler; undefined if only apps are watched.
 *
 * @throws {CannotRunError} if there is nothing to watch.
 */
async function openDatabase(
  url: string | undefined,
  { dotenv, poolerUrl }: UiOptions,
  hasApps: boolean,
): Promise<Sources | undefined> {
  if (isHttpAddress(url)) {
    if (poolerUrl === undefined) return undefined
    throw new CannotRunError(t`Pass the URL of the app as --app, and that of its database as the argument.`)
  }
  const isNamed = url !== undefined || poolerUrl !== undefined
  if (!isNamed && hasApps && !findTarget({ url, dotenv, folder: process.cwd(), env: environment })) return undefined
  return openSources({ url, dotenv, poolerUrl, applicationName: 'poolguard ui', prefersDirect: true })
}
