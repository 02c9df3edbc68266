import { execFileSync } from 'node:child_process'
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ProjectFolder } from '../project-folder.ts'
import { folderWith } from '../testing/folder-with.ts'
import { readDeployments } from './read-deployments.ts'

function read(files: Readonly<Record<string, string>>) {
  const folder = new ProjectFolder(folderWith({ 'package.json': '{}', ...files }))
  return { ...readDeployments(folder), unread: folder.unread }
}

const MANIFEST = 'apiVersion: apps/v1\nkind: Deployment\n'

test.each([
  ['aliases that multiply', 'k8s.yaml', `${MANIFEST}${aliases()}`, 'k8s.yaml (invalid YAML)'],
  ['a value that contains itself', 'k8s.yaml', `${MANIFEST}spec: &a [*a]`, 'k8s.yaml (invalid YAML)'],
  ['unclosed brackets', 'render.yaml', '['.repeat(20_000), 'render.yaml (invalid YAML)'],
  ['tables in tables', 'fly.toml', `[${'a.'.repeat(20_000)}b]\n`, 'fly.toml (invalid TOML)'],
  ['arrays in arrays', 'fly.toml', `a = ${'['.repeat(20_000)}`, 'fly.toml (invalid TOML)'],
  ['objects in objects', 'vercel.json', '{"a":'.repeat(20_000), 'vercel.json (invalid JSON)'],
  [
    'a source that is no JavaScript',
    'ecosystem.config.js',
    'module.exports = {{{',
    'ecosystem.config.js (invalid JavaScript)',
  ],
])('%s: the file is reported', (_what, name, text, unread) => {
  expect(read({ [name]: text })).toMatchObject({ deployments: [], unread: [unread] })
})

test.each([
  ['names of prototypes', 'compose.yaml', 'services: { __proto__: { image: x }, constructor: { image: postgres } }'],
  ['numbers for services', 'compose.yaml', 'services: [1, null, {}]'],
  ['empty lines', 'k8s.yaml', `${'\n'.repeat(500_000)}${MANIFEST}`],
  ['quotes', 'compose.yaml', `services: { a: { image: x, command: '${`"''`.repeat(50_000)}' } }`],
  ['variables in variables', 'compose.yaml', `services: { a: { image: '${'${A:-'.repeat(50_000)}' } }`],
  ['expressions', 'ecosystem.config.js', `module.exports = { apps: [{ instances: ${'-'.repeat(200)}1 }] }`],
  ['a constant that refers to itself', 'pm2.config.js', 'const a = a; module.exports = { apps: [a] }'],
  ['an endless number', 'Procfile', `web: ${'x'.repeat(900_000)}`],
  ['replicas beyond all numbers', 'compose.yaml', 'services: { a: { image: x, scale: 99999999999999999999 } }'],
])('%s take bounded time', (_what, name, text) => {
  // More than linear time would exceed the test's timeout.
  expect(() => read({ [name]: text })).not.toThrow()
})

test('services that extend each other', () => {
  const text = 'services: { a: { extends: b, environment: { DATABASE_URL: x } }, b: { extends: a } }'
  expect(read({ 'compose.yaml': text }).deployments[0]?.workloads.map(({ name }) => name)).toEqual(['a', 'b'])
})

test.skipIf(process.platform === 'win32')('pipes and links out of the project are not read', () => {
  const outside = folderWith({ 'secret.yaml': MANIFEST })
  const path = folderWith({ 'package.json': '{}' })
  execFileSync('mkfifo', [join(path, 'fly.toml')])
  symlinkSync(join(outside, 'secret.yaml'), join(path, 'k8s.yaml'))
  const folder = new ProjectFolder(path)

  expect(readDeployments(folder).deployments).toEqual([])
  expect(folder.unread).toEqual(['k8s.yaml (outside this directory)', 'fly.toml (not a regular file)'])
})

test('only a bounded number of files is read', () => {
  const files = Object.fromEntries(Array.from({ length: 600 }, (_, index) => [`k8s/${index}.yaml`, MANIFEST]))
  expect(read(files).unread).toEqual(['part of the deployment files (too many files)'])
})

function aliases(): string {
  const levels = Array.from({ length: 12 }, (_, level) => {
    const of = level === 0 ? 'x' : Array.from({ length: 9 }, () => `*a${level - 1}`).join(', ')
    return `a${level}: &a${level} [${of}]`
  })
  return `${levels.join('\n')}\nspec: *a11\n`
}
