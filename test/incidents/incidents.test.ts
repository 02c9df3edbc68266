import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { tableRows } from '../docs/tables.ts'
import { runPoolguard } from '../integration/run-poolguard.ts'
import { checkIncident, INCIDENTS, incidentDirectories } from './incidents.ts'

const rows = tableRows('packages/cli/README.md').filter(({ cells }) => 'Incident' in cells)

test('every directory is an incident of the list, and a row of the README', () => {
  expect(incidentDirectories().toSorted()).toEqual(INCIDENTS.map(({ directory }) => directory).toSorted())
  expect(rows.map(({ cells }) => cells.Incident)).toEqual(
    INCIDENTS.map(({ title, directory }) => `[${title}](../../test/incidents/${directory})`),
  )
})

describe.each(INCIDENTS)('$directory', (incident) => {
  test('check fails with the line to change, as the README says', async () => {
    const { code, findings } = await checkIncident(incident, 'failing')

    expect(code).toBe(1)
    expect(findings).toMatchObject([{ rule: incident.rule, place: incident.place }])
    const row = rows[INCIDENTS.indexOf(incident)]?.cells
    expect(row?.['`check` prints']).toBe(findings[0]?.evidence)
    expect(row?.['and proposes']).toBe(findings[0]?.change.split('. Or ')[0]?.replace(/\.?$/, '.'))
  })

  test('check passes on the corrected configuration', async () => {
    expect(await checkIncident(incident, 'corrected')).toEqual({ code: 0, findings: [] })
  })
})

/** Replaces numbers in the lines that a finding names. */
interface Change {
  readonly from: number
  readonly to: number
  readonly file?: string
  readonly line?: number
}

test.each(INCIDENTS.filter(({ rule }) => rule === 'pools-exceed-capacity'))(
  'with the numbers that check proposes, it passes: $directory',
  async ({ directory, args }) => {
    const folder = mkdtempSync(join(tmpdir(), 'poolguard-incident-'))
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
    cpSync(join(import.meta.dirname, directory, 'failing'), folder, { recursive: true })
    const before = await runPoolguard(['check', ...args, '--json'], { folder })
    const changes: readonly Change[] = JSON.parse(before.stdout).findings[0].data.changes
    expect(changes.length).toBeGreaterThan(0)

    // A size that is a library's default has no number to replace.
    const written = changes.filter((change) => replaceNumber(folder, change))
    const after = await runPoolguard(['check', ...args, '--json'], { folder })

    if (written.length === changes.length) expect(after.code).toBe(0)
    else
      expect(JSON.parse(after.stdout).deployments[0].connections).toBeLessThan(
        JSON.parse(before.stdout).deployments[0].connections,
      )
  },
)

function replaceNumber(folder: string, { from, to, file = '', line = 0 }: Change): boolean {
  const path = join(folder, file)
  const lines = readFileSync(path, 'utf8').split('\n')
  const written = lines[line - 1] ?? ''
  lines[line - 1] = written.replace(new RegExp(`\\b${from}\\b`), String(to))
  writeFileSync(path, lines.join('\n'))
  return lines[line - 1] !== written
}
