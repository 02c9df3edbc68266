import { existsSync, statSync } from 'node:fs'
import { closePools, renderMetrics, runWithLabel, snapshotPools } from '@poolguard/core'
import { describe, expect, test } from 'vitest'
import { sharedSqlitePool } from './shared-sqlite-pool.ts'
import { SqlitePool } from './sqlite-pool.ts'
import { endOf, startChild } from './testing/child.ts'
import { DRIVERS, longQuery, newDatabase, openPool } from './testing/database-folder.ts'

const TABLE = 'CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)'
const INSERT = "INSERT INTO things (name) VALUES ('a')"

describe.each(DRIVERS)('the life of a pool on %s', (driver) => {
  test('opens connections on first use, on either side', async () => {
    const pool = openPool({ driver })
    expect(pool.getStats()).toMatchObject({ readers: { opened: 0 }, writer: { opened: 0 } })
    await pool.query('SELECT 1')
    expect(pool.getStats()).toMatchObject({ readers: { opened: 1 }, writer: { opened: 0 } })
  })

  test('drains on close: earlier statements are answered, later ones are rejected, and the WAL is in the file', async () => {
    const file = newDatabase()
    const pool = openPool({ file, driver, pool: { max: 1 } })
    await pool.exec(TABLE)
    await pool.query('SELECT 1')
    const rows = pool.iterate('SELECT * FROM things')
    const long = pool.query(longQuery(500_000))
    const waiting = pool.query('SELECT 1')
    await pool.query(INSERT)
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    const closing = pool.close()
    expect(pool.close()).toBe(closing)
    expect(pool.closed).toBe(true)
    expect((await waiting).rows).toEqual([{ 1: 1 }])
    expect((await long).rows).toEqual([{ n: 500_000 }])
    for (const late of [pool.query('SELECT 1'), pool.exec('SELECT 1'), pool.ready(), rows.next()]) {
      await expect(late).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
    }
    await closing
    expect(existsSync(`${file}-wal`)).toBe(false)
    expect(pool.getStats()).toMatchObject({ readers: { total: 0 }, writer: { total: 0 } })
    const again = openPool({ file, driver })
    expect((await again.query('SELECT name FROM things')).rows).toEqual([{ name: 'a' }])
  })

  test('writes the WAL back even while another process has the file open', async () => {
    const file = newDatabase()
    const other = openPool({ file, driver })
    const pool = openPool({ file, driver })
    await pool.exec(`${TABLE}; ${INSERT}`)
    expect((await other.query('SELECT name FROM things')).rows).toEqual([{ name: 'a' }])
    await pool.close()
    expect(statSync(`${file}-wal`).size).toBe(0)
  })

  test('rolls back a transaction that outlasts the drain', async () => {
    const file = newDatabase()
    const pool = openPool({ file, driver })
    await pool.exec(TABLE)
    const begun = Promise.withResolvers<void>()
    const stuck = pool.transaction(async (tx) => {
      await tx.query(INSERT)
      begun.resolve()
      await new Promise(() => {})
    })
    stuck.catch(() => {})
    await begun.promise
    await pool.close(20)
    expect((await openPool({ file, driver }).query('SELECT * FROM things')).rows).toEqual([])
  })

  test('closes idle connections, and opens them again', async () => {
    const pool = openPool({ driver, pool: { idleTimeoutMillis: 20 } })
    await pool.exec(TABLE)
    await pool.query('SELECT * FROM things')
    await expect.poll(() => pool.getStats()).toMatchObject({ readers: { total: 0 }, writer: { total: 0 } })
    await pool.query(INSERT)
    expect((await pool.query('SELECT name FROM things')).rows).toEqual([{ name: 'a' }])
  })

  test('opens min connections immediately', async () => {
    const pool = openPool({ driver, pool: { min: 2, max: 3 } })
    const opened = { readers: { idle: 2 }, writer: { idle: 1 } }
    await expect.poll(() => pool.getStats()).toMatchObject(opened)
  })

  test.skipIf(process.platform === 'win32' || typeof process.execve !== 'function').each<[how: string, sql: string]>([
    ['read', longQuery(1e12)],
    ['write', `INSERT INTO things ${longQuery(1e12)}`],
  ])('process.exit() does not wait for a long %s, and its code and listeners stay', async (_how, sql) => {
    const file = newDatabase()
    const child = startChild(`
      const pool = new SqlitePool({ file: ${JSON.stringify(file)}, driver: '${driver}' })
      await pool.exec('CREATE TABLE things (n INTEGER)')
      await pool.query('INSERT INTO things VALUES (1)')
      await pool.query('SELECT 1')
      void pool.query(${JSON.stringify(sql)})
      process.on('exit', (code) => console.log('listener', code))
      setTimeout(() => process.exit(3), 100)`)
    expect(await endOf(child)).toMatchObject({ code: 3, stdout: 'listener 3' })
    // Only committed rows remain.
    expect((await openPool({ file, driver }).query('SELECT n FROM things')).rows).toEqual([{ n: 1 }])
  })

  test('process.exit() waits for short statements', async () => {
    const file = newDatabase()
    const child = startChild(`
      const pool = new SqlitePool({ file: ${JSON.stringify(file)}, driver: '${driver}' })
      await pool.exec('CREATE TABLE things (n INTEGER)')
      void pool.query('INSERT INTO things VALUES (1)')
      setTimeout(() => process.exit(4), 50)`)
    expect(await endOf(child)).toMatchObject({ code: 4, stderr: expect.not.stringContaining('Error') })
  })

  test('an idle pool, open or closed, does not keep the process alive', async () => {
    for (const last of ['', 'await pool.close()']) {
      const program = `
        const pool = new SqlitePool({ file: ${JSON.stringify(newDatabase())}, driver: '${driver}' })
        await pool.exec(${JSON.stringify(TABLE)})
        setTimeout(async () => {
          await pool.query(${JSON.stringify(INSERT)})
          console.log((await pool.query('SELECT count(*) AS n FROM things')).rows[0].n)
          ${last}
        }, 10)`
      expect(await endOf(startChild(program))).toEqual({ code: 0, stdout: '1', stderr: '' })
    }
  })
})

