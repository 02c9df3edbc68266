import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Budget } from '@poolguard/core'
import {
  BudgetError,
  type ConnectionString,
  directUrlFor,
  guessProvider,
  type PlanInput,
  planBudget,
  type TopologyTraits,
  topologyTraits,
} from '@poolguard/core/postgres'
import { type Command, InvalidArgumentError } from 'commander'
import { environment } from '../environment/own-environment.ts'
import { GENERATED_POOLER, POSTGRES_ITSELF } from '../generate/app-environment.ts'
import { generateCompose } from '../generate/compose.ts'
import { generateComposeOverride } from '../generate/compose-override.ts'
import { generateEnv } from '../generate/env.ts'
import { readExistingCompose } from '../generate/existing-compose.ts'
import { generateOutcome } from '../generate/generate-outcome.ts'
import type { Generated } from '../generate/generated-file.ts'
import { generateGrafana } from '../generate/grafana.ts'
import { generateKubernetes } from '../generate/kubernetes/kubernetes.ts'
import { generatePgBouncer } from '../generate/pgbouncer.ts'
import { poolerPlace } from '../generate/pgbouncer-ini.ts'
import { type Place, placeOf } from '../generate/place.ts'
import { planPooler } from '../generate/pooler-plan.ts'
import { generatePostgres } from '../generate/postgres.ts'
import { generatePrometheus } from '../generate/prometheus.ts'
import { generateRds } from '../generate/rds.ts'
import { writeFiles } from '../generate/write-files.ts'
import type { Outcome } from '../outcome.ts'
import { inEnglish, t } from '../output/translate.ts'
import { type PlanOptions, withPlanOptions } from '../plan/plan-options.ts'
import { planRefusal } from '../plan/plan-outcome.ts'
import { type TakenPlan, takePlan } from '../plan/take-plan.ts'
import { readProject } from '../project/read-project.ts'
import { listed, readDuration, readMegabytes } from '../read-number.ts'
import { MIN_MEGABYTES } from '../recommend/memory-settings.ts'
import { majorOf, type PostgresVersion, readVersion } from '../recommend/postgres-version.ts'
import type { RecommendedSetting } from '../recommend/recommended-setting.ts'
import { serverSettings } from '../recommend/server-settings.ts'
import { findTarget } from '../target.ts'

interface WriteOptions {
  readonly out: string
  readonly force?: boolean
  readonly print?: boolean
}

interface ServerOptions {
  readonly postgresVersion?: PostgresVersion
  readonly memory?: number
  readonly statementTimeout?: string
}

interface PlannedOptions extends PlanOptions, WriteOptions, ServerOptions {
  readonly monitoring?: boolean
  readonly pooler?: boolean
  readonly name?: string
  readonly image?: string
  readonly sidecar?: boolean
}

/** The input of a generator. */
interface Planned extends TakenPlan {
  readonly url: ConnectionString | undefined
  readonly direct: ConnectionString | undefined
  readonly options: PlannedOptions
}

type Done = (outcome: Outcome) => void

const EXAMPLES = `
Examples:
  $ poolguard generate compose --max-connections 100 --instances 4 --memory 8GB --monitoring
  $ poolguard generate kubernetes postgresql://app@db/orders --instances 6 --max-surge 25% --name orders
  $ poolguard generate pgbouncer postgresql://app@db/orders --instances 6 --max-surge 25%
  $ poolguard generate postgres --max-connections 200 --instances 8 --postgres-version 16 --print
  $ poolguard generate prometheus --target orders-1:3000 --target orders-2:3000

The sizes come from the same plan as \`poolguard plan\` prints. Existing files are kept unless you pass --force. The files
contain no passwords.`

