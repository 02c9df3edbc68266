import { expect, test } from 'vitest'
import { Module } from '../../source/module.ts'
import type { PoolInSource } from '../pool-in-source.ts'
import { type AppContext, findPools } from './find-pools.ts'

const PACKAGES = ['typeorm', 'knex', 'sequelize', '@mikro-orm/postgresql']
const APP: AppContext = {
  folder: '',
  packages: new Map(PACKAGES.map((name) => [name, '1.0.0'])),
  variables: {},
  reloads: false,
  prismaVariable: 'DATABASE_URL',
}

/** The pools of `src/db.ts`, or of the first of several files. */
function poolsIn(source: string | Readonly<Record<string, string>>, app: Partial<AppContext> = {}): PoolInSource[] {
  const files = typeof source === 'string' ? { 'src/db.ts': source } : source
  const modules = new Map(Object.entries(files).map(([file, text]) => [file, new Module(file, text)]))
  const graph = { module: (file: string) => modules.get(file), aliasRoots: ['src'] }
  const seen = new Set<never>()
  return [...modules.values()].flatMap((module) => findPools(module, graph, { ...APP, ...app }, seen))
}

const PG = `import { Pool } from 'pg'\n`

test.each<[what: string, source: string, library: string, max: number | undefined, from: string]>([
  ['pg', `${PG}new Pool({ max: 20 })`, 'pg', 20, 'literal'],
  ['pg without options', `${PG}new Pool()`, 'pg', 10, 'default'],
  ['pg, default import', `import pg from 'pg'\nexport const pool = new pg.Pool({ max: 7 })`, 'pg', 7, 'literal'],
  ['pg, destructured default', `import pg from 'pg'\nconst { Pool } = pg\nnew Pool({ max: 7 })`, 'pg', 7, 'literal'],
  ['pg, namespace', `import * as pg from 'pg'\nnew pg.Pool({ max: 7 })`, 'pg', 7, 'literal'],
  ['pg, renamed', `import { Pool as P } from 'pg'\nnew P({ max: 7 })`, 'pg', 7, 'literal'],
  ['pg, required', `const { Pool } = require('pg')\nmodule.exports = new Pool({ max: 7 })`, 'pg', 7, 'literal'],
  ['pg, required in place', `new (require('pg').Pool)({ max: 7 })`, 'pg', 7, 'literal'],
  ['pg, import =', `import pg = require('pg')\nnew pg.Pool({ max: 7 })`, 'pg', 7, 'literal'],
  ['pg, dynamic import', `const { Pool } = await import('pg')\nnew Pool({ max: 7 })`, 'pg', 7, 'literal'],
  ['a subclass', `${PG}class Db extends Pool { constructor() { super({ max: 7 }) } }`, 'pg', 7, 'literal'],
  ['a client', `import { Client } from 'pg'\nnew Client({ max: 7 })`, 'pg', 1, 'default'],
  ['a constant', `${PG}const MAX = 25\nnew Pool({ max: MAX })`, 'pg', 25, 'constant'],
  [
    'a constant of an object',
    `${PG}const config = { db: { max: 25 } } as const\nnew Pool(config.db)`,
    'pg',
    25,
    'literal',
  ],
  ['options in a variable', `${PG}const options: PoolConfig = { max: 25 }\nnew Pool(options)`, 'pg', 25, 'literal'],
  ['spread options', `${PG}const base = { max: 25 }\nnew Pool({ ...base, host: 'db' })`, 'pg', 25, 'literal'],
  ['overridden options', `${PG}const base = { max: 25 }\nnew Pool({ ...base, max: 5 })`, 'pg', 5, 'literal'],
  ['Object.assign', `${PG}new Pool(Object.assign({}, { max: 25 }))`, 'pg', 25, 'literal'],
  ['a function of options', `${PG}const options = () => ({ max: 25 })\nnew Pool(options())`, 'pg', 25, 'literal'],
  ['a product', `${PG}const WORKERS = 4\nnew Pool({ max: WORKERS * 5 })`, 'pg', 20, 'constant'],
  ['the larger of two', `${PG}new Pool({ max: isProd ? 30 : 5 })`, 'pg', 30, 'literal'],
  ['a changed variable', `${PG}let max = 5\nif (isProd) max = 30\nnew Pool({ max })`, 'pg', 30, 'constant'],
  ['a variable', `${PG}new Pool({ max: process.env.X ?? 12 })`, 'pg', 12, 'variable'],
  ['a variable, ||', `${PG}new Pool({ max: Number(process.env.X || '12') })`, 'pg', 12, 'variable'],
  ['a variable, outside', `${PG}new Pool({ max: parseInt(process.env['X'] ?? '', 10) || 12 })`, 'pg', 12, 'variable'],
  ['a variable, destructured', `${PG}const { X = '12' } = process.env\nnew Pool({ max: +X })`, 'pg', 12, 'variable'],
  ['a variable, ternary', `${PG}new Pool({ max: process.env.X ? Number(process.env.X) : 12 })`, 'pg', 12, 'literal'],
  ['a checked environment', `import { env } from '~/env'\n${PG}new Pool({ max: env.X ?? 12 })`, 'pg', 12, 'variable'],
  ['ConfigService', `${PG}new Pool({ max: this.config.get<number>('DB_MAX', 12) })`, 'pg', 12, 'variable'],
  ['a parameter', `${PG}const make = (max = 4) => new Pool({ max })\nexport const a = make(15)`, 'pg', 15, 'literal'],
  ['a member of an enum', `${PG}enum Size { Max = 12 }\nnew Pool({ max: Size.Max })`, 'pg', 12, 'literal'],
  ['a static property', `${PG}class Config { static MAX = 12 }\nnew Pool({ max: Config.MAX })`, 'pg', 12, 'literal'],
  ['a property of the class', `${PG}class Db { max = 12; pool = new Pool({ max: this.max }) }`, 'pg', 12, 'literal'],
  [
    'a schema with a default',
    `${PG}const env = z.object({ DB_POOL: z.coerce.number().default(12) }).parse(process.env)\nnew Pool({ max: env.DB_POOL })`,
    'pg',
    12,
    'variable',
  ],
  [
    'a checked variable with a default',
    `${PG}const env = cleanEnv(process.env, { DB_POOL: num({ default: 12 }) })\nnew Pool({ max: env.DB_POOL })`,
    'pg',
    12,
    'variable',
  ],
  [
    'a configuration by environment',
    `const config = { development: { client: 'pg', pool: { max: 5 } }, production: { client: 'pg', pool: { max: 50 } } }
     module.exports = require('knex')(config[process.env.NODE_ENV])`,
    'knex',
    50,
    'literal',
  ],
  ['an unknown size', `${PG}new Pool({ max: compute() })`, 'pg', undefined, 'unknown'],
  ['unknown options', `${PG}import config from 'config'\nnew Pool(config)`, 'pg', undefined, 'unknown'],
  ['an address', `${PG}new Pool(process.env.DATABASE_URL)`, 'pg', 10, 'default'],
  [
    'postgres.js',
    `import postgres from 'postgres'\npostgres(process.env.DATABASE_URL!, { max: 3 })`,
    'postgres',
    3,
    'literal',
  ],
  [
    'postgres.js by default',
    `import postgres from 'postgres'\nexport const sql = postgres(url)`,
    'postgres',
    10,
    'default',
  ],
  ['postgres.js, required', `const sql = require('postgres')(url, { max: 3 })`, 'postgres', 3, 'literal'],
  [
    'TypeORM, poolSize',
    `import { DataSource } from 'typeorm'\nnew DataSource({ type: 'postgres', poolSize: 15 })`,
    'typeorm',
    15,
    'literal',
  ],
  [
    'TypeORM, extra wins',
    `import { DataSource } from 'typeorm'\nnew DataSource({ type: 'postgres', poolSize: 15, extra: { max: 40 } })`,
    'typeorm',
    40,
    'literal',
  ],
  [
    'TypeORM in Nest, async',
    `import { TypeOrmModule } from '@nestjs/typeorm'
     TypeOrmModule.forRootAsync({ inject: [C], useFactory: (config: C) => ({ type: 'postgres', host: config.get('DB_HOST'), extra: { max: config.get('DB_POOL', 33) } }) })`,
    'typeorm',
    33,
    'variable',
  ],
  [
    'an ormconfig',
    `module.exports = { type: 'postgres', url: process.env.DATABASE_URL, extra: { max: 8 } }`,
    'typeorm',
    8,
    'literal',
  ],
  [
    'Drizzle, address',
    `import { drizzle } from 'drizzle-orm/node-postgres'\ndrizzle(process.env.DATABASE_URL!)`,
    'drizzle',
    10,
    'default',
  ],
  [
    'Drizzle, connection',
    `import { drizzle } from 'drizzle-orm/postgres-js'\ndrizzle({ connection: { url: process.env.DATABASE_URL!, max: 2 } })`,
    'drizzle',
    2,
    'literal',
  ],
  ['knex', `import knex from 'knex'\nknex({ client: 'pg', pool: { min: 2, max: 12 } })`, 'knex', 12, 'literal'],
  [
    'a knexfile',
    `export default { production: { client: 'postgresql', connection: {}, pool: { max: 12 } } }`,
    'knex',
    12,
    'literal',
  ],
  [
    'Sequelize',
    `import { Sequelize } from 'sequelize'\nnew Sequelize(url, { dialect: 'postgres', pool: { max: 9 } })`,
    'sequelize',
    9,
    'literal',
  ],
  [
    'Sequelize by default',
    `const { Sequelize } = require('sequelize')\nnew Sequelize(process.env.DATABASE_URL)`,
    'sequelize',
    5,
    'default',
  ],
  [
    'MikroORM',
    `import { defineConfig } from '@mikro-orm/postgresql'\nexport default defineConfig({ entities: [], dbName: 'a', pool: { max: 6 } })`,
    'mikro-orm',
    6,
    'literal',
  ],
  ['Prisma by engine', `import { PrismaClient } from '@prisma/client'\nnew PrismaClient()`, 'prisma', 9, 'default'],
  [
    'Prisma, limit in the URL',
    `import { PrismaClient } from '@prisma/client'
     new PrismaClient({ datasourceUrl: process.env.DATABASE_URL + '?connection_limit=4' })`,
    'prisma',
    4,
    'url',
  ],
  [
    'Prisma, limit set on the URL',
    `import { PrismaClient } from '@prisma/client'
     const url = new URL(process.env.DATABASE_URL!)
     url.searchParams.set('connection_limit', '20')
     export const prisma = new PrismaClient({ datasources: { db: { url: url.toString() } } })`,
    'prisma',
    20,
    'url',
  ],
  [
    'Prisma, adapter',
    `import { PrismaPg } from '@prisma/adapter-pg'
     import { PrismaClient } from './generated/client.ts'
     new PrismaClient({ adapter: new PrismaPg({ connectionString: process.env.DATABASE_URL, max: 14 }) })`,
    'prisma',
    14,
    'literal',
  ],
  [
    'Prisma, adapter of a pool',
    `${PG}import { PrismaPg } from '@prisma/adapter-pg'\nconst pool = new Pool({ max: 14 })\nexport const adapter = new PrismaPg(pool)`,
    'pg',
    14,
    'literal',
  ],
  [
    'Prisma in Nest',
    `import { PrismaClient } from '@prisma/client'
     @Injectable() export class PrismaService extends PrismaClient implements OnModuleInit { async onModuleInit() {} }`,
    'prisma',
    9,
    'default',
  ],
  ['pg-boss', `import PgBoss from 'pg-boss'\nnew PgBoss(process.env.DATABASE_URL)`, 'pg-boss', 10, 'default'],
  [
    'pg-boss, options',
    `import { PgBoss } from 'pg-boss'\nnew PgBoss({ connectionString: url, max: 4 })`,
    'pg-boss',
    4,
    'literal',
  ],
  [
    'better-auth',
    `${PG}import { betterAuth } from 'better-auth'\nbetterAuth({ database: new Pool({ connectionString: url }) })`,
    'better-auth',
    10,
    'default',
  ],
  [
    'langgraph',
    `import { PostgresSaver } from '@langchain/langgraph-checkpoint-postgres'\nPostgresSaver.fromConnString(url)`,
    'langgraph',
    10,
    'default',
  ],
  [
    'connect-pg-simple',
    `const session = require('express-session')
     const pgSession = require('connect-pg-simple')(session)
     app.use(session({ store: new pgSession({ conString: process.env.DATABASE_URL }) }))`,
    'connect-pg-simple',
    10,
    'default',
  ],
  [
    'graphile-worker',
    `import { run } from 'graphile-worker'\nrun({ connectionString: url, maxPoolSize: 6 })`,
    'graphile-worker',
    6,
    'literal',
  ],
  [
    '@fastify/postgres',
    `import fastifyPostgres from '@fastify/postgres'\nfastify.register(fastifyPostgres, { connectionString: url, max: 6 })`,
    'fastify-postgres',
    6,
    'literal',
  ],
  [
    'pg-promise',
    `import pgPromise from 'pg-promise'\nconst pgp = pgPromise()\nexport const db = pgp({ max: 6 })`,
    'pg-promise',
    6,
    'literal',
  ],
  [
    'GuardedPool',
    `import { GuardedPool } from '@poolguard/pg'\nnew GuardedPool({ url, pool: { max: 6 } })`,
    'pg',
    6,
    'literal',
  ],
])('%s', (_what, source, library, max, from) => {
  expect(poolsIn(source).map((pool) => [pool.library, pool.max, pool.maxFrom.kind])).toEqual([[library, max, from]])
})

