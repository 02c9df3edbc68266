import { BudgetError, MEGABYTES_PER_CONNECTION } from '@poolguard/core/postgres'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

const PGTUNE = 'https://pgtune.leopard.in.ua'

/** Below it the rules do not hold, by PGTune's own word. */
export const MIN_MEGABYTES = 256
/** More gains nothing for VACUUM and indexes, and PostgreSQL on Windows takes no more. */
const MAX_MAINTENANCE_MEGABYTES = 2_047
/** `max_worker_processes`, which may sort as well. */
const WORKERS = 8
/** Sorts and hashes that one query runs at once. */
const SORTS_EACH = 3

/**
 * How to divide a server's memory, by PGTune's rules for web applications: a quarter for shared_buffers, and of the rest so
 * much for each sort that all connections may sort at once. A start, to be measured: PostgreSQL's documentation begins with a
 * quarter, too, and expects nothing from more than two fifths.
 *
 * @see https://pgtune.leopard.in.ua
 * @see https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-SHARED-BUFFERS
 * @throws {BudgetError} where the connections alone do not fit.
 */
export function memorySettings(megabytes: number, maxConnections: number): readonly RecommendedSetting[] {
  const sharedBuffers = Math.floor(megabytes / 4)
  const { least, most } = MEGABYTES_PER_CONNECTION
  if (sharedBuffers + maxConnections * least > megabytes) throw tooLittle(megabytes, maxConnections, sharedBuffers)
  const maintenance = Math.min(Math.floor(megabytes / 16), MAX_MAINTENANCE_MEGABYTES)
  const sortKilobytes = Math.floor(((megabytes - sharedBuffers) * 1_024) / ((maxConnections + WORKERS) * SORTS_EACH))
  return [
    amount(
      'shared_buffers',
      `${sharedBuffers}MB`,
      documentation('runtime-config-resource', 'shared_buffers'),
      'a quarter of the memory',
    ),
    amount(
      'effective_cache_size',
      `${Math.floor((megabytes * 3) / 4)}MB`,
      documentation('runtime-config-query', 'effective_cache_size'),
      "three quarters: what the planner may take to be cached, the system's cache included; allocates nothing",
    ),
    amount('maintenance_work_mem', `${maintenance}MB`, PGTUNE, 'a sixteenth, for VACUUM and indexes'),
    amount(
      'work_mem',
      sortKilobytes >= 1_024 ? `${Math.floor(sortKilobytes / 1_024)}MB` : `${sortKilobytes}kB`,
      PGTUNE,
      `for each sort and hash: the rest / ((${maxConnections} connections + ${WORKERS} workers) x ${SORTS_EACH}); the connections themselves take ${maxConnections * least} to ${maxConnections * most} MB, so measure`,
    ),
  ]
}

function amount(name: string, value: string, source: string, reason: string): RecommendedSetting {
  return { name, value, reason, source, wish: 'amount' }
}

function tooLittle(megabytes: number, maxConnections: number, sharedBuffers: number): BudgetError {
  const { least } = MEGABYTES_PER_CONNECTION
  const fits = Math.floor((megabytes - sharedBuffers) / least)
  return new BudgetError(
    `${maxConnections} connections of at least ${least} MB each beside ${sharedBuffers} MB of shared_buffers do not fit into ${megabytes} MB. ` +
      `Lower max_connections to ${fits} and let PgBouncer share them, or give the server more memory.`,
  )
}
