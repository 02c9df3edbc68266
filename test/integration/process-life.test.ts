import { execFile } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
})
afterAll(() => server.stop())

interface Ended {
  readonly code: unknown
  readonly output: string
  readonly aliveMillis: number
}

/** Runs a program, which has `url`, and tells how long it lived after it said `last`. */
function run(program: string): Promise<Ended> {
  const script = `const url = ${JSON.stringify(server.url)}\n${program}`
  const { promise, resolve } = Promise.withResolvers<Ended>()
  let saidLast = 0
  const options = { cwd: import.meta.dirname, timeout: 60_000 }
  const child = execFile(process.execPath, ['--input-type=module', '-e', script], options, (error, stdout, stderr) =>
    resolve({
      code: error ? (error.code ?? error.signal) : 0,
      output: stdout + stderr,
      aliveMillis: performance.now() - saidLast,
    }),
  )
  child.stdout?.on('data', (chunk) => {
    if (String(chunk).includes('last')) saidLast = performance.now()
  })
  return promise
}

/** Waits for a second connection of a pool of one, while nothing else keeps the process alive, and says what came of it. */
const WAITS: Record<string, string> = {
  pg: `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool({ url, pool: { max: 1, acquireTimeoutMillis: 1_000 } })
    const client = await pool.connect()
    client.unref()
    await pool.connect().catch((error) => console.log(error.code))`,
  'pg with allowExitOnIdle': `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool({ url, allowExitOnIdle: true, pool: { max: 1, acquireTimeoutMillis: 1_000 } })
    const client = await pool.connect()
    client.unref()
    await pool.query('select 1').catch((error) => console.log(error.code))`,
  'pg, whose server is away': `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool({ url: 'postgresql://127.0.0.1:1/app', pool: { acquireTimeoutMillis: 1_000 } })
    await pool.query('select 1').catch((error) => console.log(error.code ? 'POOLGUARD_ACQUIRE_TIMEOUT' : error))`,
  'postgres.js': `
    import net from 'node:net'
    import { guardPostgres } from '@poolguard/postgres-js'
    const connect = net.connect
    let socket
    net.connect = (...args) => (socket = connect(...args))
    const sql = guardPostgres(url, { pool: { max: 1, acquireTimeoutMillis: 1_000 } })
    await sql.reserve()
    socket.unref()
    await sql\`select 1\`.catch((error) => console.log(error.code))`,
  sqlite: `
    import { SqlitePool } from '@poolguard/sqlite'
    const pool = new SqlitePool({ file: ':memory:', pool: { acquireTimeoutMillis: 1_000 } })
    await pool.transaction(() => pool.query('select 1')).catch((error) => console.log(error.code))`,
}

describe('a caller that waits is answered before the process ends', () => {
  test.each(Object.entries(WAITS))('with %s', async (_driver, program) => {
    expect(await run(`${program}\nprocess.exit(0)`)).toMatchObject({ code: 0, output: 'POOLGUARD_ACQUIRE_TIMEOUT\n' })
  })

  test('where it waits for what is at the other end', async () => {
    const program = `
      import { GuardedPool } from '@poolguard/pg'
      const pool = new GuardedPool({ url: 'postgresql://127.0.0.1:1/app', pool: { acquireTimeoutMillis: 1_000 } })
      await pool.ready().catch(() => console.log('answered'))
      process.exit(0)`
    expect(await run(program)).toMatchObject({ code: 0, output: 'answered\n' })
  })
})

/** None of its connections is open, or keeps it alive. */
const ENDS: Record<string, string> = {
  'its only client was destroyed': `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool({ url, pool: { idleTimeoutMillis: 60_000 } })
    const client = await pool.connect()
    await client.query('select 1')
    client.release(true)`,
  'allowExitOnIdle is set': `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool({ url, allowExitOnIdle: true, pool: { idleTimeoutMillis: 60_000 } })
    await Promise.all([1, 2, 3].map(() => pool.query('select 1')))`,
  'its server has gone, and min is set': `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool({ url: 'postgresql://127.0.0.1:1/app', min: 2, pool: { acquireTimeoutMillis: 500 } })
    await pool.query('select 1').catch(() => {})`,
  'a fleet of its own has looked': `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool({ url, allowExitOnIdle: true, fleet: { app: 'life' }, pool: { idleTimeoutMillis: 60_000 } })
    await pool.query('select 1')`,
  'its pool was ended': `
    import { GuardedPool } from '@poolguard/pg'
    import { guardPostgres } from '@poolguard/postgres-js'
    const pool = new GuardedPool({ url })
    await pool.query('select 1')
    await pool.end()
    const sql = guardPostgres(url)
    await sql\`select 1\`
    await sql.end()`,
}

describe('a process ends by itself when', () => {
  test.each(Object.entries(ENDS))('%s', async (_when, program) => {
    const { code, aliveMillis } = await run(`${program}\nconsole.log('last')`)
    expect(code).toBe(0)
    expect(aliveMillis).toBeLessThan(10_000)
  })
})