test.each([
  [
    'a pool of the app, handed to Drizzle',
    `import { drizzle } from 'drizzle-orm/node-postgres'\ndrizzle({ client: pool })`,
  ],
  ['a client, handed to Drizzle', `import { drizzle } from 'drizzle-orm/postgres-js'\ndrizzle(client, { schema })`],
  ['a pool, handed to graphile-worker', `import { run } from 'graphile-worker'\nrun({ pgPool: pool })`],
  ['a pool, handed to sessions', `new (require('connect-pg-simple')(session))({ pool })`],
  ["the app's database, handed to pg-boss", `import PgBoss from 'pg-boss'\nnew PgBoss({ db })`],
  ['another database', `import { DataSource } from 'typeorm'\nnew DataSource({ type: 'mysql', poolSize: 15 })`],
  ['another dialect', `import { Sequelize } from 'sequelize'\nnew Sequelize({ dialect: 'mysql', pool: { max: 9 } })`],
  ['another client', `import knex from 'knex'\nknex({ client: 'better-sqlite3', pool: { max: 9 } })`],
  ['a rate limit', `app.register(rateLimit, { max: 1000 })`],
  ['a comment', `// new Pool({ max: 500 })\nconst text = 'new Pool({ max: 600 })'`],
  ['a class of the app', `class Pool {}\nnew Pool({ max: 5 })`],
  ['a type', `import type { Pool } from 'pg'\nexport const use = (pool: Pool) => pool.query('select 1')`],
])('opens no pool: %s', (_what, source) => {
  expect(poolsIn(source)).toEqual([])
})

