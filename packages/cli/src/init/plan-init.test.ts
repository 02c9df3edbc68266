import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { type InitPlan, planInit } from './plan-init.ts'

type Files = Readonly<Record<string, string>>

function folderWith(files: Files): string {
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-init-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  return folder
}

/** Plans the edits, applies them, and checks that a second run finds nothing to change. */
function planFor(files: Files): InitPlan & { text: (file: string) => string | undefined } {
  const plan = planInit(folderWith(files), {})
  const after = Object.fromEntries(plan.files.map((each) => [each.file, each.after]))
  const again = planInit(folderWith({ ...files, ...after }), {})
  expect(again.files).toEqual([])
  return { ...plan, text: (file) => after[file] }
}

const manifest = (...names: string[]) =>
  JSON.stringify({
    dependencies: Object.fromEntries(names.map((name) => [name.replace(/@(\d)/, ''), /@(\d)/.exec(name)?.[1] ?? '1'])),
  })

test.each<[what: string, before: string, after: string]>([
  [
    'pg, a named import',
    `import { Pool } from 'pg'\nexport const pool = new Pool({ max: 5 })\n`,
    `import { GuardedPool } from '@poolguard/pg'\nexport const pool = new GuardedPool({ max: 5 })\n`,
  ],
  [
    'pg, used as a type, too',
    `import { Pool } from 'pg';\nlet pool: Pool | undefined;\npool = new Pool();\n`,
    `import { Pool } from 'pg';\nimport { GuardedPool } from '@poolguard/pg';\nlet pool: Pool | undefined;\npool = new GuardedPool();\n`,
  ],
  [
    'pg, among other names',
    `import { types, Pool, type PoolConfig } from "pg"\ntypes.setTypeParser(20, Number)\nconst config: PoolConfig = {}\nexport default new Pool(config)\n`,
    `import { types, type PoolConfig } from "pg"\nimport { GuardedPool } from "@poolguard/pg"\ntypes.setTypeParser(20, Number)\nconst config: PoolConfig = {}\nexport default new GuardedPool(config)\n`,
  ],
  [
    'pg, the last name of a list',
    `import { types, Pool } from 'pg'\ntypes.getTypeParser(20)\nnew Pool()\n`,
    `import { types } from 'pg'\nimport { GuardedPool } from '@poolguard/pg'\ntypes.getTypeParser(20)\nnew GuardedPool()\n`,
  ],
  [
    'pg, a default import',
    `import pg from 'pg'\n\nexport const pool = new pg.Pool({\n\tmax: 5, // five\n})\n`,
    `import { GuardedPool } from '@poolguard/pg'\n\nexport const pool = new GuardedPool({\n\tmax: 5, // five\n})\n`,
  ],
  [
    'pg, a destructured default import',
    `import pg from 'pg'\nconst { Pool } = pg\nexport const pool = new Pool()\n`,
    `import { GuardedPool } from '@poolguard/pg'\nexport const pool = new GuardedPool()\n`,
  ],
  [
    'pg, a namespace that is used elsewhere',
    `import * as pg from 'pg'\npg.types.getTypeParser(20)\nnew pg.Pool()\n`,
    `import * as pg from 'pg'\nimport { GuardedPool } from '@poolguard/pg'\npg.types.getTypeParser(20)\nnew GuardedPool()\n`,
  ],
  [
    'pg, CommonJS',
    `'use strict'\nconst { Pool } = require('pg')\nmodule.exports = new Pool()\n`,
    `'use strict'\nconst { GuardedPool } = require('@poolguard/pg')\nmodule.exports = new GuardedPool()\n`,
  ],
  [
    'pg, CommonJS, the module',
    `const pg = require("pg");\n\nconst pool = new pg.Pool();\n`,
    `const { GuardedPool } = require("@poolguard/pg");\n\nconst pool = new GuardedPool();\n`,
  ],
  [
    'pg, required in place',
    `const pool = new (require('pg').Pool)({ max: 3 })\n`,
    `const pool = new (require('@poolguard/pg').GuardedPool)({ max: 3 })\n`,
  ],
  [
    'pg, line ends of Windows, and a byte order mark',
    `\ufeffimport { Pool } from 'pg'\r\n\r\nnew Pool()\r\n`,
    `\ufeffimport { GuardedPool } from '@poolguard/pg'\r\n\r\nnew GuardedPool()\r\n`,
  ],
  [
    'pg, two pools',
    `import { Pool } from 'pg'\nexport const a = new Pool(), b = new Pool()\n`,
    `import { GuardedPool } from '@poolguard/pg'\nexport const a = new GuardedPool(), b = new GuardedPool()\n`,
  ],
  [
    'postgres.js',
    `import postgres from 'postgres'\nexport const sql = postgres(process.env.DATABASE_URL!, { max: 3 })\n`,
    `import { guardPostgres } from '@poolguard/postgres-js'\nexport const sql = guardPostgres(process.env.DATABASE_URL!, { max: 3 })\n`,
  ],
  [
    'postgres.js, used as a type, too',
    `import postgres from "postgres";\nconst g = globalThis as unknown as { conn?: postgres.Sql };\nexport const sql = g.conn ?? postgres(url);\n`,
    `import postgres from "postgres";\nimport { guardPostgres } from "@poolguard/postgres-js";\nconst g = globalThis as unknown as { conn?: postgres.Sql };\nexport const sql = g.conn ?? guardPostgres(url);\n`,
  ],
  [
    'postgres.js, CommonJS',
    `const postgres = require('postgres')\nmodule.exports = postgres()\n`,
    `const { guardPostgres } = require('@poolguard/postgres-js')\nmodule.exports = guardPostgres()\n`,
  ],
  [
    'Drizzle',
    `import { drizzle, type NodePgDatabase } from "drizzle-orm/node-postgres";\nimport { migrate } from 'drizzle-orm/node-postgres/migrator'\nexport const db = drizzle(process.env.DATABASE_URL!)\n`,
    `import { drizzle, type NodePgDatabase } from "@poolguard/drizzle/node-postgres";\nimport { migrate } from 'drizzle-orm/node-postgres/migrator'\nexport const db = drizzle(process.env.DATABASE_URL!)\n`,
  ],
  [
    'Drizzle with a pool',
    `import { drizzle } from 'drizzle-orm/node-postgres'\nimport { Pool } from 'pg'\nexport const db = drizzle({ client: new Pool() })\n`,
    `import { drizzle } from '@poolguard/drizzle/node-postgres'\nimport { GuardedPool } from '@poolguard/pg'\nexport const db = drizzle({ client: new GuardedPool() })\n`,
  ],
  [
    'Prisma 7',
    `import { PrismaPg } from '@prisma/adapter-pg'\nimport { PrismaClient } from './generated/client'\nexport const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) })\n`,
    `import { PrismaPg } from '@poolguard/prisma'\nimport { PrismaClient } from './generated/client'\nexport const prisma = new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL }) })\n`,
  ],
  [
    'Prisma 7 with a pool',
    `import { PrismaPg } from '@prisma/adapter-pg'\nimport { Pool } from 'pg'\nconst pool = new Pool()\nexport const adapter = new PrismaPg(pool)\n`,
    `import { PrismaPg } from '@prisma/adapter-pg'\nimport { GuardedPool } from '@poolguard/pg'\nconst pool = new GuardedPool()\nexport const adapter = new PrismaPg(pool)\n`,
  ],
  [
    'TypeORM',
    `import { DataSource } from 'typeorm'\nexport default new DataSource({\n  type: 'postgres',\n  url: process.env.DATABASE_URL,\n})\n`,
    `import { DataSource } from 'typeorm'\nimport { guardDataSource } from '@poolguard/typeorm'\nexport default new DataSource(guardDataSource({\n  type: 'postgres',\n  url: process.env.DATABASE_URL,\n}))\n`,
  ],
  [
    'TypeORM, options in a variable',
    `import { DataSource, DataSourceOptions } from 'typeorm'\nconst options: DataSourceOptions = { type: 'postgres' }\nexport default new DataSource(options)\n`,
    `import { DataSource, DataSourceOptions } from 'typeorm'\nimport { guardDataSource } from '@poolguard/typeorm'\nconst options: DataSourceOptions = { type: 'postgres' }\nexport default new DataSource(guardDataSource(options))\n`,
  ],
])('%s', (_what, before, after) => {
  const names = ['pg', 'postgres', 'drizzle-orm', 'typeorm', '@prisma/client@7', '@prisma/adapter-pg@7']
  const plan = planFor({ 'package.json': manifest(...names), 'src/db.ts': before })

  expect(plan.text('src/db.ts')).toBe(after)
  expect(plan.instructions).toEqual([])
})

