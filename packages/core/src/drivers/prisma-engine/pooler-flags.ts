import { ConnectionStringError, type UrlParameter } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import { type Reading, readFlag } from '../neutral/reading.ts'
import type { RewriteWarning } from '../rewriting.ts'

/** The parameters about the pooler for the engine of Prisma 5 and 6, and the schema, which affects them. */
export interface EnginePoolerFlags {
  readonly parameters: readonly UrlParameter[]
  readonly warnings: readonly RewriteWarning[]
}

/**
 * Decides whether to write `pgbouncer=true` (no statement cache, every query in a transaction after `DEALLOCATE ALL`),
 * `statement_cache_size`, and `schema`, which the engine sends as the startup parameter `search_path` unless `pgbouncer=true`
 * (prisma-engines, quaint/src/connector/postgres/native/mod.rs, set_search_path).
 */
export function enginePoolerFlags(reading: Reading, topology: TopologyTraits | undefined): EnginePoolerFlags {
  const given = readFlag(reading, 'pgbouncer') ?? false
  const cacheSize = readCacheSize(reading)
  const needed = topology ? topology.sharesServers && topology.preparedStatements !== 'safe' : given
  const schemaRefused = topology?.refusesStartupParameters === true && !needed && reading.schema !== undefined
  const keptForSchema = schemaRefused && reading.schema !== 'public'
  const flag = needed || keptForSchema
  const schema = schemaRefused && !keptForSchema ? undefined : reading.schema
  const cache = cacheParameter(cacheSize, flag, topology)
  const warnings: RewriteWarning[] = []
  if (keptForSchema) {
    warnings.push({
      code: 'flag-kept',
      parameter: 'pgbouncer',
      why: 'without pgbouncer=true the engine sends the schema as the startup parameter search_path, which the pooler rejects',
      instead:
        'pgbouncer=true has been written; for prepared statements, remove schema from the URL and use @@schema in the Prisma schema, or set search_path on the server',
    })
  } else if (given && !needed) {
    warnings.push({
      code: 'flag-not-needed',
      parameter: 'pgbouncer',
      why: 'it turns prepared statements off and deallocates them before every query, although they work here (PgBouncer >= 1.21 with max_prepared_statements > 0, session mode, or no pooler)',
      instead: 'it has been removed',
    })
  }
  if (schemaRefused && !keptForSchema) {
    warnings.push({
      code: 'refused-by-pooler',
      parameter: 'schema',
      why: 'the engine sends the schema as the startup parameter search_path, which the pooler rejects',
      instead: "it has been removed; public is the engine's default",
    })
  }
  return {
    parameters: [
      ...(flag ? ([['pgbouncer', 'true']] as const) : []),
      ...(cache.size === undefined ? [] : ([['statement_cache_size', String(cache.size)]] as const)),
      ...(schema === undefined ? [] : ([['schema', schema]] as const)),
    ],
    warnings: [...warnings, ...cache.warnings],
  }
}

function cacheParameter(
  given: number | undefined,
  flag: boolean,
  topology: TopologyTraits | undefined,
): { size: number | undefined; warnings: RewriteWarning[] } {
  if (flag) {
    if (!given) return { size: undefined, warnings: [] }
    const why = 'with pgbouncer=true the engine has no statement cache'
    return { size: undefined, warnings: [warning('ignored-by-driver', why, 'it has been removed')] }
  }
  if (topology?.preparedStatements === 'safe' && given === 0) {
    const why = 'the server plans every query again, although prepared statements work here'
    return { size: undefined, warnings: [warning('prepared-statements-off', why, 'it has been removed')] }
  }
  if (topology?.preparedStatements === 'unsafe') return { size: 0, warnings: [] }
  return { size: given, warnings: [] }
}

function warning(code: RewriteWarning['code'], why: string, instead: string): RewriteWarning {
  return { code, parameter: 'statement_cache_size', why, instead }
}

function readCacheSize({ others }: Reading): number | undefined {
  const text = others.get('statement_cache_size')
  if (text === undefined) return undefined
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw new ConnectionStringError('parameters', 'statement_cache_size takes a whole number of statements')
}
