import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { adopt, type Files, makeProject, RECORD, readFiles, runGuarded, typecheck } from './init-project.ts'
import {
  DRIZZLE_START,
  EXPRESS_PG,
  FASTIFY_GENERATOR,
  NEST_PRISMA,
  NEST_TYPEORM,
  PRISMA_EXAMPLE,
  T3_DRIZZLE,
} from './init-templates.ts'
import { runPoolguard } from './run-poolguard.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

test.each<[what: string, files: Files, program: string, packages: string[]]>([
  ['create-t3-app with Drizzle', T3_DRIZZLE, 'src/program.ts', ['@poolguard/drizzle', '@poolguard/postgres-js']],
  ["Drizzle's first steps", DRIZZLE_START, 'src/index.ts', ['@poolguard/drizzle']],
  ["Prisma's example with Next", PRISMA_EXAMPLE, 'src/program.ts', ['@poolguard/prisma']],
  ['an Express app with pg', EXPRESS_PG, 'program.js', ['@poolguard/pg']],
  ["Fastify's generator", FASTIFY_GENERATOR, 'test/program.js', ['@poolguard/fastify', '@poolguard/pg']],
])(
  '%s: types check, and the code answers on a guarded pool',
  { timeout: 120_000 },
  async (_what, files, program, packages) => {
    const folder = await adopt(files, packages)

    if (Object.keys(files).some((name) => name.endsWith('.ts'))) expect(await typecheck(folder)).toBe('')
    const output = await runGuarded(folder, program, server.url)
    expect(output.split('\n')).toEqual(['42', 'guarded'])
  },
)

test.each<[what: string, files: Files, packages: string[]]>([
  ['TypeORM and ConfigService', NEST_TYPEORM, ['@poolguard/nestjs', '@poolguard/typeorm']],
  ["Prisma's service", NEST_PRISMA, ['@poolguard/nestjs', '@poolguard/prisma']],
])(
  "Nest's generator with %s: types check, and the service answers on a guarded pool",
  { timeout: 120_000 },
  async (_what, files, packages) => {
    const folder = await adopt(files, packages)
    expect(await typecheck(folder)).toBe('')

    process.env.DATABASE_URL = server.url
    const { start } = await import(/* @vite-ignore */ join(folder, 'src/main.ts'))
    const { AppService } = await import(/* @vite-ignore */ join(folder, 'src/app.service.ts'))
    const { Poolguard } = await import('@poolguard/nestjs')
    const app = await start()
    try {
      expect(await app.get(AppService).answer()).toBe(42)
      expect(app.get(Poolguard).snapshots()).toHaveLength(1)
    } finally {
      await app.close()
      delete process.env.DATABASE_URL
    }
  },
)

test('shows the diff without a password, and changes nothing with --dry-run or without a terminal', async () => {
  const env = 'DATABASE_URL="postgresql://app:s3cret-word@localhost/app?pgbouncer=true"\n'
  const files = { ...EXPRESS_PG, '.env': env }
  const folder = makeProject(files)
  const dry = await runPoolguard(['init', '--dry-run'], { folder })
  const piped = await runPoolguard(['init'], { folder })

  expect(dry.code).toBe(0)
  expect(dry.stdout).toContain("-const { Pool } = require('pg');\n+const { GuardedPool } = require('@poolguard/pg');")
  expect(dry.stdout).toContain('Nothing was changed (--dry-run).')
  expect(dry.stdout).not.toContain('s3cret')
  expect(piped.code).toBe(2)
  expect(piped.stderr).toContain('pass --yes')
  expect(readFiles(folder, Object.keys(files))).toEqual(files)
})

test('undo restores every file; a changed file stops it', async () => {
  const files = {
    ...NEST_TYPEORM,
    '.env': 'DATABASE_URL=postgresql://app:s3cret-word@localhost/app?pgbouncer=true\r\n',
  }
  const folder = makeProject(files)
  await runPoolguard(['init', '--yes', '--no-install'], { folder })
  expect(readFiles(folder, ['.env'])['.env']).toBe('DATABASE_URL=postgresql://app:s3cret-word@localhost/app\r\n')
  expect(readFiles(folder, [RECORD])[RECORD]).not.toContain('s3cret')

  const undone = await runPoolguard(['init', '--undo', '--no-install'], { folder })

  expect(undone.code).toBe(0)
  expect(readFiles(folder, Object.keys(files))).toEqual(files)
  const again = await runPoolguard(['init', '--undo'], { folder })
  expect(again.code).toBe(2)
  expect(again.stderr).toContain('nothing to undo')
})
