import type { Surge } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { listed, readMaxConnections, readSurge, wholeFrom } from '../read-number.ts'

/** The options of every command that makes a plan. */
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
    .argument('[url]', 'URL of the database, or of the pooler in front of it')
    .option('--instances <number>', 'instances of the app', wholeFrom(1))
    .option('--max-surge <number|share>', 'extra instances during a rolling deploy: 1, or 25%', readSurge)
    .option('--processes <number>', 'processes per instance (default: 1)', wholeFrom(1))
    .option('--pools <number>', 'pools per process (default: 1)', wholeFrom(1))
    .option('--migrations <number>', 'connections for migrations that run alongside the app (default: 0)', wholeFrom(0))
    .option('--headroom <number>', 'connections to keep free (default: 3 or 10 %, whichever is larger)', wholeFrom(0))
    .option('--others <number>', 'connections of other applications (default: those open now)', wholeFrom(0))
    .option(
      '--app <name>',
      'application_name of this app; repeat for each (default: all sessions of its role in its database)',
      listed,
    )
    .option('--max-connections <number>', 'plan without a server, for this max_connections', readMaxConnections)
    .addOption(
      new Option('--reserved <number>', 'reserved slots, when planning without a server')
        .argParser(wholeFrom(0))
        .default(3),
    )
    .option('--pooler-url <url>', "URL of PgBouncer's console, as a user in stats_users (default: the same URL)")
}
