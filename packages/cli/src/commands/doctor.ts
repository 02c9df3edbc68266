import { guessProvider, type Surge } from '@poolguard/core/postgres'
import type { Command } from 'commander'
import { lookAtPooler } from '../database/look-at-pooler.ts'
import { lookAtServer } from '../database/look-at-server.ts'
import { doctorOutcome } from '../doctor/doctor-outcome.ts'
import type { Facts } from '../doctor/facts.ts'
import { environment } from '../environment/own-environment.ts'
import type { Outcome } from '../outcome.ts'
import type { ProjectFacts } from '../project/project-facts.ts'
import { readProject } from '../project/read-project.ts'
import { readSurge, wholeFrom } from '../read-number.ts'
import { findTarget } from '../target.ts'

interface DoctorOptions {
  readonly instances?: number
  readonly maxSurge?: Surge
  readonly poolerUrl?: string
  readonly offline?: boolean
  readonly dotenv?: string
}

const EXAMPLES = `
Examples:
  $ poolguard doctor
  $ poolguard doctor postgresql://app@db/orders --instances 6 --max-surge 25%
  $ poolguard doctor --offline --json

It reads the project in this folder (package.json, .env, Prisma's files, the sources, compose files, pgbouncer.ini) and,
with two connections for a moment, the database. It changes nothing.`

export function addDoctor(program: Command, done: (outcome: Outcome) => void): void {
  program
    .command('doctor')
    .description('What is wrong between this project and its database, why it matters, and what to change.')
    .argument('[url]', 'connection string of the database, or of the pooler in front of it')
    .option('--instances <number>', 'instances of the app (default: the replicas of the compose file)', wholeFrom(1))
    .option('--max-surge <number|share>', 'how many more a rolling deploy runs: 1, or 25%', readSurge)
    .option('--pooler-url <url>', "PgBouncer's, as a user in stats_users (default: the same URL)")
    .option('--offline', 'look at the project only')
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: DoctorOptions) => done(doctorOutcome(await gather(url, options))))
}

async function gather(url: string | undefined, options: DoctorOptions): Promise<Facts> {
  const { instances, maxSurge, poolerUrl, offline, dotenv } = options
  const folder = process.cwd()
  const unread: string[] = []
  const found = findTarget({ url, dotenv, folder, env: environment, onUnread: (line) => unread.push(line) })
  const look = found && !offline ? await lookAtServer(found.url) : undefined
  const reached = look && !('failure' in look) ? look : undefined
  const pooled = reached?.topology.kind === 'pooler'
  const consoleUrl = poolerUrl === undefined ? found?.url : findTarget({ url: poolerUrl, folder, env: {} })?.url
  const asksConsole = consoleUrl && !offline && (pooled || poolerUrl !== undefined)
  const onInvalid = (problem: string) => unread.push(`PgBouncer's console (${problem})`)
  const pooler = asksConsole ? await lookAtPooler(consoleUrl, onInvalid) : undefined
  return {
    target: found && {
      url: found.url,
      source: url === undefined ? (found.sources.host ?? 'the environment') : 'the argument',
    },
    hasDirectUrl: found?.direct !== undefined,
    endpoint: found && guessProvider(found.url)?.endpoint,
    server: reached,
    unreached: look && 'failure' in look ? look : undefined,
    pooler,
    project: withUnread(readProject(folder), unread),
    instances,
    maxSurge,
  }
}

function withUnread(project: ProjectFacts, unread: readonly string[]): ProjectFacts {
  return { ...project, unread: [...unread, ...project.unread] }
}
