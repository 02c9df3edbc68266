import { expect, test } from 'vitest'
import { type EnvironmentReader, orderEnvironmentFiles, readerOf } from './environment-files.ts'

const FILES = [
  '.env',
  '.env.development',
  '.env.development.local',
  '.env.example',
  '.env.local',
  '.env.production',
  '.env.test',
  'prisma/.env',
]

test.each<[reader: EnvironmentReader, mode: string, used: string[]]>([
  ['next', 'development', ['.env.development.local', '.env.local', '.env.development', '.env', 'prisma/.env']],
  ['next', 'production', ['.env.local', '.env.production', '.env', 'prisma/.env']],
  ['next', 'test', ['.env.test', '.env', 'prisma/.env']],
  ['vite', 'development', ['.env.development.local', '.env.development', '.env.local', '.env', 'prisma/.env']],
  ['dotenv-flow', 'production', ['.env.production', '.env.local', '.env', 'prisma/.env']],
  ['bun', 'development', ['.env.local', '.env.development', '.env', 'prisma/.env']],
  ['dotenv', 'production', ['.env', 'prisma/.env']],
])('%s in the mode %s reads its files in this order', (reader, mode, used) => {
  const found = orderEnvironmentFiles(FILES, reader, mode)

  expect(found.used).toEqual(used)
  expect(found.ignored).toEqual(['.env.example'])
  expect([...found.used, ...found.others, ...found.ignored].sort()).toEqual([...FILES].sort())
})

test('files that the app names come first', () => {
  expect(orderEnvironmentFiles(FILES, 'dotenv', 'development', ['.env.local', '.env.missing']).used).toEqual([
    '.env.local',
    '.env',
    'prisma/.env',
  ])
})

test.each([
  ['.env.example', true],
  ['.env.sample', true],
  ['.env.local.example', true],
  ['.env.example.local', true],
  ['.env.template', true],
  ['.env.vault', true],
  ['.env.production', false],
  ['.env.samples-service', false],
])('%s is a sample: %s', (file, isSample) => {
  expect(orderEnvironmentFiles([file], 'dotenv', 'development').ignored).toEqual(isSample ? [file] : [])
})

test.each<[packages: string[], reader: EnvironmentReader]>([
  [['next', 'vite'], 'next'],
  [['@sveltejs/kit'], 'vite'],
  [['dotenv-flow'], 'dotenv-flow'],
  [['@types/bun'], 'bun'],
  [['express'], 'dotenv'],
])('%j reads as %s', (packages, reader) => {
  expect(readerOf(new Map(packages.map((name) => [name, '1'])))).toBe(reader)
})
