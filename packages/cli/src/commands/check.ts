import { realpathSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { PoolguardError } from '@poolguard/core'
import { guessProvider, type Surge } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { assess, relativeDirectory } from '../check/assess.ts'
import type { CheckFormat, CheckReport } from '../check/check-report.ts'
import { checkGithub } from '../check/formats/github.ts'
import { checkJson } from '../check/formats/json.ts'
import { checkSarif } from '../check/formats/sarif.ts'
import { checkText } from '../check/formats/text.ts'
import { readServerFacts } from '../database/read-server-facts.ts'
import type { Facts } from '../doctor/facts.ts'
import { environment } from '../environment/own-environment.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { isHarmlessPath } from '../output/is-harmless-path.ts'
import { printableJson } from '../output/printable.ts'
import { withProgress } from '../output/progress.ts'
import { t } from '../output/translate.ts'
import { targetsOfApps } from '../project/apps/app-targets.ts'
import { readProject } from '../project/read-project.ts'
import { readMaxConnections, readSurge, wholeFrom } from '../read-number.ts'
import type { SumScope } from '../sum/sum-scope.ts'
import { findTarget } from '../target.ts'
import { type InstancesOption, instancesOption } from './instances-option.ts'
import { type RuleOptions, withRuleOptions } from './rule-options.ts'

interface CheckOptions extends RuleOptions {
  readonly maxConnections?: number
  readonly url?: string
  readonly instances?: InstancesOption
  readonly maxSurge?: Surge
  readonly previews?: number
  readonly format: CheckFormat
  readonly json?: boolean
  readonly dotenv?: string
}

const EXAMPLES = `
Examples:
  $ poolguard check --max-connections 100
  $ poolguard check deploy --url postgresql://app@db/orders
  $ poolguard check --max-connections 100 --instances worker=4 --previews 5
  $ poolguard check --max-connections 100 --format github
  $ poolguard check --format sarif > poolguard.sarif

It reads deployment files and sources and runs none of them. Every pool of every workload counts at its largest: with
the autoscaler's maximum, the surge of a deploy, build workers and previews. Without --max-connections and --url, the limit is
that of the PostgreSQL in the deployment files.`

export function defineCheck(command: Command, done: (outcome: Outcome) => void): void {
  withRuleOptions(
    command
      .argument('[directory]', 'directory of the project (default: the current one)')
      .option('--max-connections <number>', 'max_connections of the server', readMaxConnections)
      .option('--url <url>', 'read the limits from this server')
      .addOption(instancesOption())
      .option(
        '--max-surge <number|share>',
        'with --instances <number>: extra instances during a deploy: 1, or 25%',
        readSurge,
      )
      .option('--previews <number>', 'preview deployments at the same time (default: 1)', wholeFrom(0))
      .addOption(
        new Option(
          '--format <format>',
          'output: for people, for programs, for code scanning, or annotations of GitHub Actions',
        )
          .choices(['text', 'json', 'sarif', 'github'])
          .default('text'),
      ),
  )
    .addHelpText('after', EXAMPLES)
    .action(async (directory: string | undefined, options: CheckOptions) => {
      const { failOn, ignore: ignoredRules = [], json, format } = options
      const folder = resolve(directory ?? '.')
      if (!isDirectory(folder)) {
        throw new CannotRunError(
          directory !== undefined && isHarmlessPath(directory)
            ? t`There is no directory ${directory}.`
            : t`There is no such directory.`,
        )
      }
      const isSilent = json || format !== 'text'
      const facts = await withProgress(t`Reading the project`, gather(folder, options), { isSilent })
      // The working directory may be a link, as the directory may, and then their names have nothing in common.
      const relative = relativeDirectory(realpathSync(folder), realpathSync(process.cwd()))
      done(outcomeOf(assess(facts, { directory: relative, ignoredRules, failOn }), json ? 'json' : format))
    })
}

/** A path that cannot exist is no directory either; the system's error would quote it. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

async function gather(folder: string, options: CheckOptions): Promise<Facts> {
  const { url, maxConnections, cores, dotenv, instances, maxSurge, previews } = options
  const unread: string[] = []
  const found = findUrl(folder, dotenv, (line) => unread.push(line))
  const server = url === undefined ? undefined : await readLimits(url, folder)
  const project = readProject(folder)
  const others = targetsOfApps(project.apps, (line) => unread.push(line))
  const scope: SumScope = {
    ...{ instances: instances?.all, instancesOf: instances?.named, maxSurge, previews },
    isOtherServer: maxConnections !== undefined || server !== undefined,
  }
  return {
    target: found && { url: found.url, source: found.sources.host ?? t`the environment` },
    otherTargets: others.filter((each) => `${each.url}` !== `${found?.url}`),
    hasDirectUrl: found?.direct !== undefined,
    endpoint: found && guessProvider(found.url)?.endpoint,
    ...{ server: undefined, unreached: undefined, pooler: undefined },
    project: { ...project, unread: [...new Set([...unread, ...project.unread])] },
    ...{ scope, maxConnections, cores, capacity: server, judgesAssumptions: true },
  }
}

/** The app's address; in CI it is often missing, or a placeholder that is not valid. */
function findUrl(
  folder: string,
  dotenv: string | undefined,
  onUnread: (line: string) => void,
): ReturnType<typeof findTarget> {
  try {
    return findTarget({ dotenv, folder, env: environment, onUnread })
  } catch (error) {
    if (!(error instanceof PoolguardError)) throw error
    onUnread(t`the URL of the environment (it is not valid)`)
    return undefined
  }
}

/** The server's own connections are no part of the sum, which counts every workload at its largest. */
async function readLimits(url: string, folder: string): Promise<Facts['capacity']> {
  const target = findTarget({ url, folder, env: {} })
  const look = target && (await readServerFacts(target.url))
  if (!look || 'failure' in look) {
    throw new CannotRunError(t`Cannot read the limits of the server: ${look?.message ?? ''}. Pass --max-connections.`)
  }
  return look.capacity
}

function outcomeOf(report: CheckReport, format: CheckFormat): Outcome {
  const json = checkJson(report)
  const { exitCode } = report
  switch (format) {
    case 'json':
      return { exitCode, json, text: printableJson(json, { indent: 2 }) }
    case 'sarif':
      return { exitCode, json, text: printableJson(checkSarif(report), { indent: 2 }) }
    case 'github':
      return { exitCode, json, text: checkGithub(report) }
    case 'text':
      return { exitCode, json, text: checkText(report) }
  }
}
