import { availableParallelism } from 'node:os'
import type { PoolEventListener, PoolSettings } from '@poolguard/core'
import {
  DEFAULT_POOL_SETTINGS,
  InvalidOptionError,
  omitUndefined,
  requireDuration,
  requireInteger,
  requireOneOf,
  validatePoolSettings,
} from '@poolguard/core/adapter'
import { type DatabaseFile, readDatabaseFile } from './database-file.ts'
import type { ConnectionSpec, DriverName, Synchronous } from './protocol.ts'
import { walBytesToKeep } from './wal/wal-limiter.ts'

/** The options of a SQLite pool. Only `file` is required. */
export interface SqliteOptions {
  /** A path, a `file:` URL, or `:memory:`. A missing file is created. */
  readonly file: string | URL
  /** Names the pool in errors, snapshots and metrics, as `NAME.readers` and `NAME.writer`. Default: the file's name. */
  readonly name?: string | undefined
  /**
   * The pool settings. `max` and `min` apply to the readers; default: the number of cores, at least 4 and at most 8.
   * There is one writer, which stays open if `min` is not 0. `pipeline` cannot be switched on, and
   * `limit` can only be `'max'`.
   */
  readonly pool?: Partial<PoolSettings> | undefined
  /** Default: better-sqlite3 if it is installed, otherwise node:sqlite (from Node 22.16 on). */
  readonly driver?: DriverName | 'auto' | undefined
  /** How long SQLite waits for a lock that another process holds. Default: 5 000. */
  readonly busyTimeoutMillis?: number | undefined
  /**
   * Durability on power loss: with `normal` (the default) the database stays consistent, but the last commits may be lost; with
   * `full` no commit is lost. A crash of the process loses no commit with either.
   *
   * @see https://www.sqlite.org/pragma.html#pragma_synchronous
   */
  readonly synchronous?: Synchronous | undefined
  /** Enforce foreign keys. Default: true. */
  readonly foreignKeys?: boolean | undefined
  /**
   * The type of integers in results: `number` (the default) returns numbers, and bigints beyond 2^53, where numbers are not exact;
   * `bigint` always returns bigints.
   */
  readonly integers?: 'number' | 'bigint' | undefined
  /** The number of statements that each connection keeps prepared. Default: 256. */
  readonly maxPreparedStatements?: number | undefined
  /**
   * Roll back a transaction that has been idle for this long, like PostgreSQL's `idle_in_transaction_session_timeout`: while it is
   * open, no other caller can write. Default: 60 000.
   */
  readonly idleInTransactionMillis?: number | undefined
  /**
   * The size in bytes that the WAL (the file `-wal` next to the database) should not exceed. When the WAL reaches half of it, the
   * pool waits for the running reads, delays further long reads meanwhile, and truncates the WAL. If a read that does not
   * end prevents that, `onEvent` gets a warning and `health()` a reason. At least 1 MiB, or Infinity.
   * Default: 67,108,864 (64 MiB).
   *
   * @see https://www.sqlite.org/wal.html#avoiding_excessively_large_wal_files
   */
  readonly maxWalBytes?: number | undefined
  /** Receives the events of the pool. */
  readonly onEvent?: PoolEventListener | undefined
}

/** The validated options, with defaults. */
export interface SqliteSpec {
  readonly file: DatabaseFile
  readonly name: string
  readonly readers: PoolSettings
  readonly writer: PoolSettings
  readonly connection: Omit<ConnectionSpec, 'role'>
  readonly idleInTransactionMillis: number
  readonly maxWalBytes: number
  readonly onEvent: PoolEventListener | undefined
}

const BUSY_TIMEOUT_MILLIS = 5_000
const MAX_PREPARED = 256
const IDLE_IN_TRANSACTION_MILLIS = 60_000
const MAX_WAL_BYTES = 64 * 2 ** 20
/** SQLite needs room for some transactions between two checkpoints. */
const MIN_WAL_BYTES = 2 ** 20
/** SQLite stores the timeout in a 32-bit int. */
const MAX_BUSY_MILLIS = 2 ** 31 - 1

/** Also on fewer cores: some readers run while others wait for their next statement. */
const MIN_READERS = 4
/** Each reader is a thread. */
const MAX_READERS = 8

const OPTIONS: Readonly<Record<keyof SqliteOptions, true>> = {
  ...{
    file: true,
    name: true,
    pool: true,
    driver: true,
    busyTimeoutMillis: true,
    synchronous: true,
    foreignKeys: true,
  },
  ...{ integers: true, maxPreparedStatements: true, idleInTransactionMillis: true, maxWalBytes: true, onEvent: true },
}

