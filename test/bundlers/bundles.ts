import { execFile } from 'node:child_process'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import path from 'node:path'
import { promisify } from 'node:util'
import { startPostgres } from '@poolguard/test/harness'
import * as esbuild from 'esbuild'
import { build as vite } from 'vite'
import webpack from 'webpack'

const run = promisify(execFile)
const require = createRequire(import.meta.url)

/** Optional parts of pg and postgres.js for other runtimes, which the drivers try to load. */
const EXTERNAL = ['pg-native', 'pg-cloudflare']

/** An app as users deploy it: an ORM, a fleet (loaded when a pool has joined one), a framework, and an error that a program recognizes. */
const APP = `
import { drizzle } from '@poolguard/drizzle/node-postgres'
import poolguard from '@poolguard/fastify'
import { guardPostgres } from '@poolguard/postgres-js'
import Fastify from 'fastify'

const url = process.env.DATABASE_URL
const db = drizzle({ connection: { url, name: 'bundled', fleet: { app: 'bundled' }, pool: { acquireTimeoutMillis: 2_000 } } })
const sql = guardPostgres(url, { name: 'bundled-sql' })
const app = Fastify()
app.register(poolguard)
await db.$client.ready()
const { rows } = await db.execute('select 1 as one')
const [{ two }] = await sql\`select \${2}::int as two\`
const { statusCode } = await app.inject('/readyz')
while (!db.$client.snapshot().fleet?.instances) await new Promise((resolve) => setTimeout(resolve, 20))
db.$client.resize({ max: 1 })
const client = await db.$client.connect()
const error = await db.$client.connect().catch((reason) => reason)
client.release()
const { fleet, topology } = db.$client.snapshot()
const seen = { one: rows[0].one, two, statusCode, error: error.name, code: error.code, kind: topology.kind, members: fleet?.instances }
await Promise.all([app.close(), db.$client.end(), sql.end()])
console.log(JSON.stringify(seen))
`

const EXPECTED = {
  one: 1,
  two: 2,
  statusCode: 200,
  error: 'AcquireTimeoutError',
  code: 'POOLGUARD_ACQUIRE_TIMEOUT',
  kind: 'direct',
  members: 1,
}

/** Each bundles and minifies the entry into a folder, and returns the program. */
const BUNDLERS: Readonly<Record<string, (entry: string, outDir: string) => Promise<string>>> = {
  async esbuild(entry, outDir) {
    await esbuild.build({
      ...{ entryPoints: [entry], outdir: outDir, bundle: true, minify: true, splitting: true, external: EXTERNAL },
      ...{ platform: 'node', format: 'esm', outExtension: { '.js': '.mjs' }, logLevel: 'silent' },
      // The drivers are CommonJS modules, which require Node's own.
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    })
    return path.join(outDir, 'main.mjs')
  },
  async vite(entry, outDir) {
    await vite({
      ...{ root: path.dirname(entry), configFile: false, logLevel: 'silent' },
      build: { ssr: entry, outDir, minify: true, rollupOptions: { external: EXTERNAL } },
      ssr: { noExternal: true },
    })
    const [program = 'main.mjs'] = (await readdir(outDir)).filter((file) => /^main\.m?js$/.test(file))
    return path.join(outDir, program)
  },
  async webpack(entry, outDir) {
    const compile = promisify(
      webpack as (options: webpack.Configuration, done: (error: Error | null, stats?: webpack.Stats) => void) => void,
    )
    const stats = await compile({
      ...{ entry, mode: 'production', target: 'node', context: path.dirname(entry) },
      externals: Object.fromEntries(EXTERNAL.map((name) => [name, `commonjs ${name}`])),
      output: { path: outDir, filename: 'main.mjs', module: true, chunkFormat: 'module' },
      experiments: { outputModule: true },
    })
    if (stats?.hasErrors()) throw new Error(stats.toString({ all: false, errors: true }))
    return path.join(outDir, 'main.mjs')
  },
  async ncc(entry, outDir) {
    const ncc = require('@vercel/ncc') as (
      entry: string,
      options: object,
    ) => Promise<{ code: string; assets: Readonly<Record<string, { source: string | Buffer }>> }>
    const { code, assets } = await ncc(entry, { minify: true, quiet: true, externals: EXTERNAL })
    await mkdir(outDir, { recursive: true })
    for (const [name, { source }] of Object.entries(assets)) {
      await mkdir(path.dirname(path.join(outDir, name)), { recursive: true })
      await writeFile(path.join(outDir, name), source)
    }
    const program = path.join(outDir, 'main.mjs')
    await writeFile(program, code)
    return program
  },
}

/** Bundles an app with the installed packages by each bundler, and runs the bundle without `node_modules`. Returns the problems. */
export async function checkBundles(folder: string): Promise<string[]> {
  const entry = path.join(folder, 'app/main.mjs')
  await writeFile(entry, APP)
  await using server = await startPostgres({ maxConnections: 20 })
  const problems: string[] = []
  for (const [name, bundle] of Object.entries(BUNDLERS)) {
    const problem = await bundle(entry, path.join(folder, 'bundles', name)).then(
      (program) => runBundle(program, server.url),
      (error: Error) => `does not build: ${error.message}`,
    )
    if (problem !== undefined) problems.push(`${name}: the bundled app ${problem}`)
  }
  return problems
}

async function runBundle(program: string, url: string): Promise<string | undefined> {
  try {
    const env = { PATH: process.env.PATH, DATABASE_URL: url }
    const { stdout } = await run(process.execPath, [program], { env, timeout: 60_000 })
    const seen = JSON.stringify(JSON.parse(stdout.trim().split('\\n').at(-1) ?? ''))
    return seen === JSON.stringify(EXPECTED) ? undefined : `prints ${seen} instead of ${JSON.stringify(EXPECTED)}`
  } catch (error) {
    return `fails: ${(error as { stderr?: string }).stderr || String(error)}`
  }
}
