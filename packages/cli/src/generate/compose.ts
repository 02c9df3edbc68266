import { type PlanInput, surgeInstances } from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'
import type { PostgresVersion } from '../recommend/postgres-version.ts'
import type { RecommendedSetting } from '../recommend/recommended-setting.ts'
import { APP_PORT, appEnvironment, GENERATED_POOLER, type Wiring } from './app-environment.ts'
import { MOUNTED, ownUsers, rolesScript, startScript, USERLIST } from './compose-scripts.ts'
import { composeYaml } from './compose-yaml.ts'
import type { Generated, GeneratedFile } from './generated-file.ts'
import { DASHBOARDS_FOLDER, grafanaFiles } from './grafana.ts'
import { IMAGES } from './images.ts'
import { AUTH_SQL } from './pgbouncer-auth.ts'
import { POOLER_HOST, POOLER_PORT, pgBouncerIni, poolerPlace, STATS_USER } from './pgbouncer-ini.ts'
import type { Place } from './place.ts'
import type { PoolerPlan } from './pooler-plan.ts'
import { serverFlags } from './postgres.ts'
import { prometheusFiles } from './prometheus.ts'

export interface ComposeInput {
  readonly plan: PoolerPlan
  readonly input: PlanInput
  readonly settings: readonly RecommendedSetting[]
  readonly version: PostgresVersion
  readonly names: Pick<Place, 'database' | 'role'>
  readonly wiring: Wiring
  /** The project has a Dockerfile for the app. */
  readonly builds: boolean
  readonly monitoring: boolean
}

/** Since 18, the image keeps its data one directory higher: https://hub.docker.com/_/postgres#pgdata */
const VOLUME_MOVED = 18
/** Spare files for PgBouncer's log, sockets and lookups, and for a larger plan. */
const FILES_SPARE = 1_000

/** PostgreSQL, PgBouncer and the app as containers, with the files that they mount. */
export function generateCompose(input: ComposeInput): Generated {
  const { database, role } = input.names
  const place: Place = { host: 'postgres', port: 5432, database, role, parameters: [] }
  const secrets = secretsOf(input.monitoring)
  const services = {
    postgres: postgres(input, place),
    [POOLER_HOST]: pgbouncerService(input.plan, {
      secrets: ['pgbouncer_password', 'pgbouncer_stats_password'],
      dependsOn: { postgres: { condition: 'service_healthy' } },
    }),
    app: app(input, place),
    ...(input.monitoring && monitoringServices()),
  }
  const volumes = Object.fromEntries(
    ['postgres-data', ...(input.monitoring ? ['prometheus-data'] : [])].map((name) => [name, {}]),
  )
  const declared = Object.fromEntries(secrets.map(({ name, variable }) => [name, { environment: variable }]))
  return {
    budget: input.plan.budget,
    files: [
      { path: 'compose.yaml', content: composeYaml({ services, volumes, secrets: declared }, input.plan.budget.steps) },
      { path: '.env.example', content: secretsFile(secrets, input.builds), isEnvironment: true },
      {
        path: 'pgbouncer/pgbouncer.ini',
        content: pgBouncerIni({ plan: input.plan, place, authFile: USERLIST }),
      },
      { path: 'pgbouncer/start.sh', content: startScript(ownUsers(), 'set it in .env') },
      { path: 'postgres/auth.sql', content: AUTH_SQL },
      { path: 'postgres/init/10-roles.sh', content: rolesScript(place) },
      ...(input.monitoring ? monitoringFiles() : []),
    ],
    next: nextSteps(place),
  }
}

function postgres({ version, settings }: ComposeInput, { database }: Place): object {
  const data = version >= VOLUME_MOVED ? '/var/lib/postgresql' : '/var/lib/postgresql/data'
  return {
    image: `postgres:${version}`,
    command: ['postgres', ...serverFlags(settings)],
    environment: { POSTGRES_DB: database, POSTGRES_PASSWORD_FILE: '/run/secrets/postgres_password' },
    secrets: ['postgres_password', 'app_password', 'pgbouncer_password'],
    volumes: [
      `postgres-data:${data}`,
      './postgres/init:/docker-entrypoint-initdb.d:ro',
      `./postgres/auth.sql:${MOUNTED}/auth.sql:ro`,
    ],
    shm_size: '256mb',
    ports: [publishPort('POSTGRES_PORT', 5432, 5432)],
    // Check over TCP: during initialization, the image's server listens on a Unix socket only.
    healthcheck: healthcheck(['CMD', 'pg_isready', '-h', '127.0.0.1', '-U', 'postgres', '-d', database]),
    restart: 'unless-stopped',
  }
}

/** PgBouncer's service. */
export function pgbouncerService(
  { maxClients, maxDbConnections }: PoolerPlan,
  { secrets, dependsOn }: { readonly secrets: readonly string[]; readonly dependsOn: object },
): object {
  const files = maxClients + maxDbConnections + FILES_SPARE
  return {
    image: IMAGES.pgbouncer,
    entrypoint: ['sh', `${MOUNTED}/start.sh`],
    secrets,
    volumes: [`./pgbouncer:${MOUNTED}:ro`],
    tmpfs: ['/tmp'],
    ulimits: { nofile: { soft: files, hard: files } },
    ports: [publishPort('PGBOUNCER_PORT', POOLER_PORT, POOLER_PORT)],
    healthcheck: healthcheck([
      'CMD',
      'pg_isready',
      '-h',
      '127.0.0.1',
      '-p',
      String(POOLER_PORT),
      '-U',
      STATS_USER,
      '-d',
      'pgbouncer',
    ]),
    depends_on: dependsOn,
    restart: 'unless-stopped',
  }
}