test('Prisma of another database opens no pool', () => {
  const source = `import { PrismaClient } from '@prisma/client'\nnew PrismaClient()`
  expect(poolsIn(source, { prismaVariable: undefined })).toEqual([])
})

test('a size in another source, by a relative import and by an alias', () => {
  const config = 'export const POOL_SIZE = 22\nexport default { max: 23 }'
  expect(
    poolsIn({
      'src/db.ts': `${PG}import { POOL_SIZE } from './config.js'\nnew Pool({ max: POOL_SIZE })`,
      'src/config.ts': config,
    }),
  ).toMatchObject([{ max: 22, maxFrom: { kind: 'constant', name: 'POOL_SIZE' }, maxFile: 'src/config.ts', maxLine: 1 }])
  expect(
    poolsIn({ 'src/db.ts': `${PG}import config from '@/config'\nnew Pool(config)`, 'src/config.ts': config }),
  ).toMatchObject([{ max: 23, file: 'src/db.ts', line: 3, maxFile: 'src/config.ts', maxLine: 2 }])
})

test("the environment's value wins over the fallback", () => {
  const source = `${PG}new Pool({ max: Number(process.env.DB_POOL_MAX ?? 10), connectionString: process.env.ORDERS_URL })`
  expect(poolsIn(source, { variables: { DB_POOL_MAX: '40' } })).toMatchObject([
    { max: 40, maxFrom: { kind: 'variable', variable: 'DB_POOL_MAX', fallback: 10 }, urlVariable: 'ORDERS_URL' },
  ])
})

