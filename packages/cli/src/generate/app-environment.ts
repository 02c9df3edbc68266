import { ConnectionString, type TopologyTraits, toPrismaEngine } from '@poolguard/core/postgres'
import type { ProjectFacts } from '../project/project-facts.ts'
import type { Place } from './place.ts'

/** The packages and drivers that decide how the app configures its pool size. */
export type Wiring = Pick<ProjectFacts, 'packages' | 'drivers'>

/** An environment variable of the app, with a comment. */
export interface Variable {
  readonly name: string
  readonly value: string
  readonly comment: string
}

export interface AppEnvironmentInput {
  readonly place: Place
  /** The address of PgBouncer; undefined if the app connects directly to PostgreSQL. */
  readonly pooler: Pick<Place, 'host' | 'port' | 'parameters'> | undefined
  /** What the endpoint supports. */
  readonly traits: TopologyTraits
  readonly password: string
  readonly maxPerPool: number
  readonly wiring: Wiring
}

/** The usual port of Fastify and NestJS apps. */
export const APP_PORT = 3000

/** The acquire timeout; poolguard's default. */
const ACQUIRE_MILLIS = 10_000

/** The generated PgBouncer, in transaction mode. */
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

/** The app's environment variables for its ORM and driver. */
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
            comment: `Size of each pool. Drivers do not read this variable: set max: Number(process.env.DB_POOL_MAX) in pg and postgres.js, or poolSize in TypeORM.`,
          },
        ]),
  ]
}

/** The URL with connection_limit, which Prisma's engine (up to 6) and poolguard read. */
function sizedUrl(
  url: ConnectionString,
  max: number,
  traits: TopologyTraits,
  { packages, drivers }: Wiring,
): ConnectionString | undefined {
  if (drivers.includes('prisma-engine')) {
    return toPrismaEngine(url, { max, acquireTimeoutMillis: ACQUIRE_MILLIS }, { topology: traits }).url
  }
  const poolguard = [...packages.keys()].some((name) => name.startsWith('@poolguard/'))
  return poolguard ? url.with({ parameters: [...url.parameters, ['connection_limit', String(max)]] }) : undefined
}

function directComment({ packages, drivers }: Wiring): string {
  const purpose = 'For migrations, which bypass the pooler: they take session-level advisory locks'
  if (drivers.includes('prisma-engine')) return `${purpose} (schema.prisma: directUrl = env("DIRECT_URL")).`
  const prisma = packages.has('prisma') || packages.has('@prisma/client')
  return prisma ? `${purpose} (prisma.config.ts: datasource: { url: env('DIRECT_URL') }).` : `${purpose}.`
}