test.each<[what: string, source: string, instruction: RegExp]>([
  ['a subclass', `import { Pool } from 'pg'\nclass Db extends Pool { query() {} }\nnew Db()\n`, /extends pg\.Pool/],
  ['pg-native', `import pg from 'pg'\nnew pg.native.Pool()\n`, /pg-native/],
  ['another GuardedPool', `import { Pool } from 'pg'\nclass GuardedPool {}\nnew Pool()\n`, /another GuardedPool/],
  ['unknown options of TypeORM', `import { DataSource } from 'typeorm'\nnew DataSource(load())\n`, /guardDataSource/],
  [
    'disposeExternalPool',
    `import { PrismaPg } from '@prisma/adapter-pg'\nnew PrismaPg({}, { disposeExternalPool: true })\n`,
    /disposeExternalPool/,
  ],
])('prints what it cannot do safely: %s', (_what, source, instruction) => {
  const { files, instructions } = planFor({
    'package.json': manifest('pg', 'typeorm', '@prisma/adapter-pg@7', '@prisma/client@7'),
    'src/db.ts': source,
  })

  expect(files).toEqual([])
  expect(instructions).toEqual([
    { file: 'src/db.ts', line: expect.any(Number), text: expect.stringMatching(instruction) },
  ])
})

test.each<[what: string, before: string, after: string]>([
  [
    'without options',
    `import { PrismaClient } from '@prisma/client'\nexport const prisma = new PrismaClient()\n`,
    `import { PrismaClient } from '@prisma/client'\nimport { guardPrismaUrl } from '@poolguard/prisma/engine'\nexport const prisma = new PrismaClient({ datasourceUrl: guardPrismaUrl(process.env.DATABASE_URL) })\n`,
  ],
  [
    'with options',
    `import { PrismaClient } from "../generated/prisma";\nconst make = () =>\n  new PrismaClient({\n    log: ["error"],\n  });\nmake();\n`,
    `import { PrismaClient } from "../generated/prisma";\nimport { guardPrismaUrl } from "@poolguard/prisma/engine";\nconst make = () =>\n  new PrismaClient({\n    datasourceUrl: guardPrismaUrl(process.env.DATABASE_URL),\n    log: ["error"],\n  });\nmake();\n`,
  ],
])("Prisma 6's engine, %s", (_what, before, after) => {
  const plan = planFor({
    'package.json': manifest('@prisma/client@6'),
    'src/db.ts': before,
    'prisma/schema.prisma': 'datasource db {\n  provider = "postgresql"\n  url = env("DATABASE_URL")\n}\n',
    '.env': 'DATABASE_URL="postgres://app:s3cret@db/app?pgbouncer=true&connection_limit=5"\n',
  })

  expect(plan.text('src/db.ts')).toBe(after)
  expect(plan.installs).toEqual([{ folder: '', packages: ['@poolguard/prisma'] }])
})

