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
    return 'If PgBouncer holds these connections, its pools are too large for the server: lower default_pool_size (or max_db_connections) and RELOAD. `poolguard generate pgbouncer --print` prints a configuration that fits; `poolguard plan --pooler-url` plans with the running one.'
  }
  const plan = 'run `poolguard plan --instances <number>` to get a max that fits'
  const pooler = 'put PgBouncer in front (`poolguard generate pgbouncer`)'
  return `${share(facts)}, ${plan}, or ${pooler}.`
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
    return 'Set `fleet: { app }` on the pool of every instance so that they share the connections'
  const [, adapter] = Object.entries(ADAPTERS).find(([name]) => facts.project.packages.has(name)) ?? []
  return `Let the instances share the connections (\`fleet: { app }\` of ${adapter ?? 'poolguard'})`
}