export function defineGenerate(command: Command, done: Done): void {
  const generate = command.addHelpText('after', EXAMPLES)
  const planned = (name: string, description: string, make: (planned: Planned) => Generated) =>
    withWriteOptions(withPlanOptions(generate.command(name)))
      .description(description)
      .action(async (url: string | undefined, options: PlannedOptions) => done(await fromPlan(url, options, make)))

  withServerOptions(
    planned('compose', 'compose.yaml with PostgreSQL, PgBouncer and the app, and the files it mounts.', compose),
  ).option('--monitoring', 'add Prometheus and Grafana')
  planned(
    'pgbouncer',
    'pgbouncer.ini for an existing PostgreSQL, and the SQL that lets PgBouncer look up passwords.',
    pgBouncer,
  )
  withServerOptions(
    planned('postgres', 'An include file for postgresql.conf: connections, timeouts and memory.', postgres),
  )
  withServerOptions(planned('rds', 'A parameter group for Amazon RDS and Aurora, with the commands that use it.', rds))
  planned('kubernetes', 'Manifests of the app and of PgBouncer, for an existing PostgreSQL.', kubernetes)
    .option('--name <name>', 'name of the app and of its objects', readName, 'app')
    .option('--image <image>', "the app's image (default: the name)")
    .option('--sidecar', 'a PgBouncer in each pod of the app instead of one for all pods')
    .option('--monitoring', "add PodMonitors, and PgBouncer's exporter")
  planned('env', ".env.example with the app's variables, for its ORM and driver.", env).option(
    '--no-pooler',
    'the app connects directly to PostgreSQL',
  )
  withWriteOptions(generate.command('prometheus'))
    .description('Prometheus configuration, and alerts for pools, PgBouncer and PostgreSQL.')
    .option('--target <host:port>', 'an instance of the app; repeat for each (default: app:3000)', listed)
    .option('--pgbouncer-exporter <host:port>', "add a job for PgBouncer's exporter, such as pgbouncer-exporter:9127")
    .action((options: WriteOptions & { target?: readonly string[]; pgbouncerExporter?: string }) => {
      const { target: targets = ['app:3000'], pgbouncerExporter: pgBouncerExporter } = options
      done(finish(generatePrometheus({ targets, pgBouncerExporter }), options, []))
    })
  withWriteOptions(generate.command('grafana'))
    .description('The Grafana dashboard and its provisioning files.')
    .action((options: WriteOptions) => done(finish(generateGrafana(), options, [])))
}

function withWriteOptions(command: Command): Command {
  return command
    .option('--out <folder>', 'directory to write to', '.')
    .option('--force', 'replace existing files')
    .option('--print', 'print the files instead of writing them')
}

function withServerOptions(command: Command): Command {
  return command
    .option('--postgres-version <major>', "PostgreSQL's major version (default: the server's, or 18)", readVersion)
    .option('--memory <size>', "memory of PostgreSQL's dedicated server, such as 8GB", readMegabytes(MIN_MEGABYTES))
    .option('--statement-timeout <duration>', 'cancel statements that take longer, such as 30s', readDuration)
}

async function fromPlan(
  url: string | undefined,
  options: PlannedOptions,
  make: (planned: Planned) => Generated,
): Promise<Outcome> {
  const taken = await takePlan(url, options)
  const target = findTarget({ url, dotenv: options.dotenv, folder: process.cwd(), env: environment })
  const { title, notes } = taken.source
  try {
    const generated = make({ ...taken, url: target?.url, direct: target?.direct, options })
    return finish(generated, options, [title, ...notes.map((note) => t`Note: ${note}`)])
  } catch (error) {
    if (error instanceof BudgetError) return planRefusal(taken.source, error)
    throw error
  }
}

function finish(
  generated: Generated,
  { out, force = false, print = false }: WriteOptions,
  about: readonly string[],
): Outcome {
  if (!print) writeFiles(out, generated.files, force)
  return generateOutcome({ generated, folder: print ? undefined : out, about })
}

