import { expect, test } from 'vitest'
import { readToml } from './read-toml.ts'
import { readYaml } from './read-yaml.ts'

test('YAML: values know their lines, also through merges and aliases', () => {
  const [file] = readYaml(
    `x-app: &app
  deploy:
    replicas: 3
services:
  api:
    <<: *app
    image: api
  worker:
    <<: [*app, { image: other }]
    scale: '2'
`,
    'compose.yaml',
  )

  const api = file?.at('services', 'api')
  expect(api?.at('deploy', 'replicas')).toMatchObject({ count: 3, place: { file: 'compose.yaml', line: 3 } })
  expect(api?.at('image')).toMatchObject({ text: 'api', place: { line: 7 } })
  expect(file?.at('services', 'worker').at('scale')).toMatchObject({ count: 2, place: { line: 10 } })
  expect(file?.at('services', 'worker', 'image').text).toBe('other')
  expect(file?.at('services', 'nothing', 'at', 'all')).toMatchObject({ isMissing: true, text: undefined, items: [] })
})

test('JSON is YAML', () => {
  const [file] = readYaml('{\n\t"functions": {\n\t\t"a": 1\n\t}\n}', 'vercel.json')
  expect(file?.at('functions', 'a')).toMatchObject({ count: 1, place: { line: 3 } })
})

test('YAML: several documents, and a value that contains itself', () => {
  expect(readYaml('a: 1\n---\nb: 2\n', 'k.yaml').map(({ entries }) => entries[0]?.[0])).toEqual(['a', 'b'])
  expect(readYaml('', 'k.yaml')).toEqual([])
  expect(() => readYaml('a: &a [*a]\n', 'k.yaml')).toThrow('too many values')
  expect(() => readYaml('a: &a\n  <<: *a\n', 'k.yaml')).toThrow('too many values')
})

test('TOML: tables, arrays of tables, dotted keys, inline tables', () => {
  const file = readToml(
    `app = "shop"
[env]
DB_POOL_MAX = 20
[deploy]
strategy = "bluegreen"
[[vm]]
size = "a"
processes = ["web"]
[[vm]]
size = "b"
[http_service]
concurrency.hard_limit = 25
checks = { grace = "5s" }
[http_service.more]
x = true
`,
    'fly.toml',
  )

  expect(file.at('env', 'DB_POOL_MAX')).toMatchObject({ count: 20, place: { file: 'fly.toml', line: 3 } })
  expect(file.at('vm').items.map((vm) => vm.at('size').text)).toEqual(['a', 'b'])
  expect(file.at('vm').items[0]?.at('processes').texts).toEqual(['web'])
  expect(file.at('http_service', 'concurrency', 'hard_limit').count).toBe(25)
  expect(file.at('http_service', 'checks', 'grace').text).toBe('5s')
  expect(file.at('http_service', 'more', 'x').text).toBe('true')
  expect(() => readToml('a = [', 'fly.toml')).toThrow()
})