/** @throws {InvalidOptionError} names the option and the value. */
export function readOptions(options: SqliteOptions): SqliteSpec {
  if (typeof options !== 'object' || options === null) {
    throw new InvalidOptionError('options', options, "an object, as in { file: 'app.db' }")
  }
  requireKnown(options)
  const file = readDatabaseFile(options.file)
  const { name = file.name, pool = {}, onEvent } = options
  if (typeof name !== 'string' || name === '') throw new InvalidOptionError('name', name, 'a string that is not empty')
  validatePoolSettings(pool)
  requireNoPipelining(pool)
  requireNoCoresLimit(pool)
  if (file.inMemory) requireNoReaders(pool)
  const { idleInTransactionMillis = IDLE_IN_TRANSACTION_MILLIS, maxWalBytes = MAX_WAL_BYTES } = options
  requireDuration('idleInTransactionMillis', idleInTransactionMillis, 1)
  if (maxWalBytes !== Infinity) requireInteger('maxWalBytes', maxWalBytes, MIN_WAL_BYTES)
  const readers = readSettings(pool)
  return {
    ...{ file, name, readers, onEvent, idleInTransactionMillis, maxWalBytes },
    writer: file.inMemory ? keptOpen(readers) : { ...readers, max: 1, min: Math.min(readers.min, 1) },
    connection: { path: file.path, walBytesToKeep: walBytesToKeep(maxWalBytes), ...readConnection(options) },
  }
}

function readConnection(options: SqliteOptions): Omit<ConnectionSpec, 'role' | 'path' | 'walBytesToKeep'> {
  const { driver = 'auto', synchronous = 'normal', foreignKeys = true, integers = 'number' } = options
  const { busyTimeoutMillis = BUSY_TIMEOUT_MILLIS, maxPreparedStatements = MAX_PREPARED } = options
  requireOneOf('driver', driver, ['auto', 'better-sqlite3', 'node:sqlite'])
  requireOneOf('synchronous', synchronous, ['normal', 'full', 'extra'])
  requireOneOf('integers', integers, ['number', 'bigint'])
  requireInteger('busyTimeoutMillis', busyTimeoutMillis, 0)
  if (busyTimeoutMillis > MAX_BUSY_MILLIS) {
    throw new InvalidOptionError('busyTimeoutMillis', busyTimeoutMillis, `at most ${MAX_BUSY_MILLIS}`)
  }
  requireInteger('maxPreparedStatements', maxPreparedStatements, 1)
  if (typeof foreignKeys !== 'boolean') throw new InvalidOptionError('foreignKeys', foreignKeys, 'true or false')
  return { driver, synchronous, foreignKeys, integers, busyTimeoutMillis, maxPreparedStatements }
}

/** SQLite connections need no maximum lifetime, unlike connections to a server. */
function readSettings(given: Partial<PoolSettings>): PoolSettings {
  const cores = Math.max(MIN_READERS, Math.min(availableParallelism(), MAX_READERS))
  const max = Math.max(given.max ?? cores, given.max === undefined ? (given.min ?? 0) : 0)
  return { ...DEFAULT_POOL_SETTINGS, maxLifetimeMillis: Infinity, ...omitUndefined(given), max }
}

/** An in-memory database exists as long as its only connection. */
function keptOpen(settings: PoolSettings): PoolSettings {
  const unlimited = { idleTimeoutMillis: Infinity, maxLifetimeMillis: Infinity, maxUses: Infinity }
  return { ...settings, ...unlimited, max: 1, min: 0 }
}

function requireNoCoresLimit({ limit = 'max' }: Partial<PoolSettings>): void {
  const wanted = "'max': the readers are as many as this machine's cores unless pool.max is set"
  if (limit !== 'max') throw new InvalidOptionError('pool.limit', limit, wanted)
}

function requireNoPipelining({ pipeline = 'off' }: Partial<PoolSettings>): void {
  const wanted =
    "'off': there is no network between the pool and a SQLite database, so no statement needs to be sent behind others"
  if (pipeline !== 'off') throw new InvalidOptionError('pool.pipeline', pipeline, wanted)
}

function requireNoReaders({ max = 1, min = 0 }: Partial<PoolSettings>): void {
  const wanted = "1 if file is ':memory:', because every connection would have its own database"
  if (max !== 1) throw new InvalidOptionError('pool.max', max, wanted)
  if (min > 1) throw new InvalidOptionError('pool.min', min, wanted)
}

function requireKnown(options: SqliteOptions): void {
  for (const [name, value] of Object.entries(options)) {
    if (name in OPTIONS) continue
    const isSetting = name in DEFAULT_POOL_SETTINGS
    const wanted = isSetting
      ? `no value here: set pool.${name} instead`
      : `no value: there is no such option, only ${Object.keys(OPTIONS).join(', ')}`
    throw new InvalidOptionError(name, value, wanted)
  }
}
