import { once } from 'node:events'
import { statSync } from 'node:fs'
import type { PoolEvent } from '@poolguard/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SqlitePool } from './sqlite-pool.ts'
import { endOf, saidBy, startChild } from './testing/child.ts'
import { DRIVERS, longQuery, newDatabase, openPool } from './testing/database-folder.ts'
import { ReadGate } from './wal/read-gate.ts'

const MIB = 2 ** 20
const ROW = Buffer.alloc(3_000, 7)

describe.each(DRIVERS)('the WAL with %s', (driver) => {
  test('stays small while long reads overlap', async () => {
    const { pool, walBytes } = await openSmall({ driver })
    const reads = overlapReads(pool, 2)
    await write(pool, 16 * MIB)
    await expect.poll(() => walBytes()).toBeLessThanOrEqual(2 * MIB)
    expect(reads.done()).toBeGreaterThan(0)
    await reads.stop()
    expect(walReasons(pool)).toEqual([])
  })

  test('is truncated when the read that blocks it ends, and is reported until then', async () => {
    const events: PoolEvent[] = []
    const { pool, walBytes } = await openSmall({
      driver,
      onEvent: (event) => events.push(event),
      pool: { captureStacks: 'always' },
    })
    const warnings = () => events.filter(({ type }) => type === 'warning')
    const rows = pool.iterate('SELECT id, data FROM things')
    await rows.next()
    await write(pool, 4 * MIB)

    await expect.poll(() => warnings()).toHaveLength(1)
    expect(warnings()[0]).toMatchObject({
      message: expect.stringMatching(/^The WAL of app\.db has \d+\.\d MiB.*"app\.readers" has been open for .* s/),
    })
    expect(walReasons(pool)).toEqual([expect.stringContaining('cannot be reset: a read on "app.readers"')])
    expect(pool.health().status).not.toBe('healthy')
    // Other callers can read and write meanwhile.
    expect((await pool.query('SELECT count(*) AS n FROM things')).rows).toEqual([{ n: 500 }])
    await write(pool, MIB)
    expect(warnings()).toHaveLength(1)

    await rows.return()
    await expect.poll(() => walBytes()).toBe(0)
    expect(walReasons(pool)).toEqual([])
  })

  test('is truncated during an iteration that has read all of its rows', async () => {
    const { pool, walBytes } = await openSmall({ driver })
    const rows = pool.iterate('SELECT id FROM things LIMIT 2')
    await rows.next()
    await write(pool, 4 * MIB)
    await expect.poll(() => walBytes()).toBeLessThanOrEqual(MIB)
    expect(await rows.next()).toMatchObject({ value: { id: 2 } })
    await rows.return()
  })

  test('is truncated after a large transaction, which is reported meanwhile', async () => {
    const { pool, walBytes } = await openSmall({ driver })
    const written = Promise.withResolvers<void>()
    const mayCommit = Promise.withResolvers<void>()
    const transaction = pool.transaction(async (tx) => {
      await tx.exec('PRAGMA cache_size = 10')
      await tx.query('INSERT INTO things VALUES (1000, randomblob(?))', [8 * MIB])
      written.resolve()
      await mayCommit.promise
    })
    await written.promise
    // Reads do not wait for a transaction that writes.
    const reasons = async () => {
      await pool.query(longQuery(10_000))
      return walReasons(pool)
    }
    await expect.poll(reasons).toEqual([expect.stringContaining('a transaction on "app.writer"')])
    mayCommit.resolve()
    await transaction
    await expect.poll(() => walBytes()).toBeLessThanOrEqual(MIB)
    expect(walReasons(pool)).toEqual([])
  })

  test('of a killed process is truncated by the next process', async () => {
    const file = newDatabase()
    const child = startChild(`
      const pool = new SqlitePool({ file: ${JSON.stringify(file)}, driver: '${driver}', maxWalBytes: Infinity })
      await pool.exec('CREATE TABLE things (id INTEGER PRIMARY KEY, data BLOB)')
      await pool.query('INSERT INTO things VALUES (1, zeroblob(?))', [${8 * MIB}])
      console.log('written')
      setInterval(() => {}, 1_000)`)
    await saidBy(child)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(sizeOf(`${file}-wal`)).toBeGreaterThan(8 * MIB)

    const pool = openPool({ file, driver, maxWalBytes: 2 * MIB })
    const { rows } = await pool.query('SELECT length(data) AS n FROM things')
    expect(rows).toEqual([{ n: 8 * MIB }])
    await expect.poll(() => sizeOf(`${file}-wal`)).toBe(0)
  })

  test('stays small while long reads of another process overlap with those of this one', async () => {
    const file = newDatabase()
    const { pool, walBytes } = await openSmall({ driver, file })
    const child = startChild(`
      const pool = new SqlitePool({ file: ${JSON.stringify(file)}, driver: '${driver}', maxWalBytes: ${2 * MIB}, onEvent() {} })
      let stopped = false
      const reads = [0, 1].map(async () => { while (!stopped) await pool.query(${JSON.stringify(reading())}) })
      process.stdin.once('data', () => { stopped = true })
      await pool.query('SELECT 1')
      console.log('reading')
      await Promise.all(reads)
      await pool.close()
      process.exit()`)
    await saidBy(child)
    const reads = overlapReads(pool, 1)
    for (let written = 0; written < 8 * MIB; written += MIB) await write(pool, MIB)
    await expect.poll(() => walBytes()).toBeLessThanOrEqual(2 * MIB)
    child.stdin?.write('stop')
    expect(await endOf(child)).toMatchObject({ code: 0, stderr: '' })
    await reads.stop()
  })

  test('has its settings restored after a caller changed them', async () => {
    const { pool } = await openSmall({ driver })
    const settings = async () => [
      (await pool.query('PRAGMA journal_size_limit')).rows,
      (await pool.query('PRAGMA wal_autocheckpoint')).rows,
    ]
    const before = await settings()
    expect(before).toEqual([[{ journal_size_limit: MIB }], [{ wal_autocheckpoint: 128 }]])
    await pool.exec('PRAGMA journal_size_limit = -1; PRAGMA wal_autocheckpoint = 0')
    expect(await settings()).toEqual(before)
  })
})

