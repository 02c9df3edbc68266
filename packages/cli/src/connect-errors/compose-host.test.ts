import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { findComposeHost } from './compose-host.ts'

function projectWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-compose-host-'))
  mkdirSync(join(folder, '.git'))
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}

const COMPOSE = `
services:
  api: { build: . }
  db:
    image: postgres:18
    container_name: shop-postgres
    ports: ["127.0.0.1:5433:5432"]
    networks: { back: { aliases: [database] } }
`

test.each(['compose.yaml', 'docker-compose.yml', 'docker-compose.prod.yml', 'compose.override.yaml'])(
  'finds a service in %s, with the port that it publishes',
  (file) => {
    expect(findComposeHost(projectWith({ [file]: COMPOSE }), 'db')).toEqual({
      file,
      service: 'db',
      published: new Map([[5432, 5433]]),
      app: 'api',
    })
  },
)

test.each(['db', 'shop-postgres', 'database'])('finds the service under its name %s', (host) => {
  expect(findComposeHost(projectWith({ 'compose.yaml': COMPOSE }), host)?.service).toBe('db')
})

test('finds the service from the folder of an app in a monorepo', () => {
  const folder = projectWith({ 'compose.yaml': COMPOSE })
  mkdirSync(join(folder, 'apps/api'), { recursive: true })

  expect(findComposeHost(join(folder, 'apps/api'), 'db')?.service).toBe('db')
})

test.each<[given: string, ports: string, published: readonly (readonly [number, number])[]]>([
  ['the long form', '[{ target: 5432, published: "5440" }]', [[5432, 5440]]],
  ['a port without a host port', '["5432"]', []],
  ['a variable', `["\${PORT}:5432"]`, []],
  ['no list', '5432', []],
])('given %s, reads the published ports', (_, ports, published) => {
  const text = `services: { db: { image: postgres, ports: ${ports} } }`

  expect(findComposeHost(projectWith({ 'compose.yaml': text }), 'db')?.published).toEqual(new Map(published))
})

test.each<[given: string, text: string]>([
  ['another name', COMPOSE.replace('db:', 'store:')],
  ['invalid YAML', 'services: ['],
  ['no services', 'a text'],
])('finds nothing, given %s', (_, text) => {
  expect(findComposeHost(projectWith({ 'compose.yaml': text }), 'db')).toBeUndefined()
})
