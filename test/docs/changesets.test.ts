import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { ROOT } from './documents.ts'

const FOLDER = join(ROOT, '.changeset')
const packages = readdirSync(join(ROOT, 'packages')).map(
  (folder): unknown => JSON.parse(readFileSync(join(ROOT, 'packages', folder, 'package.json'), 'utf8')).name,
)

test.each(readdirSync(FOLDER).filter((file) => file.endsWith('.md')))(
  'the changeset %s names packages of the workspace, the size of the change, and the change',
  (file) => {
    const [, header = '', text = ''] = /^---\n(.*?)\n---\n(.*)$/s.exec(readFileSync(join(FOLDER, file), 'utf8')) ?? []
    const bumps = Object.entries(parse(header) ?? {})
    expect(bumps).not.toEqual([])
    for (const [name, size] of bumps) {
      expect(packages).toContain(name)
      expect(['patch', 'minor', 'major']).toContain(size)
    }
    expect(text.trim()).not.toBe('')
  },
)
