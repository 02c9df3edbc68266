import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'

interface Manifest {
  readonly name: string
  readonly version: string
  readonly peerDependencies?: Readonly<Record<string, string>>
}

const PACKAGES = join(import.meta.dirname, '../../packages')
const read = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8'))
const ours = globSync('*/package.json', { cwd: PACKAGES }).map((file) => read(join(PACKAGES, file)))
/** What applications install next to our packages. */
const THEIRS = ['typeorm', 'drizzle-orm', 'fastify', '@nestjs/core', '@prisma/client'].map((name) =>
  read(join(import.meta.dirname, '../node_modules', name, 'package.json')),
)

/** The major versions that a range allows, among the first hundred. */
function majorsOf(range: string): Set<number> {
  const majors = new Set<number>()
  for (const alternative of range.split('||')) {
    const [, least = '0'] = /(\d+)/.exec(alternative.replace(/<\S+/, '')) ?? []
    const [, below = '100', minor = '0'] = /<(\d+)(?:\.(\d+))?/.exec(alternative) ?? []
    const isSingle = /^\s*[~^\d]/.test(alternative)
    const end = isSingle ? Number(least) + 1 : Number(below) + (Number(minor) > 0 ? 1 : 0)
    for (let major = Number(least); major < end; major++) majors.add(major)
  }
  return majors
}

test.each([
  ['^12.0.0', [12]],
  ['>=12.0.0 <14', [12, 13]],
  ['>=3.4.0 <3.5', [3]],
  ['^5.0.0 || ^6.0.0', [5, 6]],
] as const)('the range %s allows %j', (range, majors) => {
  expect([...majorsOf(range)]).toEqual(majors)
})

test('a peer that our packages share with an ORM or a framework can be installed in one version for both', () => {
  const pairs = ours.flatMap((our) => THEIRS.map((their) => [our, their] as const))
  const shared = pairs.flatMap(([our, their]) =>
    Object.entries(our.peerDependencies ?? {}).flatMap(([peer, range]) => {
      const theirRange = their.peerDependencies?.[peer]
      return theirRange === undefined ? [] : [{ pair: `${our.name} and ${their.name}: ${peer}`, range, theirRange }]
    }),
  )
  expect(shared.map(({ pair }) => pair)).toContain('@poolguard/sqlite and typeorm: better-sqlite3')
  for (const { pair, range, theirRange } of shared) {
    const both = [...majorsOf(range)].filter((major) => majorsOf(theirRange).has(major))
    expect(both.length, `${pair} ${range} and ${theirRange}`).toBeGreaterThan(0)
  }
})
