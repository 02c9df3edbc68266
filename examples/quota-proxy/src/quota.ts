import { createHash, randomBytes } from 'node:crypto'
import { SqlitePool } from '@poolguard/sqlite'

/** Reject requests that wait longer than this for a connection, so that clients retry later. */
const ACQUIRE_TIMEOUT_MILLIS = 2_000

const database = new SqlitePool({
  file: process.env.DATABASE_FILE ?? 'quota.db',
  name: 'quota',
  pool: { acquireTimeoutMillis: ACQUIRE_TIMEOUT_MILLIS },
})

/** Stores only hashes of the keys. The keys are random, so a plain hash is enough. */
const SCHEMA = `
  create table if not exists api_key (
    hash blob primary key,
    name text not null,
    per_day integer not null check (per_day > 0),
    day text not null default '',
    requests integer not null default 0
  ) strict, without rowid`

export function prepareQuotas(): Promise<void> {
  return database.exec(SCHEMA)
}

export function closeQuotas(): Promise<void> {
  return database.close()
}

/** @returns the key, which is not stored and cannot be shown again. */
export async function addKey(name: string, perDay: number): Promise<string> {
  const key = randomBytes(24).toString('base64url')
  await database.query('insert into api_key (hash, name, per_day) values (?, ?, ?)', [hashOf(key), name, perDay])
  return key
}

/** A key's quota of the day, after the current request. */
export interface Quota {
  readonly perDay: number
  readonly remaining: number
  /** Whether the request was within the quota. Rejected requests are not counted. */
  readonly granted: boolean
}

/** Checks and counts in one statement, so that concurrent requests cannot exceed the quota. */
const COUNT = `
  update api_key
  set requests = case when day < :day then 1 else requests + 1 end, day = max(day, :day)
  where hash = :hash and (day < :day or requests < per_day)
  returning requests`

/** @param day as `2026-01-31`. */
export async function countRequest(key: string, day: string): Promise<Quota | undefined> {
  const hash = hashOf(key)
  // Runs on a reader, so that unknown keys do not occupy the writer.
  const [known] = (await database.query<{ per_day: number }>('select per_day from api_key where hash = ?', [hash])).rows
  if (!known) return undefined
  const perDay = known.per_day
  const [counted] = (await database.query<{ requests: number }>(COUNT, { hash, day })).rows
  return counted
    ? { perDay, remaining: Math.max(0, perDay - counted.requests), granted: true }
    : { perDay, remaining: 0, granted: false }
}

function hashOf(key: string): Buffer {
  return createHash('sha256').update(key).digest()
}
