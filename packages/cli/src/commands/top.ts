import { describeAddress } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { adminEndpoint } from '../endpoint/admin-endpoint.ts'
import { isHttpAddress } from '../endpoint/http-address.ts'
import { openSources } from '../monitor/open-sources.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { listed, positive } from '../read-number.ts'
import { runTop } from '../top/run-top.ts'
import { requireTerminal } from '../top/terminal.ts'
import { showQueriesOption } from './show-queries-option.ts'

interface TopOptions {
  readonly interval: number
  readonly poolerUrl?: string
  readonly app?: readonly string[]
  readonly showQueries: boolean
  readonly json?: boolean
  readonly dotenv?: string
}

const EXAMPLES = `
Examples:
  $ poolguard top
  $ poolguard top postgresql://postgres@db/orders --interval 1
  $ poolguard top --pooler-url postgresql://stats@pooler:6432/pgbouncer --app http://127.0.0.1:3000 --app http://127.0.0.1:3001

It needs a terminal of at least 40 x 10. Keys: 1 to 6 switch between applications, processes, sessions, blocking, pools and waits; arrows select,
Enter shows details, / filters, s sorts, r reverses, Space freezes, c cancels a statement and t terminates a session after asking, ? helps, q quits.
It uses one connection. A role sees the sessions of other roles with pg_read_all_stats, and ends them with pg_signal_backend.`

export function defineTop(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument('[url]', 'URL of the database (default: DIRECT_URL, then DATABASE_URL)')
    .addOption(new Option('--interval <seconds>', 'time between samples').argParser(positive).default(2))
    .option('--pooler-url <url>', "URL of PgBouncer's console, as a user in stats_users (default: the same URL)")
    .option('--app <url>', "a running app's admin endpoint, with its adminToken in POOLGUARD_TOKEN; repeatable", listed)
    .addOption(showQueriesOption())
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: TopOptions) => done(await top(url, options)))
}

async function top(url: string | undefined, options: TopOptions): Promise<Outcome> {
  const { interval: intervalSeconds, showQueries: showsQueries, dotenv, poolerUrl, app = [], json } = options
  requireTerminal({ json })
  if (isHttpAddress(url))
    throw new CannotRunError(t`Pass the URL of the app as --app, and that of its database as the argument.`)
  const apps = app.map((address) => adminEndpoint(address, { dotenv, folder: process.cwd() }))
  await using sources = await openSources({
    ...{ url, dotenv, poolerUrl, applicationName: 'poolguard top', prefersDirect: true },
  })
  const { database, pooler, url: target } = sources
  await runTop({ database, pooler, apps, showsQueries }, { address: describeAddress(target), intervalSeconds })
  return { exitCode: 0, text: '', json: undefined }
}
