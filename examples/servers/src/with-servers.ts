#!/usr/bin/env node
/**
 * Runs an example: `with-servers [--pgbouncer] [--instances 3] [--sql schema.sql] node src/main.ts`.
 *
 * Uses DATABASE_URL if it is set. Otherwise starts a temporary PostgreSQL; with `--pgbouncer` also a PgBouncer, and then DATABASE_URL
 * points to PgBouncer and DIRECT_URL to PostgreSQL. Instance i listens on PORT + i.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { startPgBouncer, startPostgres } from '@poolguard/test/harness'

const OPTIONS = {
  pgbouncer: { type: 'boolean', default: false },
  instances: { type: 'string', default: '1' },
  sql: { type: 'string' },
} as const

/** The exit code that shells use for a process ended by a signal. */
const ENDED_BY_SIGNAL: ReadonlySet<unknown> = new Set([130, 143])

const argv = process.argv.slice(2)
const commandAt = argv.findIndex((arg, i) => !arg.startsWith('--') && !takesValue(argv[i - 1]))
const { values } = parseArgs({ args: argv.slice(0, commandAt), options: OPTIONS })
const [command = '', ...args] = argv.slice(commandAt)

await using servers = await startServers()
process.exitCode = await runInstances(servers.env)

function takesValue(arg: string | undefined): boolean {
  return arg === '--instances' || arg === '--sql'
}

async function startServers(): Promise<AsyncDisposable & { readonly env: NodeJS.ProcessEnv }> {
  if (process.env.DATABASE_URL) return { env: {}, [Symbol.asyncDispose]: async () => {} }
  const postgres = await startPostgres({ maxConnections: 30 })
  if (values.sql) await postgres.query(`set role app;\n${readFileSync(values.sql, 'utf8')}`)
  const pooler = values.pgbouncer ? await startPgBouncer({ poolMode: 'transaction', upstream: postgres }) : undefined
  console.log(`${pooler ? 'PgBouncer' : 'PostgreSQL'} on ${new URL((pooler ?? postgres).url).host}`)
  return {
    env: { DATABASE_URL: pooler?.url ?? postgres.url, DIRECT_URL: postgres.url },
    async [Symbol.asyncDispose]() {
      await pooler?.stop()
      await postgres.stop()
    },
  }
}

/** The first exit code of an instance that ended by itself. */
async function runInstances(env: NodeJS.ProcessEnv): Promise<number> {
  const port = Number(process.env.PORT ?? 3000)
  const children = Array.from({ length: Number(values.instances) }, (_, i) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, ...env, PORT: String(port + i) } })
    console.log(`Port ${port + i}: process ${child.pid}`)
    return child
  })
  // A terminal sends SIGINT to the children as well; a supervisor sends SIGTERM to this process only.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => {
    for (const child of children) child.kill('SIGTERM')
  })
  const codes = await Promise.all(
    children.map(async (child) => {
      const [code, signal] = await once(child, 'exit')
      return signal !== null || ENDED_BY_SIGNAL.has(code) ? 0 : (code as number)
    }),
  )
  return codes.find((code) => code !== 0) ?? 0
}