test('a read within an iteration that keeps the WAL does not wait for that iteration', async () => {
  const { pool } = await openSmall({})
  for await (const { id } of pool.iterate('SELECT id, data FROM things')) {
    if (Number(id) > 3) break
    await write(pool, 2 * MIB)
    expect((await pool.query(longQuery(50_000 + Number(id)))).rows).toHaveLength(1)
  }
})

test('a read that waits while the WAL is being reset is served when the pool is closed', {
  timeout: 60_000,
}, async () => {
  const { pool } = await openSmall({ pool: { acquireTimeoutMillis: Infinity } })
  const rows = pool.iterate('SELECT id, data FROM things')
  await rows.next()
  // Closing the pool ends this.
  void write(pool, 64 * MIB).catch(() => {})
  const holds = vi.spyOn(ReadGate.prototype, 'holds')
  let waiting: Promise<unknown> = Promise.resolve()
  for (let i = 1; ; i++) {
    // The duration of a new text is unknown: it waits if the gate is closed.
    waiting = pool.query(`SELECT ${i} AS i`)
    if (holds.mock.results.at(-1)?.value === true) break
    await waiting
  }
  const closed = pool.close()
  await expect(waiting).resolves.toMatchObject({ columns: ['i'] })
  await rows.return()
  await closed
})

test('an in-memory database has no WAL', async () => {
  const pool = openPool({ file: ':memory:' })
  await pool.query('SELECT 1')
  expect(pool.health().pools).toHaveLength(1)
})

interface SmallOptions extends NonNullable<Parameters<typeof openPool>[0]> {}

/** A pool on 500 rows of 3,000 bytes, whose WAL should not exceed 2 MiB. */
async function openSmall(options: SmallOptions): Promise<{ pool: SqlitePool; walBytes: () => number }> {
  const { file = newDatabase() } = options
  const pool = openPool({ file, maxWalBytes: 2 * MIB, ...options })
  await pool.exec('CREATE TABLE things (id INTEGER PRIMARY KEY, data BLOB)')
  await pool.query(
    'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) INSERT INTO things SELECT i, ? FROM n',
    [ROW],
  )
  return { pool, walBytes: () => sizeOf(`${String(file)}-wal`) }
}

function walReasons(pool: SqlitePool): string[] {
  return pool.health().pools.flatMap(({ reasons }) => reasons.filter((reason) => reason.startsWith('The WAL')))
}

let writes = 0

/** Every value is different: SQLite does not write unchanged pages. */
async function write(pool: SqlitePool, bytes: number): Promise<void> {
  for (let written = 0; written < bytes; written += ROW.length) {
    writes++
    await pool.query('UPDATE things SET data = ? WHERE id = ?', [
      Buffer.alloc(ROW.length, writes % 251),
      1 + (writes % 500),
    ])
  }
}

/** A long read that holds a snapshot until it ends. */
function reading(): string {
  return `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 300000)
    SELECT max(i), (SELECT count(*) FROM things) FROM n`
}

function overlapReads(pool: SqlitePool, count: number): { done: () => number; stop: () => Promise<void> } {
  let done = 0
  let stopped = false
  onTestFinished(() => {
    stopped = true
  })
  const reads = Array.from({ length: count }, async () => {
    while (!stopped) {
      await pool.query(reading())
      done++
    }
  })
  return {
    done: () => done,
    stop: async () => {
      stopped = true
      await Promise.all(reads)
    },
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0
}
