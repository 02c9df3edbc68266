import { BudgetError, MEGABYTES_PER_CONNECTION } from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

const PGTUNE = 'https://pgtune.leopard.in.ua'

/** PGTune's rules do not apply to smaller servers, according to PGTune. */
export const MIN_MEGABYTES = 256
/** A larger value does not speed up VACUUM or index builds, and is invalid on Windows. */
const MAX_MAINTENANCE_MEGABYTES = 2_047
/** `max_worker_processes`: parallel workers sort, too. */
const WORKERS = 8
/** Concurrent sorts and hashes of one query. */
const SORTS_EACH = 3

/**
 * Divides a server's memory by PGTune's rules for web applications: a quarter for shared_buffers, and enough of the rest for
 * all connections to sort at the same time. Measure before relying on it: PostgreSQL's documentation also starts with a
 * quarter, and expects no gain above 40 %.
 *
 * @see https://pgtune.leopard.in.ua
 * @see https://www.postgresql.org/docs/current/runtime-config-resource.html#GUC-SHARED-BUFFERS
 * @throws {BudgetError} if the connections alone do not fit into the memory.
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
      t`a quarter of the memory`,
    ),
    amount(
      'effective_cache_size',
      `${Math.floor((megabytes * 3) / 4)}MB`,
      documentation('runtime-config-query', 'effective_cache_size'),
      t`three quarters of the memory: the planner's estimate of all caches, including the operating system's; allocates nothing`,
    ),
    amount(
      'maintenance_work_mem',
      `${maintenance}MB`,
      PGTUNE,
      t`a sixteenth of the memory, for VACUUM and index builds`,
    ),
    amount(
      'work_mem',
      sortKilobytes >= 1_024 ? `${Math.floor(sortKilobytes / 1_024)}MB` : `${sortKilobytes}kB`,
      PGTUNE,
      t`for each sort and hash: the remaining memory / ((${maxConnections} connections + ${WORKERS} workers) x ${SORTS_EACH}); the connections themselves use ${maxConnections * least} to ${maxConnections * most} MB, so measure`,
    ),
  ]
}

function amount(name: string, value: string, source: string, reason: string): RecommendedSetting {
  return { name, value, reason, source, priority: 'minimum' }
}

function tooLittle(megabytes: number, maxConnections: number, sharedBuffers: number): BudgetError {
  const { least } = MEGABYTES_PER_CONNECTION
  const fits = Math.floor((megabytes - sharedBuffers) / least)
  return new BudgetError(
    t`${maxConnections} connections of at least ${least} MB each and ${sharedBuffers} MB of shared_buffers do not fit into ${megabytes} MB. Lower max_connections to ${fits} and put PgBouncer in front, or add memory.`,
  )
}
