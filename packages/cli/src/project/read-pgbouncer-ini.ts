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
  return folder.read(file, 'INI', (text) => settingsOf(file, text))
}

/** A top-level name outside a section has a string or null as its value. */
function settingsOf(file: string, text: string): PoolerSettings {
  const sections = parse(text)
  const values = entriesOf(sections.pgbouncer).map(([name, value]) => [name, String(value)] as const)
  const named = entriesOf(sections.databases).filter(([name]) => name !== '*').length
  const lines = text.split('\n').map((line) => /^\s*(\w+)\s*=/.exec(line)?.[1])
  const places = values.map(([name]) => [name, { file, line: lines.lastIndexOf(name) + 1 }] as const)
  return { source: file, values: new Map(values), places: new Map(places), databases: Math.max(1, named) }
}

function entriesOf(section: unknown): [name: string, value: unknown][] {
  return typeof section === 'object' && section !== null ? Object.entries(section) : []
}
