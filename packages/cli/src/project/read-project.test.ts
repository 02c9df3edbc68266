import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readProject } from './read-project.ts'

const fixture = (name: string) => readProject(join(import.meta.dirname, '../../fixtures', name))

test('a NestJS app: the pool in its data source, services merged from an anchor, an update that starts first', () => {
  expect(fixture('nest-typeorm-replicas')).toMatchObject({
    drivers: ['pg'],
    code: [{ file: 'src/data-source.ts', line: 6, kind: 'max', value: 25 }],
    compose: {
      file: 'compose.yaml',
      maxConnections: 120,
      apps: [
        { name: 'api', replicas: 6, surge: 2 },
        { name: 'worker', replicas: 2, surge: 0 },
      ],
    },
    prismaDirectUrl: undefined,
  })
})

test('Prisma 7 behind a PgBouncer of the compose file, whose settings are variables', () => {
  const project = fixture('prisma-behind-pgbouncer')

  expect(project).toMatchObject({ drivers: ['pg'], prismaDirectUrl: false })
  expect(project.compose).toEqual({
    file: 'docker-compose.yml',
    apps: [{ name: 'api', replicas: 4, surge: 0 }],
    maxConnections: 100,
    poolerFiles: 1024,
  })
  expect(project.pgBouncer?.source).toBe('docker-compose.yml, service pgbouncer')
  expect(project.pgBouncer?.values.get('default_pool_size')).toBe('80')
})

test('Prisma 6 with an engine of its own, a pgbouncer.ini, and a URL for migrations', () => {
  const project = fixture('healthy-prisma-pooled')

  expect(project).toMatchObject({ drivers: ['prisma-engine'], prismaDirectUrl: true, compose: { poolerFiles: 2048 } })
  expect(project.pgBouncer).toMatchObject({ source: 'pgbouncer/pgbouncer.ini', databases: 1 })
  expect(project.pgBouncer?.values.get('max_prepared_statements')).toBe('200')
})

test('postgres.js: what the sources say in code, not in comments', () => {
  expect(fixture('neon-postgres-js')).toMatchObject({
    drivers: ['postgres.js'],
    code: [{ file: 'src/db/index.ts', line: 5, kind: 'prepare-false' }],
    compose: undefined,
  })
})

test('a folder that is no project', () => {
  expect(fixture('')).toMatchObject({ drivers: [], compose: undefined, pgBouncer: undefined })
})
