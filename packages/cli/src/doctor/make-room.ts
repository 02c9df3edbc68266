import { type Facts, usesPoolguard } from './facts.ts'

const ADAPTERS = {
  '@prisma/client': '@poolguard/prisma',
  typeorm: '@poolguard/typeorm',
  'drizzle-orm': '@poolguard/drizzle',
  postgres: '@poolguard/postgres-js',
  pg: '@poolguard/pg',
}

/** What is to be changed so that a server does not get full again. */
export function makeRoom(facts: Facts): string {
  if (facts.server?.topology.kind === 'pooler') {
    return "Where they are PgBouncer's, its pools are too large for the server: lower default_pool_size (or max_db_connections) and RELOAD. `poolguard generate pgbouncer --print` shows a file that fits; `poolguard plan --pooler-url` counts with the one that runs."
  }
  const plan = 'run `poolguard plan --instances <number>` for a max that fits all'
  const pooler = 'put PgBouncer in front (`poolguard generate pgbouncer`)'
  return `${share(facts)}, ${plan}, or ${pooler}.`
}

function share(facts: Facts): string {
  if (usesPoolguard(facts)) return "Give every instance's pool `fleet: { app }`, so that they share what there is"
  const [, adapter] = Object.entries(ADAPTERS).find(([name]) => facts.project.packages.has(name)) ?? []
  return `Let the instances share what there is (\`fleet: { app }\` of ${adapter ?? 'poolguard'})`
}