test("connection_limit in the variable of Prisma's URL", () => {
  const source = `import { PrismaClient } from '@prisma/client'\nnew PrismaClient()`
  expect(poolsIn(source, { variables: { DATABASE_URL: 'postgres://db/app?connection_limit=17' } })).toMatchObject([
    {
      max: 17,
      maxFrom: { kind: 'url', parameter: 'connection_limit', variable: 'DATABASE_URL' },
      urlVariable: 'DATABASE_URL',
    },
  ])
})

test('a pool for the master and for each replica', () => {
  const source = `import { DataSource } from 'typeorm'
export default new DataSource({ type: 'postgres', poolSize: 15, replication: { master: { url: process.env.A }, slaves: [{ url: b }, { url: c }] } })`
  expect(poolsIn(source)).toMatchObject([{ pools: 3, max: 15, urlVariable: 'A' }])
})

test('options that a command line and the app share are one pool', () => {
  const options = `export const options = { type: 'postgres', url: process.env.DATABASE_URL, poolSize: 15 }`
  expect(
    poolsIn({
      'src/data-source.ts': `import { DataSource } from 'typeorm'\n${options}\nexport default new DataSource(options)`,
      'src/app.module.ts': `import { TypeOrmModule } from '@nestjs/typeorm'\nimport { options } from './data-source'\nTypeOrmModule.forRoot(options)`,
    }),
  ).toHaveLength(1)
})

