import { parse } from 'ini'
import type { PoolerSettings } from './project-facts.ts'
import type { ProjectFolder } from './project-folder.ts'

const PLACES = [
  'pgbouncer.ini',
  'pgbouncer/pgbouncer.ini',
  'docker/pgbouncer/pgbouncer.ini',
  'config/pgbouncer.ini',
  'deploy/pgbouncer.ini',
]

/** Settings of the first `pgbouncer.ini` that is found in its usual places. */
export function readPgBouncerIni(folder: ProjectFolder): PoolerSettings | undefined {
  const file = PLACES.find((place) => folder.has(place))
  const sections = file && folder.read(file, 'INI', parse)
  if (!file || !sections) return undefined
  const { pgbouncer = {}, databases = {} } = sections as Record<string, Record<string, unknown>>
  const values = Object.entries(pgbouncer).map(([name, value]) => [name, String(value)] as const)
  const named = Object.keys(databases).filter((name) => name !== '*').length
  return { source: file, values: new Map(values), databases: Math.max(1, named) }
}