test.each(['--max-old-space-size=200', '--expose-gc', '--input-type=module'])(
  'threads start under %s',
  async (flag) => {
    const program = "console.log((await new SqlitePool({ file: ':memory:' }).query('SELECT 7 AS n')).rows[0].n)"
    expect(await endOf(startChild(program, { execArgv: [flag] }))).toEqual({ code: 0, stdout: '7', stderr: '' })
  },
)

test('callers wait for the writer in order, up to their timeouts', async () => {
  const pool = openPool({ pool: { acquireTimeoutMillis: 1_500 } })
  await pool.exec(TABLE)
  const order: string[] = []
  const held = Promise.withResolvers<void>()
  const long = pool.transaction(() => held.promise)
  await expect(pool.query(INSERT)).rejects.toMatchObject({
    code: 'POOLGUARD_ACQUIRE_TIMEOUT',
    message: expect.stringContaining('No connection from pool "app.writer"'),
  })
  held.resolve()
  await long
  await Promise.all(
    ['a', 'b', 'c'].map((name) =>
      pool.transaction(() => {
        order.push(name)
      }),
    ),
  )
  expect(order).toEqual(['a', 'b', 'c'])
})

test('a caller above maxWaiters is rejected immediately', async () => {
  const pool = openPool({ pool: { maxWaiters: 0 } })
  await pool.transaction(async () => {
    await expect(pool.transaction(() => {})).rejects.toMatchObject({ code: 'POOLGUARD_SATURATED' })
  })
})

test('the registry has two pools for a SqlitePool, and closePools closes them', async () => {
  const file = newDatabase()
  const pool = openPool({ file, name: 'orders' })
  await pool.exec(TABLE)
  await pool.query('SELECT 1')
  const ours = snapshotPools().filter(({ name }) => name.startsWith('orders.'))
  expect(ours).toMatchObject([
    { name: 'orders.writer', target: file, stats: { acquired: 1, max: 1 }, topology: null },
    { name: 'orders.readers', target: file, stats: { acquired: 1 } },
  ])
  expect(renderMetrics().body.toString()).toContain(
    'db_client_connection_max{db_client_connection_pool_name="orders.writer"} 1',
  )
  expect(pool.health()).toEqual({
    status: 'healthy',
    pools: [
      { name: 'orders.readers', status: 'healthy', reasons: [] },
      { name: 'orders.writer', status: 'healthy', reasons: [] },
    ],
  })
  await closePools()
  expect(pool.closed).toBe(true)
  expect(snapshotPools().filter(({ name }) => name.startsWith('orders.'))).toEqual([])
})

test('waits are measured by route, even for statements that share a message', async () => {
  const pool = openPool()
  const read = () => pool.query('SELECT 1')
  await read()
  await read()
  const routes = ['GET /a', 'GET /b']
  await Promise.all(routes.flatMap((route) => runWithLabel(route, () => [read(), read()])))
  expect(Object.keys(pool.getStats().readers.waitByLabel)).toEqual(routes)
})

test('health counts callers that wait for the writer', async () => {
  const pool = openPool()
  const waiting = await pool.transaction(async () => {
    const others = Array.from({ length: 25 }, () => pool.transaction(() => {}))
    await expect.poll(() => pool.getStats().writer.waiting).toBe(25)
    expect(pool.health().status).toBe('critical')
    return Promise.all.bind(Promise, others)
  })
  await waiting()
})

test('given a name, then all loads of a module share one pool', async () => {
  const options = { file: newDatabase(), name: 'held' }
  const first = sharedSqlitePool(options)
  const second = sharedSqlitePool({ ...options })
  expect(second.pool).toBe(first.pool)
  await first.end()
  expect(first.pool.closed).toBe(false)
  await second.end()
  expect(first.pool.closed).toBe(true)
})

test('an unused pool closes immediately', async () => {
  const pool = new SqlitePool({ file: newDatabase() })
  await pool.close()
  await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
})