function app({ plan, input, wiring, builds }: ComposeInput, place: Place): object {
  const placeholder = 'APP_PASSWORD'
  const variables = appEnvironment({
    place,
    pooler: poolerPlace(place),
    traits: GENERATED_POOLER,
    password: placeholder,
    maxPerPool: plan.budget.maxPerPool,
    wiring,
  })
  const fill = (value: string) => value.replace(`:${placeholder}@`, `:${requireVariable('APP_PASSWORD')}@`)
  const surge = surgeInstances(input.instances, input.maxSurge)
  return {
    ...(builds ? { build: '.' } : { image: requireVariable('APP_IMAGE') }),
    environment: Object.fromEntries(variables.map(({ name, value }) => [name, fill(value)])),
    deploy: {
      replicas: input.instances,
      ...(surge > 0 && { update_config: { order: 'start-first', parallelism: surge } }),
    },
    depends_on: { pgbouncer: { condition: 'service_healthy' } },
    restart: 'unless-stopped',
  }
}

export function monitoringServices(): Readonly<Record<string, object>> {
  const statsUrl = `postgres://${STATS_USER}:${requireVariable('PGBOUNCER_STATS_PASSWORD')}@${POOLER_HOST}:${POOLER_PORT}/pgbouncer?sslmode=disable`
  return {
    'pgbouncer-exporter': {
      image: IMAGES.exporter,
      environment: { PGBOUNCER_EXPORTER_CONNECTION_STRING: statsUrl },
      depends_on: { pgbouncer: { condition: 'service_healthy' } },
      restart: 'unless-stopped',
    },
    prometheus: {
      image: IMAGES.prometheus,
      volumes: ['./prometheus:/etc/prometheus:ro', 'prometheus-data:/prometheus'],
      ports: [publishPort('PROMETHEUS_PORT', 9090, 9090)],
      restart: 'unless-stopped',
    },
    grafana: {
      image: IMAGES.grafana,
      environment: { GF_SECURITY_ADMIN_PASSWORD__FILE: '/run/secrets/grafana_password' },
      secrets: ['grafana_password'],
      volumes: ['./grafana/provisioning:/etc/grafana/provisioning:ro', `./grafana/dashboards:${DASHBOARDS_FOLDER}:ro`],
      ports: [publishPort('GRAFANA_PORT', 3001, 3000)],
      depends_on: ['prometheus'],
      restart: 'unless-stopped',
    },
  }
}

export function monitoringFiles(app = 'app'): readonly GeneratedFile[] {
  const discovered = { host: app, port: APP_PORT }
  return [
    ...prometheusFiles({ targets: [], discovered, pgBouncerExporter: 'pgbouncer-exporter:9127' }),
    ...grafanaFiles(),
  ]
}

/** A secret that Compose reads from a variable. */
export function secret(name: string, of: string): Secret {
  return { name, variable: name.toUpperCase(), of }
}

export interface Secret {
  readonly name: string
  readonly variable: string
  readonly of: string
}

function secretsOf(monitoring: boolean): readonly Secret[] {
  return [
    secret('postgres_password', 'PostgreSQL, as its superuser postgres'),
    secret('app_password', 'PostgreSQL, as the role of the app'),
    secret('pgbouncer_password', "PgBouncer's own role, which looks up passwords"),
    secret('pgbouncer_stats_password', "PgBouncer's console, as the user with SHOW access"),
    ...(monitoring ? [secret('grafana_password', 'Grafana, as admin')] : []),
  ]
}

export function secretsFile(secrets: readonly Secret[], builds: boolean): string {
  return [
    '# Generated by `poolguard generate compose`. Copy this file to .env, keep .env out of version control, and set each value.',
    '# Use letters and digits only, because some values become part of URLs: openssl rand -hex 24',
    '',
    ...secrets.flatMap(({ variable, of }) => [`# ${of}`, `${variable}=`, '']),
    ...(builds ? [] : ["# The app's image", 'APP_IMAGE=', '']),
  ].join('\n')
}

/** Publishes a port on this machine only. */
function publishPort(variable: string, outside: number, inside: number): string {
  return `127.0.0.1:\${${variable}:-${outside}}:${inside}`
}

/** Compose stops with this message if the variable is missing or empty. */
function requireVariable(variable: string): string {
  return `\${${variable}:?set ${variable} in .env}`
}

function healthcheck(test: readonly string[]): object {
  return { test, interval: '5s', timeout: '3s', retries: 12, start_period: '30s' }
}

function nextSteps({ role, database }: Place): readonly string[] {
  return [
    'cp .env.example .env              # then set each value: openssl rand -hex 24',
    'docker compose up -d --wait       # PostgreSQL, PgBouncer, then the app',
    `(. ./.env; PGPASSWORD=$APP_PASSWORD npx poolguard verify postgresql://${role}@127.0.0.1:${POOLER_PORT}/${database} --expect transaction --prepared)`,
    t`Migrations: docker compose run --rm app <your command>, with DIRECT_URL, which bypasses PgBouncer.`,
  ]
}