test("Prisma's engine of another database is left alone", () => {
  const { files } = planFor({
    'package.json': manifest('@prisma/client@6'),
    'src/db.ts': `import { PrismaClient } from '@prisma/client'\nnew PrismaClient()\n`,
    'prisma/schema.prisma': 'datasource db {\n  provider = "sqlite"\n  url = env("DATABASE_URL")\n}\n',
  })
  expect(files).toEqual([])
})

test('Nest: forRoot, and the module of poolguard in the layout of the imports', () => {
  const { text, installs } = planFor({
    'package.json': manifest('@nestjs/core', '@nestjs/typeorm', 'typeorm', 'pg'),
    'src/app.module.ts': `import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';

@Module({
  imports: [
    TypeOrmModule.forRoot({ type: 'postgres', url: process.env.DATABASE_URL }),
    OrdersModule,
  ],
  controllers: [],
})
export class AppModule {}
`,
    'src/data-source.ts': `import { DataSource } from 'typeorm'\nexport default new DataSource({ type: 'postgres', migrations: [] })\n`,
  })

  expect(text('src/app.module.ts')).toBe(`import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { guardDataSource } from '@poolguard/typeorm';
import { PoolguardModule } from '@poolguard/nestjs';

@Module({
  imports: [
    TypeOrmModule.forRoot(guardDataSource({ type: 'postgres', url: process.env.DATABASE_URL })),
    OrdersModule,
    PoolguardModule.forRoot(),
  ],
  controllers: [],
})
export class AppModule {}
`)
  // For TypeORM's command line.
  expect(text('src/data-source.ts')).toBeUndefined()
  expect(installs).toEqual([{ folder: '', packages: ['@poolguard/nestjs', '@poolguard/typeorm'] }])
})

test.each<[what: string, factory: string, guarded: string]>([
  [
    'an expression',
    `(c: C) => ({ type: 'postgres', url: c.get('URL') })`,
    `(c: C) => (guardDataSource({ type: 'postgres', url: c.get('URL') }))`,
  ],
  [
    'a block',
    `async () => { return { type: 'postgres' as const } }`,
    `async () => { return guardDataSource({ type: 'postgres' as const }) }`,
  ],
  [
    'a method',
    `function () { return { type: 'postgres' } }`,
    `function () { return guardDataSource({ type: 'postgres' }) }`,
  ],
])('Nest: forRootAsync with %s', (_what, factory, guarded) => {
  const source = (inner: string, imports: string) =>
    `import { TypeOrmModule } from '@nestjs/typeorm'\n${imports}export const database = TypeOrmModule.forRootAsync({ inject: [C], useFactory: ${inner} })\n`
  const { text } = planFor({
    'package.json': manifest('@nestjs/typeorm', 'typeorm', 'pg'),
    'src/database.ts': source(factory, ''),
  })

  expect(text('src/database.ts')).toBe(source(guarded, `import { guardDataSource } from '@poolguard/typeorm'\n`))
})

