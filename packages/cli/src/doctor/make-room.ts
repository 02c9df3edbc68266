import { t } from '../output/translate.ts'
import { type Facts, usesPoolguard } from './facts.ts'

const ADAPTERS = {
  '@prisma/client': '@poolguard/prisma',
  typeorm: '@poolguard/typeorm',
  'drizzle-orm': '@poolguard/drizzle',
  postgres: '@poolguard/postgres-js',
  pg: '@poolguard/pg',
}

/** The change that keeps the server from filling up again. */
export function makeRoom(facts: Facts): string {
  if (isBehindPooler(facts)) {
    return t`If PgBouncer holds these connections, its pools are too large for the server: lower default_pool_size (or max_db_connections) and RELOAD. \`poolguard generate pgbouncer --print\` prints a configuration that fits; \`poolguard plan --pooler-url\` plans with the running one.`
  }
  return t`${share(facts)}, run \`poolguard plan --instances <number>\` to get a max that fits, or put PgBouncer in front (\`poolguard generate pgbouncer\`).`
}

/** Whether a pooler is in use: then a second one does not help. */
function isBehindPooler({ server, pooler, endpoint, project }: Facts): boolean {
  return (
    server?.topology.kind === 'pooler' ||
    pooler !== undefined ||
    endpoint?.endsWith('pooler') === true ||
    project.pgBouncer !== undefined
  )
}

function share(facts: Facts): string {
  if (usesPoolguard(facts))
    return t`Set \`fleet: { app }\` on the pool of every instance so that they share the connections`
  const [, adapter] = Object.entries(ADAPTERS).find(([name]) => facts.project.packages.has(name)) ?? []
  return t`Let the instances share the connections (\`fleet: { app }\` of ${adapter ?? 'poolguard'})`
}
