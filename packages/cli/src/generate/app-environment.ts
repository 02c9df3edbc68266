import { ConnectionString, type TopologyTraits, toPrismaEngine } from '@poolguard/core/postgres'
import type { ProjectFacts } from '../project/project-facts.ts'
import type { Place } from './place.ts'

/** What of the project decides how a pool is told its size. */
export type Wiring = Pick<ProjectFacts, 'packages' | 'drivers'>

/** A variable of the app, and what it is for. */
export interface Variable {
  readonly name: string
  readonly value: string
  readonly comment: string
}

export interface AppEnvironmentInput {
  readonly place: Place
  /** Where PgBouncer is; undefined where the app connects to PostgreSQL itself. */
  readonly pooler: Pick<Place, 'host' | 'port' | 'parameters'> | undefined
  /** What can be had there. */
  readonly traits: TopologyTraits
  readonly password: string
  readonly maxPerPool: number
  readonly wiring: Wiring
}

/** How long a caller waits for a connection; poolguard's default. */
const ACQUIRE_MILLIS = 10_000

/** PgBouncer in transaction mode, as it is generated. */
export const GENERATED_POOLER: TopologyTraits = {
  sharesServers: true,
  preparedStatements: 'safe',
  refusesStartupParameters: true,
}
export const POSTGRES_ITSELF: TopologyTraits = {
  sharesServers: false,
  preparedStatements: 'safe',
  refusesStartupParameters: false,
}

/** What the app needs to know of its database, for the ORM and the driver that the project has. */
export function appEnvironment(input: AppEnvironmentInput): readonly Variable[] {
  const { place, pooler, traits, password, maxPerPool, wiring } = input
  const parts = { user: place.role, password, database: place.database }
  const at = ({ host, port, parameters }: Pick<Place, 'host' | 'port' | 'parameters'>) =>
    new ConnectionString({ ...parts, hosts: [{ host, port }], parameters })
  const direct = at(place)
  const url = pooler ? at(pooler) : direct
  const sized = sizedUrl(url, maxPerPool, traits, wiring)
  return [
    {
      name: 'DATABASE_URL',
      value: (sized ?? url).href,
      comment: pooler ? 'For the app, through the pooler.' : 'For the app.',
    },
    ...(pooler ? [{ name: 'DIRECT_URL', value: direct.href, comment: directComment(wiring) }] : []),
    ...(sized
      ? []
      : [
          {
            name: 'DB_POOL_MAX',
            value: String(maxPerPool),
            comment: `Connections of each pool. No driver reads it by itself: max: Number(process.env.DB_POOL_MAX) in pg and postgres.js, poolSize in TypeORM.`,
          },
        ]),
  ]
}

/** With its size in it, where somebody reads that: Prisma's engine up to 6, and poolguard under every driver. */
function sizedUrl(
  url: ConnectionString,
  max: number,
  traits: TopologyTraits,
  { packages, drivers }: Wiring,
): ConnectionString | undefined {
  if (drivers.includes('prisma-engine')) {
    return toPrismaEngine(url, { max, acquireTimeoutMillis: ACQUIRE_MILLIS }, traits).url
  }
  const poolguard = [...packages.keys()].some((name) => name.startsWith('@poolguard/'))
  return poolguard ? url.with({ parameters: [...url.parameters, ['connection_limit', String(max)]] }) : undefined
}

function directComment({ packages, drivers }: Wiring): string {
  const what = 'For migrations, past the pooler: they take locks that live as long as a session'
  if (drivers.includes('prisma-engine')) return `${what} (schema.prisma: directUrl = env("DIRECT_URL")).`
  const prisma = packages.has('prisma') || packages.has('@prisma/client')
  return prisma ? `${what} (prisma.config.ts: datasource: { url: env('DIRECT_URL') }).` : `${what}.`
}
