import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly scripts?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** The scripts that npm runs on a user's machine when a package is installed. */
const AT_INSTALLATION = ['preinstall', 'install', 'postinstall', 'prepare']

const packages = new URL('../../packages/', import.meta.url)
const manifests = readdirSync(packages).map(
  (folder) => JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), 'utf8')) as Manifest,
)

test.each(manifests)('$name runs nothing when it is installed', ({ scripts = {} }) => {
  expect(Object.keys(scripts).filter((name) => AT_INSTALLATION.includes(name))).toEqual([])
})

test('core has no dependency', () => {
  expect(manifests.find(({ name }) => name === '@poolguard/core')?.dependencies ?? {}).toEqual({})
})
