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

/** The settings of the first `pgbouncer.ini` in one of its usual places. */
export function readPgBouncerIni(folder: ProjectFolder): PoolerSettings | undefined {
  const file = PLACES.find((place) => folder.has(place))
  if (file === undefined) return undefined
  return folder.read(file, 'INI', (text) => settingsOf(file, parse(text)))
}

/** A top-level name outside a section has a string or null as its value. */
function settingsOf(source: string, sections: Record<string, unknown>): PoolerSettings {
  const values = entriesOf(sections.pgbouncer).map(([name, value]) => [name, String(value)] as const)
  const named = entriesOf(sections.databases).filter(([name]) => name !== '*').length
  return { source, values: new Map(values), databases: Math.max(1, named) }
}

function entriesOf(section: unknown): [name: string, value: unknown][] {
  return typeof section === 'object' && section !== null ? Object.entries(section) : []
}
