import type { Surge } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { listed, readMaxConnections, readSurge, wholeFrom } from '../read-number.ts'

/** What a plan takes, wherever one is made. */
export interface PlanOptions {
  readonly instances?: number
  readonly maxSurge?: Surge
  readonly processes?: number
  readonly pools?: number
  readonly migrations?: number
  readonly headroom?: number
  readonly others?: number
  readonly app?: readonly string[]
  readonly maxConnections?: number
  readonly reserved: number
  readonly poolerUrl?: string
  readonly dotenv?: string
  readonly json?: boolean
}

export function withPlanOptions(command: Command): Command {
  return command
    .argument('[url]', 'connection string of the database, or of the pooler in front of it')
    .option('--instances <number>', 'instances of the app', wholeFrom(1))
    .option('--max-surge <number|share>', 'how many more a rolling deploy runs: 1, or 25%', readSurge)
    .option('--processes <number>', 'processes in each instance (default: 1)', wholeFrom(1))
    .option('--pools <number>', 'pools in each process (default: 1)', wholeFrom(1))
    .option('--migrations <number>', 'connections for migrations that run beside the app (default: 0)', wholeFrom(0))
    .option('--headroom <number>', 'connections left free (default: 3, or 10 %, whichever is more)', wholeFrom(0))
    .option('--others <number>', 'connections of other applications (default: those that are seen now)', wholeFrom(0))
    .option(
      '--app <name>',
      "application_name of this app's sessions; once for each (default: all of its role in its database)",
      listed,
    )
    .option('--max-connections <number>', 'plan without a server: its max_connections', readMaxConnections)
    .addOption(
      new Option('--reserved <number>', 'slots that are reserved, without a server').argParser(wholeFrom(0)).default(3),
    )
    .option('--pooler-url <url>', "PgBouncer's, as a user in stats_users (default: the same URL)")
}
