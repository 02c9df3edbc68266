import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import {
  type ComposeInput,
  monitoringFiles,
  monitoringServices,
  pgbouncerService,
  type Secret,
  secret,
  secretsFile,
} from './compose.ts'
import { secretFile, startScript, USERLIST } from './compose-scripts.ts'
import { composeYaml } from './compose-yaml.ts'
import type { ExistingCompose } from './existing-compose.ts'
import { type ExistingDatabase, findDatabase } from './existing-database.ts'
import type { Generated } from './generated-file.ts'
import { POOLER_HOST, POOLER_PORT, pgBouncerIni, STATS_USER } from './pgbouncer-ini.ts'
import { serverFlags } from './postgres.ts'
import { type Rewiring, rewireService } from './rewire-service.ts'

const OVERRIDE = 'compose.poolguard.yaml'

/**
 * PgBouncer beside the services of an existing compose file, as an override: the project's own file stays as it is. PgBouncer
 * logs in as the role that the project uses, with the password from the project's variable or secret.
 *
 * @throws {CannotRunError} if the file has no PostgreSQL, or has a service with one of the names.
 */
export function generateComposeOverride(input: ComposeInput, existing: ExistingCompose): Generated {
  const { plan, monitoring } = input
  const database = findDatabase(existing)
  const added = { [POOLER_HOST]: poolerFor(input, database), ...(monitoring && monitoringServices()) }
  refuseTakenNames(existing, Object.keys(added))
  const apps = rewiredApps(existing, database.service)
  const services = { ...databaseChanges(input, database), ...appChanges(apps), ...added }
  const secrets = newSecrets(database, monitoring)
  const declared = Object.fromEntries(secrets.map(({ name, variable }) => [name, { environment: variable }]))
  const volumes = monitoring ? { 'prometheus-data': {} } : {}
  return {
    budget: plan.budget,
    files: [
      { path: OVERRIDE, content: composeYaml({ services, volumes, secrets: declared }, plan.budget.steps) },
      { path: '.env.example', content: secretsFile(secrets, true), isEnvironment: true },
      {
        path: 'pgbouncer/pgbouncer.ini',
        content: pgBouncerIni({ plan, place: database.place, authFile: USERLIST, logins: 'file' }),
      },
      { path: 'pgbouncer/start.sh', content: startScript(fileUsers(database), 'set it in .env') },
      ...(monitoring ? monitoringFiles(apps[0]?.[0]) : []),
    ],
    next: nextSteps(input, existing, database, apps),
  }
}

type App = readonly [name: string, rewiring: Rewiring]

function rewiredApps({ services }: ExistingCompose, database: string): readonly App[] {
  return Object.entries(services).flatMap(([name, service]) => {
    const rewiring = name === database ? undefined : rewireService(service, database)
    return rewiring ? [[name, rewiring] as const] : []
  })
}

function appChanges(apps: readonly App[]): Readonly<Record<string, object>> {
  return Object.fromEntries(
    apps.map(([name, { environment }]) => [
      name,
      { environment, depends_on: { [POOLER_HOST]: { condition: 'service_healthy' } } },
    ]),
  )
}

/** A command of the project's own is kept: an override would replace all of it. */
function databaseChanges({ settings }: ComposeInput, { service, hasCommand }: ExistingDatabase): object {
  return hasCommand ? {} : { [service]: { command: ['postgres', ...serverFlags(settings)] } }
}

function poolerFor({ plan }: ComposeInput, database: ExistingDatabase): object {
  const { service, hasHealthcheck } = database
  return pgbouncerService(plan, {
    secrets: [passwordSecret(database), `${STATS_USER}_password`],
    dependsOn: { [service]: { condition: hasHealthcheck ? 'service_healthy' : 'service_started' } },
  })
}

function passwordSecret({ password }: ExistingDatabase): string {
  return password && 'secret' in password ? password.secret : 'app_password'
}

function newSecrets(database: ExistingDatabase, monitoring: boolean): readonly Secret[] {
  const { password, place } = database
  const variable = password && 'variable' in password ? password.variable : undefined
  const ofRole = {
    ...secret('app_password', `PostgreSQL, as ${place.role}`),
    ...(variable !== undefined && { variable }),
  }
  return [
    ...(password && 'secret' in password ? [] : [ofRole]),
    secret(`${STATS_USER}_password`, "PgBouncer's console, as the user with SHOW access"),
    ...(monitoring ? [secret('grafana_password', 'Grafana, as admin')] : []),
  ]
}

function fileUsers(database: ExistingDatabase) {
  return [
    { user: database.place.role, passwordFile: secretFile(passwordSecret(database)) },
    { user: STATS_USER, passwordFile: secretFile(`${STATS_USER}_password`) },
  ]
}

function refuseTakenNames({ file, services }: ExistingCompose, names: readonly string[]): void {
  const taken = names.filter((name) => services[name] !== undefined)
  if (taken.length === 0) return
  throw new CannotRunError(
    t`${file} already has services with these names: ${taken.join(', ')}. Nothing was written: compare it with \`poolguard generate pgbouncer --print\`, or choose another directory (--out).`,
  )
}

function nextSteps(
  { settings }: ComposeInput,
  { file }: ExistingCompose,
  { service, hasCommand, password, place }: ExistingDatabase,
  apps: readonly App[],
): readonly string[] {
  const byHand = apps.flatMap(([name, rewiring]) => rewiring.byHand.map((variable) => ({ name, variable })))
  return [
    ...(password ? [] : [t`Set APP_PASSWORD in .env to the POSTGRES_PASSWORD of the service ${service} in ${file}.`]),
    t`Set the other values of .env.example in .env: openssl rand -hex 24`,
    ...byHand.map(
      ({ name, variable }) =>
        t`In ${file}, service ${name}: let ${variable} lead to ${POOLER_HOST}:${POOLER_PORT} instead of ${service}:${place.port}.`,
    ),
    ...(apps.length > 0
      ? []
      : [
          t`No service of ${file} names ${service} in its variables: let the app connect to ${POOLER_HOST}:${POOLER_PORT}.`,
        ]),
    ...(hasCommand ? [t`In ${file}, service ${service}, add to the command: ${serverFlags(settings).join(' ')}`] : []),
    `docker compose -f ${file} -f ${OVERRIDE} up -d --wait    # or: export COMPOSE_FILE=${file}:${OVERRIDE}`,
  ]
}