function compose({ source, input, url, options }: Planned): Generated {
  const plan = planPooler(input)
  const version = options.postgresVersion ?? majorOf(source.version)
  const about = {
    plan,
    input,
    version,
    settings: settingsFor(input, plan.budget.headroom, version, options),
    names: placeOf(url?.with({ hosts: [] })),
    wiring: readProject(process.cwd()),
    builds: existsSync(join(process.cwd(), 'Dockerfile')),
    monitoring: options.monitoring === true,
  }
  const existing = readExistingCompose(options.out)
  return existing ? generateComposeOverride(about, existing) : generateCompose(about)
}

function pgBouncer(planned: Planned): Generated {
  return generatePgBouncer(planPooler(planned.input), placeOfServer(planned))
}

function postgres({ source, input, options }: Planned): Generated {
  const version = options.postgresVersion ?? majorOf(source.version)
  const { budget, pooled } = budgetOf(input)
  return generatePostgres(version, settingsFor(input, budget.headroom, version, options), budget, pooled)
}

function rds({ source, input, options }: Planned): Generated {
  const version = options.postgresVersion ?? majorOf(source.version)
  const { budget } = budgetOf(input)
  return generateRds(version, settingsFor(input, budget.headroom, version, options), budget)
}

function kubernetes(planned: Planned): Generated {
  const { input, options } = planned
  const { name = 'app', image = name, sidecar = false, monitoring = false } = options
  return generateKubernetes({
    ...{ name, image, sidecar, monitoring, input },
    plan: planPooler(input),
    place: placeOfServer(planned),
    wiring: readProject(process.cwd()),
  })
}

/** Kubernetes' names are DNS labels: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/ */
function readName(text: string): string {
  if (/^[a-z]([-a-z0-9]{0,50}[a-z0-9])?$/.test(text)) return text
  throw new InvalidArgumentError(
    t`It must begin with a letter, and have lower-case letters, digits and - only, at most 52.`,
  )
}

function env(planned: Planned): Generated {
  const { input, url, options } = planned
  const wiring = readProject(process.cwd())
  const place = placeOfServer(planned)
  if (options.pooler === false) {
    const budget = planBudget({ ...input, pooler: undefined })
    return generateEnv({ place, pooler: undefined, traits: POSTGRES_ITSELF, wiring }, budget)
  }
  const found = poolerTraits(planned)
  return found
    ? generateEnv({ place, pooler: placeOf(url), traits: found, wiring }, planBudget(input))
    : generateEnv({ place, pooler: poolerPlace(place), traits: GENERATED_POOLER, wiring }, planPooler(input).budget)
}

/** Traits of the pooler behind the URL: measured, or assumed from the provider's host name. */
function poolerTraits({ source, url }: Planned): TopologyTraits | undefined {
  if (source.topology) return source.topology.kind === 'pooler' ? topologyTraits(source.topology) : undefined
  const endpoint = url && guessProvider(url)?.endpoint
  if (endpoint === undefined || endpoint === 'direct') return undefined
  return { sharesServers: endpoint !== 'session-pooler', preparedStatements: 'unknown', refusesStartupParameters: true }
}

/** The budget without a pooler; if that does not fit, the budget behind a generated PgBouncer. */
function budgetOf(input: PlanInput): { budget: Budget; pooled: boolean } {
  try {
    return { budget: planBudget(input), pooled: false }
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error
    return { budget: planPooler(input).budget, pooled: true }
  }
}

function settingsFor(
  { capacity }: PlanInput,
  headroom: number,
  version: PostgresVersion,
  { memory, statementTimeout }: ServerOptions,
): readonly RecommendedSetting[] {
  const { maxConnections, reserved } = capacity
  const input = { version, maxConnections, reserved, headroom, memoryMegabytes: memory, statementTimeout }
  // The reasons become comments of generated files.
  return inEnglish(() => serverSettings(input))
}

/** The address of PostgreSQL itself. If only the pooler's address is known, a placeholder to replace. */
function placeOfServer(planned: Planned): Place {
  const { url, direct } = planned
  const bypass = direct ?? (url && poolerTraits(planned) ? directUrlFor(url)?.url : url)
  return bypass ? placeOf(bypass) : placeOf(url?.with({ hosts: [] }))
}