const POOL = 'new Pool({ connectionString: process.env.DATABASE_URL })'
test.each<[what: string, source: string, per: PoolInSource['per'], app?: Partial<AppContext>]>([
  ['at the top level', `export const pool = ${POOL}`, 'process'],
  ['with a development server', `export const pool = ${POOL}`, 'reload', { reloads: true }],
  [
    'kept on globalThis',
    `const g = globalThis as unknown as { pool?: Pool }\nexport const pool = g.pool ?? ${POOL}\nif (process.env.NODE_ENV !== 'production') g.pool = pool`,
    'process',
    { reloads: true },
  ],
  ['kept with ??=', `export const pool = (globalThis.pool ??= ${POOL})`, 'process', { reloads: true }],
  [
    'kept with if',
    `if (!global.pool) global.pool = ${POOL}\nexport const pool = global.pool`,
    'process',
    { reloads: true },
  ],
  [
    'kept by a condition',
    `export const pool = globalThis.pool ? globalThis.pool : ${POOL}`,
    'process',
    { reloads: true },
  ],
  [
    'made in production, kept in development',
    `let pool\nif (process.env.NODE_ENV === 'production') { pool = ${POOL} } else { if (!global.pool) global.pool = ${POOL}\npool = global.pool }`,
    'process',
    {},
  ],
  [
    'a factory under a guard',
    `const make = () => ${POOL}\nconst g = globalThis as any\nexport const pool = g.pool ?? make()`,
    'process',
    { reloads: true },
  ],
  ['a factory without a guard', `const make = () => ${POOL}\nexport const pool = make()`, 'reload', { reloads: true }],
  [
    'of a name',
    "import { guardPool } from '@poolguard/pg'\nexport const pool = guardPool({ name: 'orders' })",
    'process',
    { reloads: true },
  ],
  [
    'of a name, by a constructor',
    "import { GuardedPool } from '@poolguard/pg'\nexport const pool = new GuardedPool({ name: 'orders' })",
    'reload',
    { reloads: true },
  ],
  ['a singleton', `export const pool = singleton('pool', () => ${POOL})`, 'process', { reloads: true }],
  ['in a route', `app.get('/', async (req, reply) => { const pool = ${POOL}; return pool.query('') })`, 'call'],
  [
    'in a handler of Next',
    `export async function GET() { const pool = ${POOL}; return Response.json(await pool.query('')) }`,
    'call',
  ],
  ['in a handler with a request', `export default async function orders(req, res) { const pool = ${POOL} }`, 'call'],
  [
    'in a query function',
    `export async function query(text: string) { const pool = ${POOL}; try { return await pool.query(text) } finally { await pool.end() } }`,
    'call',
  ],
  ['for a tenant', `export function poolFor(tenant: string) { return new Pool({ database: tenant }) }`, 'call'],
  [
    'for a tenant, kept',
    `const pools = new Map()\nexport function poolFor(tenant: string) { let pool = pools.get(tenant)\nif (!pool) { pool = new Pool({ database: tenant }); pools.set(tenant, pool) }\nreturn pool }`,
    'call',
  ],
  [
    'for a tenant, kept in an object',
    `const pools = {}\nexport function poolFor(id) { return (pools[id] ??= new Pool({ database: id })) }`,
    'call',
  ],
  [
    'made once, when needed',
    `let pool\nexport function getPool() { if (!pool) { pool = ${POOL} }\nreturn pool }`,
    'process',
  ],
  [
    'made once, returned early',
    `let pool\nexport function getPool() { if (pool) return pool\npool = ${POOL}\nreturn pool }`,
    'process',
  ],
  ['in main', `async function main() { const pool = ${POOL}; await serve(pool) }\nmain()`, 'process'],
  ['in a service', `@Injectable() export class Db { private readonly pool = ${POOL} }`, 'process'],
  [
    "in a service's constructor",
    `@Injectable() export class Db { pool; constructor(config: ConfigService) { this.pool = ${POOL} } }`,
    'process',
  ],
  [
    'in a service of each request',
    `@Injectable({ scope: Scope.REQUEST }) export class Db { pool; constructor() { this.pool = ${POOL} } }`,
    'call',
  ],
  ['in a provider', `export const provider = { provide: 'POOL', useFactory: (config) => ${POOL} }`, 'process'],
  [
    'in a plugin',
    `export default fp(async (fastify, opts) => { const pool = ${POOL}; fastify.decorate('pool', pool) })`,
    'process',
  ],
  [
    'in a method for each call',
    `export class Repo { async find() { const pool = ${POOL}; return pool.query('') } }`,
    'call',
  ],
])('how often: %s', (_what, source, per, app) => {
  const found = poolsIn(`${PG}${source}`, app)
  expect(found.map((each) => each.per)).toEqual(found.map(() => per))
  expect(found.length).toBeGreaterThan(0)
})

test('an adapter of poolguard inside a call of the ORM is one pool', () => {
  const source = `import { TypeOrmModule } from '@nestjs/typeorm'
import { guardDataSource } from '@poolguard/typeorm'
TypeOrmModule.forRoot(guardDataSource({ type: 'postgres', poolSize: 5 }, { fleet: { app: 'orders' } }))`
  expect(poolsIn(source)).toMatchObject([{ library: 'typeorm', guarded: true, max: 5 }])
})

test.each([
  ['a list of databases', `export const pools = ['a', 'b', 'c'].map((database) => new Pool({ database, max: 12 }))`, 3],
  [
    'calls of a factory',
    `const make = (options) => new Pool({ ...options, max: 12 })\nexport const a = make({}), b = make({})`,
    2,
  ],
])('pools that loading a module creates: %s', (_what, source, pools) => {
  expect(poolsIn(`${PG}${source}`)).toMatchObject([{ pools, max: 12, per: 'process' }])
})
