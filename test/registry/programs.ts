/** A small app on one of the packages, written once for ES modules and CommonJS. */
export interface Program {
  /** What is installed beside the packages that it imports: their peers. */
  readonly peers: readonly string[]
  /** The names that it imports from each module. */
  readonly imports: Readonly<Record<string, readonly string[]>>
  /** Statements in an async function, with the address as `url`; returns what `EXPECTED` says. */
  readonly body: string
}

/** What each program prints, as JSON. */
export const EXPECTED = { answer: 42, pools: 1 }

export const PROGRAMS: Readonly<Record<string, Program>> = {
  '@poolguard/pg': {
    peers: ['pg'],
    imports: { '@poolguard/core': ['snapshotPools'], '@poolguard/pg': ['GuardedPool'] },
    body: `const pool = new GuardedPool({ url, name: 'app' })
  const { rows } = await pool.query('select 40 + 2 as answer')
  const pools = snapshotPools().length
  await pool.end()
  return { answer: rows[0].answer, pools }`,
  },
  '@poolguard/postgres-js': {
    peers: ['postgres'],
    imports: { '@poolguard/core': ['snapshotPools'], '@poolguard/postgres-js': ['guardPostgres'] },
    body: `const sql = guardPostgres(url, { name: 'app' })
  const [{ answer }] = await sql\`select \${40}::int + 2 as answer\`
  const pools = snapshotPools().length
  await sql.end()
  return { answer, pools }`,
  },
  '@poolguard/drizzle': {
    peers: ['pg'],
    imports: {
      '@poolguard/core': ['snapshotPools'],
      '@poolguard/drizzle/node-postgres': ['drizzle'],
      'drizzle-orm': ['sql'],
    },
    body: `const db = drizzle({ connection: { url, name: 'app' } })
  const { rows } = await db.execute(sql\`select 40 + 2 as answer\`)
  const pools = snapshotPools().length
  await db.$client.end()
  return { answer: rows[0].answer, pools }`,
  },
  '@poolguard/drizzle without pg': {
    peers: ['postgres'],
    imports: {
      '@poolguard/core': ['snapshotPools'],
      '@poolguard/drizzle/postgres-js': ['drizzle'],
      'drizzle-orm': ['sql'],
    },
    body: `const db = drizzle({ connection: { url, name: 'app' } })
  const [{ answer }] = await db.execute(sql\`select 40 + 2 as answer\`)
  const pools = snapshotPools().length
  await db.$client.end()
  return { answer, pools }`,
  },
  '@poolguard/prisma': {
    peers: ['@prisma/adapter-pg', '@prisma/client'],
    imports: { '@poolguard/core': ['snapshotPools'], '@poolguard/prisma': ['PrismaPg'] },
    body: `const adapter = await new PrismaPg({ url, name: 'app' }).connect()
  const { rows } = await adapter.queryRaw({ sql: 'select 40 + 2 as answer', args: [], argTypes: [] })
  const pools = snapshotPools().length
  await adapter.dispose()
  return { answer: rows[0][0], pools }`,
  },
  '@poolguard/typeorm': {
    peers: ['pg'],
    imports: {
      '@poolguard/core': ['snapshotPools'],
      '@poolguard/typeorm': ['guardDataSource'],
      typeorm: ['DataSource'],
    },
    body: `const dataSource = new DataSource(guardDataSource({ type: 'postgres', url }, { name: 'app' }))
  await dataSource.initialize()
  const [{ answer }] = await dataSource.query('select 40 + 2 as answer')
  const pools = snapshotPools().length
  await dataSource.destroy()
  return { answer, pools }`,
  },
  '@poolguard/fastify': {
    peers: ['pg'],
    imports: { '@poolguard/fastify': ['default as poolguard'], fastify: ['fastify'] },
    body: `const app = fastify()
  app.register(poolguard, { pool: { url, name: 'app' }, details: true })
  app.get('/', async () => (await app.poolguard.pool.query('select 40 + 2 as answer')).rows[0])
  const { answer } = (await app.inject('/')).json()
  const { pools } = (await app.inject('/readyz')).json()
  await app.close()
  return { answer, pools: pools.length }`,
  },
  '@poolguard/fastify without pg': {
    peers: ['postgres'],
    imports: {
      '@poolguard/fastify': ['default as poolguard'],
      '@poolguard/postgres-js': ['guardPostgres'],
      fastify: ['fastify'],
    },
    body: `const sql = guardPostgres(url, { name: 'app' })
  const app = fastify()
  app.register(poolguard, { details: true })
  app.get('/', async () => (await sql\`select 40 + 2 as answer\`)[0])
  const { answer } = (await app.inject('/')).json()
  const { pools } = (await app.inject('/readyz')).json()
  await app.close()
  await sql.end()
  return { answer, pools: pools.length }`,
  },
  '@poolguard/nestjs': {
    peers: ['@nestjs/platform-express', 'pg', 'reflect-metadata', 'rxjs'],
    imports: {
      '@nestjs/common': ['Module'],
      '@nestjs/core': ['NestFactory'],
      '@poolguard/core': ['snapshotPools'],
      '@poolguard/nestjs': ['getPoolToken', 'PoolguardModule'],
    },
    body: `class AppModule {}
  Module({ imports: [PoolguardModule.forRoot({ url, name: 'app' })] })(AppModule)
  const app = await NestFactory.create(AppModule, { logger: ['error'] })
  await app.init()
  const { rows } = await app.get(getPoolToken()).query('select 40 + 2 as answer')
  const pools = snapshotPools().length
  await app.close()
  return { answer: rows[0].answer, pools }`,
  },
  '@poolguard/web': {
    peers: ['pg'],
    imports: { '@poolguard/pg': ['GuardedPool'], '@poolguard/web': ['poolguardWeb'], hono: ['Hono'] },
    body: `const pool = new GuardedPool({ url, name: 'app' })
  const app = new Hono()
  app.use(poolguardWeb({ details: true }).hono())
  app.get('/', async (context) => context.json((await pool.query('select 40 + 2 as answer')).rows[0]))
  const { answer } = await (await app.request('/')).json()
  const { pools } = await (await app.request('/readyz')).json()
  await pool.end()
  return { answer, pools: pools.length }`,
  },
  '@poolguard/sqlite': {
    peers: [],
    imports: { '@poolguard/core': ['snapshotPools'], '@poolguard/sqlite': ['SqlitePool'] },
    body: `const pool = new SqlitePool({ file: ':memory:', name: 'app' })
  const { rows } = await pool.query('select 40 + 2 as answer')
  const pools = new Set(snapshotPools().map((each) => each.name.replace(/ .*/, ''))).size
  await pool.close()
  return { answer: rows[0].answer, pools }`,
  },
}

/** What the manifest of a program's project lists: each package manager but npm and bun lets it import nothing else. */
export function dependenciesOf({ imports, peers }: Program): string[] {
  const imported = Object.keys(imports).map((module) => module.split('/', module.startsWith('@') ? 2 : 1).join('/'))
  return [...new Set([...imported, ...peers])]
}

/** The source of a program, as an ES module or as CommonJS. */
export function sourceOf({ imports, body }: Program, format: 'esm' | 'cjs'): string {
  const lines = Object.entries(imports).map(([module, names]) =>
    format === 'esm'
      ? `import { ${names.join(', ')} } from '${module}'`
      : `const { ${names.join(', ').replaceAll(' as ', ': ')} } = require('${module}')`,
  )
  return `${lines.join('\n')}
async function main(url) {
  ${body}
}
main(process.env.DATABASE_URL).then((seen) => console.log(JSON.stringify(seen)))
`
}