test.each([
  ['imports: []', 'imports: [PoolguardModule.forRoot()]'],
  ['imports: [A, B]', 'imports: [A, B, PoolguardModule.forRoot()]'],
  ['imports: [A,]', 'imports: [A, PoolguardModule.forRoot()]'],
  ['providers: [Db]', 'imports: [PoolguardModule.forRoot()], providers: [Db]'],
])("Nest: a module with '%s'", (before, after) => {
  const source = (options: string) => `@Module({ ${options} })\nexport class AppModule {}\n`
  const { text } = planFor({
    'package.json': manifest('@nestjs/core', 'pg'),
    'src/app.module.ts': `import { Module } from '@nestjs/common'\n${source(before)}`,
    'src/db.ts': `import { Pool } from 'pg'\nexport const pool = new Pool()\n`,
  })

  expect(text('src/app.module.ts')).toContain(source(after))
})

test('Fastify: the plugin is registered first, and @fastify/postgres gets guarded pools', () => {
  const { text } = planFor({
    'package.json': manifest('fastify', '@fastify/postgres', 'pg'),
    'src/server.ts': `import Fastify from 'fastify'
import fastifyPostgres from '@fastify/postgres'

const app = Fastify({ logger: true })
app.register(fastifyPostgres, { connectionString: process.env.DATABASE_URL })
`,
  })

  expect(text('src/server.ts')).toBe(`import Fastify from 'fastify'
import fastifyPostgres from '@fastify/postgres'
import poolguard from '@poolguard/fastify'

const app = Fastify({ logger: true })
app.register(poolguard)
app.register(fastifyPostgres, (parent) => ({ pg: parent.poolguard.pg, connectionString: process.env.DATABASE_URL }))
`)
})

test('frameworks without a database are left alone', () => {
  const nest = {
    'package.json': manifest('@nestjs/core'),
    'src/app.module.ts': `import { Module } from '@nestjs/common'\n@Module({})\nexport class AppModule {}\n`,
  }
  expect(planFor(nest).files).toEqual([])
  expect(planFor({ 'package.json': manifest('fastify'), 'a.js': `const app = require('fastify')()\n` }).files).toEqual(
    [],
  )
})

test('obsolete parameters leave the .env files; everything else stays', () => {
  const { text } = planFor({
    'package.json': manifest('pg'),
    'src/db.ts': `import { Pool } from 'pg'\nnew Pool()\n`,
    '.env': `# app\r\nDATABASE_URL="postgres://app:p%3F@db/app?pgbouncer=true&connection_limit=5&statement_cache_size=0" # x\r\nOTHER=1\r\n`,
    '.env.production': 'DATABASE_URL=postgres://app@db/app?pgbouncer=true\nMYSQL=mysql://db/app?pgbouncer=true',
    '.env.example': 'DATABASE_URL=postgres://app@db/app?pgbouncer=true\n',
  })

  expect(text('.env')).toBe(`# app\r\nDATABASE_URL="postgres://app:p%3F@db/app?connection_limit=5" # x\r\nOTHER=1\r\n`)
  expect(text('.env.production')).toBe('DATABASE_URL=postgres://app@db/app\nMYSQL=mysql://db/app?pgbouncer=true')
  expect(text('.env.example')).toBeUndefined()
})

test('each app of a monorepo gets its own packages; scripts and configuration stay', () => {
  const pool = `import { Pool } from 'pg'\nnew Pool()\n`
  const { files, installs } = planFor({
    'package.json': '{"workspaces":["apps/*","packages/*"]}',
    'apps/api/package.json': manifest('pg'),
    'apps/api/src/db.ts': pool,
    'apps/api/scripts/seed.ts': pool,
    'packages/db/package.json': manifest('postgres', '@poolguard/postgres-js'),
    'packages/db/index.js': `import postgres from 'postgres'\nexport default postgres()\n`,
  })

  expect(files.map(({ file }) => file)).toEqual(['apps/api/src/db.ts', 'packages/db/index.js'])
  expect(installs).toEqual([{ folder: 'apps/api', packages: ['@poolguard/pg'] }])
})

test('a source with a line that cannot be parsed is not changed', () => {
  const { files, instructions } = planFor({
    'package.json': manifest('pg'),
    'db.ts': `import { Pool } from 'pg'\n<<<<<<< HEAD\nnew Pool()\n`,
  })

  expect(files).toEqual([])
  expect(instructions).toMatchObject([{ file: 'db.ts', line: 2 }])
})
