import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'ini'
import type { PoolerSettings } from './project-facts.ts'

const PLACES = [
  'pgbouncer.ini',
  'pgbouncer/pgbouncer.ini',
  'docker/pgbouncer/pgbouncer.ini',
  'config/pgbouncer.ini',
  'deploy/pgbouncer.ini',
]

/** Settings of the first `pgbouncer.ini` that is found in its usual places. */
export function readPgBouncerIni(folder: string): PoolerSettings | undefined {
  const file = PLACES.find((place) => existsSync(join(folder, place)))
  if (file === undefined) return undefined
  const { pgbouncer = {}, databases = {} } = parse(readFileSync(join(folder, file), 'utf8')) as Record<
    string,
    Record<string, unknown>
  >
  const values = Object.entries(pgbouncer).map(([name, value]) => [name, String(value)] as const)
  const named = Object.keys(databases).filter((name) => name !== '*').length
  return { source: file, values: new Map(values), databases: Math.max(1, named) }
}
