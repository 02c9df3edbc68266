import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Worker } from 'node:worker_threads'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { SqlitePool } from './sqlite-pool.ts'
import { endOf, saidBy, startChild } from './testing/child.ts'
import { DRIVERS, longQuery, newDatabase, openPool } from './testing/database-folder.ts'

const TABLE = 'CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT)'
/** Root can write anywhere, so permissions do not apply. */
const NOBODY = process.getuid?.() === 0 ? { uid: 65534 } : {}

async function countThings(pool: SqlitePool): Promise<unknown> {
  return (await pool.query('SELECT count(*) AS n FROM things')).rows[0]?.n
}

/** Creates a database of several pages, and closes it. */
async function writtenDatabase(rows = 1_000): Promise<string> {
  const file = newDatabase()
  const pool = new SqlitePool({ file })
  await pool.exec(`${TABLE}; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO things SELECT i, printf('%.*c', 100, 'x') FROM n`)
  await pool.close()
  return file
}

describe.each(DRIVERS)('on %s', (driver) => {
  test('given a file that is not a database, then reads and writes say so', async () => {
    const file = newDatabase()
    const content = 'This is a text, and no database.\n'.repeat(100)
    writeFileSync(file, content)
    const pool = openPool({ file, driver })
    for (const sql of ['SELECT * FROM sqlite_schema', TABLE]) {
      await expect(pool.query(sql)).rejects.toMatchObject({
        name: 'ConnectError',
        code: 'SQLITE_NOTADB',
        message: expect.stringContaining('file is not a database: the file is not a SQLite database'),
        cause: expect.objectContaining({ code: 'SQLITE_NOTADB' }),
      })
    }
    expect(readFileSync(file, 'utf8')).toBe(content)
  })

  test('given a damaged file, then the error says so, and intact data is readable', async () => {
    const file = await writtenDatabase()
    const bytes = readFileSync(file)
    bytes.fill(0xff, 3 * 4096, 20 * 4096)
    writeFileSync(file, bytes)
    const pool = openPool({ file, driver })
    await expect(pool.query('SELECT sum(length(name)) FROM things')).rejects.toMatchObject({
      code: expect.stringMatching(/^SQLITE_CORRUPT/),
      message: expect.stringContaining('the file is damaged'),
    })
    expect((await pool.query('SELECT name FROM sqlite_schema')).rows).toEqual([{ name: 'things' }])
  })

  test('given a missing folder, then the error says so', async () => {
    const pool = openPool({ file: path.join(path.dirname(newDatabase()), 'missing/app.db'), driver })
    await expect(pool.ready()).rejects.toMatchObject({
      name: 'ConnectError',
      message: expect.stringMatching(/folder exist|directory does not exist/),
    })
  })

  test.skipIf(process.platform === 'win32')('given a read-only folder, then the error says so', async () => {
    const file = await writtenDatabase()
    const folder = path.dirname(file)
    mkdirSync(path.join(folder, 'empty'))
    chmodSync(path.join(folder, 'empty'), 0o555)
    chmodSync(file, 0o644)
    chmodSync(folder, 0o555)
    const program = `
      const messages = []
      for (const file of ${JSON.stringify([file, path.join(folder, 'empty/app.db')])}) {
        await using pool = new SqlitePool({ file, driver: '${driver}' })
        for (const sql of ['SELECT count(*) FROM sqlite_schema', 'CREATE TABLE others (id)']) {
          messages.push(await pool.query(sql).then(() => 'done', (error) => error.code + ' ' + error.message))
        }
      }
      console.log(JSON.stringify(messages))`
    const { stdout, stderr } = await endOf(startChild(program, NOBODY))
    expect(stderr).toBe('')
    const messages = JSON.parse(stdout) as string[]
    expect(messages).toHaveLength(4)
    for (const message of messages)
      expect(message).toMatch(/^(?:SQLITE_\w+|POOLGUARD_CONNECT) .*(?:may the process|may not) write/)
    chmodSync(folder, 0o755)
    chmodSync(path.join(folder, 'empty'), 0o755)
  })

  test('given a full disk, then a statement fails as a whole, and nothing is lost', async () => {
    const pool = openPool({ driver })
    await pool.exec(`${TABLE}; INSERT INTO things (name) VALUES ('kept')`)
    // SQLite reports this limit like ENOSPC.
    await pool.query('PRAGMA max_page_count = 10')
    const tooMuch = "INSERT INTO things (name) VALUES (printf('%.*c', 60000, 'x'))"
    const full = { code: 'SQLITE_FULL', message: expect.stringContaining('Nothing of this statement was written') }
    await expect(pool.query(tooMuch)).rejects.toMatchObject(full)
    const failing = pool.transaction(async (tx) => {
      await tx.query("INSERT INTO things (name) VALUES ('small')")
      await tx.query(tooMuch)
    })
    await expect(failing).rejects.toMatchObject(full)
    expect((await pool.query('SELECT name FROM things')).rows).toEqual([{ name: 'kept' }])
    await pool.query('PRAGMA max_page_count = 1000')
    await pool.query(tooMuch)
    expect(await countThings(pool)).toBe(2)
  })

  test('given a lock that another process holds for too long, then the error says so, and nothing is lost', async () => {
    const file = await writtenDatabase(1)
    const pool = openPool({ file, driver, busyTimeoutMillis: 50 })
    const other = startChild(`
      const pool = new SqlitePool({ file: ${JSON.stringify(file)} })
      await pool.transaction(async (tx) => {
        await tx.query("INSERT INTO things (name) VALUES ('of the other')")
        console.log('locked')
        await new Promise((resolve) => process.stdin.once('data', resolve))
      })
      await pool.close()
      process.exit()`)
    expect(await saidBy(other)).toBe('locked')
    const work = vi.fn()
    const busy = { code: 'SQLITE_BUSY', message: expect.stringContaining('busyTimeoutMillis (50)') }
    await expect(pool.query("INSERT INTO things (name) VALUES ('ours')")).rejects.toMatchObject(busy)
    await expect(pool.transaction(work)).rejects.toMatchObject(busy)
    expect(work).not.toHaveBeenCalled()
    // Reads do not wait for the lock.
    expect(await countThings(pool)).toBe(1)
    other.stdin?.write('go on\n')
    await once(other, 'exit')
    await pool.query("INSERT INTO things (name) VALUES ('ours')")
    expect(await countThings(pool)).toBe(3)
  })

  test('given a file that another process locks exclusively, then callers wait up to the acquire timeout', async () => {
    const file = await writtenDatabase(1)
    const other = startChild(`
      const { DatabaseSync } = await import('node:sqlite')
      const database = new DatabaseSync(${JSON.stringify(file)})
      database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; DELETE FROM things; COMMIT')
      console.log('locked')
      process.stdin.once('data', () => database.close())
      process.stdin.once('data', () => process.exit())`)
    expect(await saidBy(other)).toBe('locked')
    const pool = openPool({ file, driver, busyTimeoutMillis: 20, pool: { acquireTimeoutMillis: 2_000 } })
    await expect(pool.query('SELECT 1 FROM things')).rejects.toMatchObject({
      code: 'POOLGUARD_ACQUIRE_TIMEOUT',
      message: expect.stringContaining('another process has held the lock'),
    })
    other.stdin?.write('go on\n')
    await once(other, 'exit')
    await expect.poll(() => countThings(pool)).toBe(0)
  })

  test('given a process killed in a transaction, then nothing of the transaction is written', async () => {
    const file = await writtenDatabase(1)
    const other = startChild(`
      const pool = new SqlitePool({ file: ${JSON.stringify(file)}, driver: '${driver}' })
      await pool.query("INSERT INTO things (name) VALUES ('committed')")
      await pool.transaction(async (tx) => {
        for (let i = 0; i < 2_000; i++) await tx.query("INSERT INTO things (name) VALUES (printf('%.*c', 1000, 'x'))")
        console.log('written')
        await new Promise((resolve) => process.stdin.once('data', resolve))
      })`)
    expect(await saidBy(other)).toBe('written')
    other.kill('SIGKILL')
    await once(other, 'exit')
    expect(existsSync(`${file}-wal`)).toBe(true)
    const pool = openPool({ file, driver })
    expect(await countThings(pool)).toBe(2)
    expect((await pool.query('PRAGMA integrity_check')).rows).toEqual([{ integrity_check: 'ok' }])
  })

  test('given a thread that ends, then its statements fail, are not repeated, and the connection is replaced', async () => {
    const threads = watchThreads()
    const pool = openPool({ file: await writtenDatabase(1), driver, pool: { max: 1 } })
    threads.length = 0
    await countThings(pool)
    const long = pool.query(longQuery(300_000))
    await expect.poll(() => pool.getStats().readers.active).toBe(1)
    const waiting = countThings(pool)
    const failing = expect(long).rejects.toMatchObject({ code: 'POOLGUARD_CONNECTION_LOST' })
    await threads[0]?.terminate()
    await failing
    expect(await waiting).toBe(1)
    expect(pool.getStats().readers).toMatchObject({ opened: 2, active: 0 })
  })

  test('given a transaction whose thread ends, then it is not committed, and the writer is replaced', async () => {
    const threads = watchThreads()
    const pool = openPool({ file: await writtenDatabase(1), driver })
    threads.length = 0
    const insert = "INSERT INTO things (name) VALUES ('a')"
    const transaction = pool.transaction(async (tx) => {
      await tx.query(insert)
      await threads[0]?.terminate()
      await tx.query(insert)
    })
    await expect(transaction).rejects.toMatchObject({ code: 'POOLGUARD_CONNECTION_LOST' })
    await pool.transaction((tx) => tx.query(insert))
    expect(await countThings(pool)).toBe(2)
    expect(pool.getStats().writer).toMatchObject({ opened: 2, active: 0 })
  })
})

/** Records every thread that starts from now on. */
function watchThreads(): Worker[] {
  const threads: Worker[] = []
  const add = (thread: Worker) => threads.push(thread)
  process.on('worker', add)
  onTestFinished(() => {
    process.off('worker', add)
  })
  return threads
}

test('given no driver, then the error names both', async () => {
  const missing = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(specifier, context, next) {
      if (!/^(better-sqlite3|node:sqlite)$/.test(specifier)) return next(specifier, context)
      throw Object.assign(new Error('missing'), { code: 'ERR_MODULE_NOT_FOUND' })
    } })`
  const program = `
    const pool = new SqlitePool({ file: ':memory:' })
    console.log(await pool.query('SELECT 1').then(() => 'done', ({ message }) => message))`
  const { stdout } = await endOf(
    startChild(program, { execArgv: ['--import', `data:text/javascript,${encodeURIComponent(missing)}`] }),
  )
  expect(stdout).toBe(
    'no SQLite driver (better-sqlite3: not installed; node:sqlite: not installed). Install better-sqlite3 ' +
      '(npm install better-sqlite3), which needs Node 22.14 or later, or run Node 22.16 or later, which includes node:sqlite.',
  )
})

test('given a driver that fails to load, then a warning says so, and the other driver is used', async () => {
  const broken = `import { registerHooks } from 'node:module'
    registerHooks({ resolve(specifier, context, next) {
      if (specifier !== 'better-sqlite3') return next(specifier, context)
      throw new Error('compiled for another Node')
    } })`
  const program = `
    const pool = new SqlitePool({ file: ':memory:', onEvent: (event) => event.type === 'warning' && console.log(event.message) })
    await pool.query('SELECT 1')`
  const { stdout } = await endOf(
    startChild(program, { execArgv: ['--import', `data:text/javascript,${encodeURIComponent(broken)}`] }),
  )
  expect(stdout).toBe(
    'better-sqlite3 is installed, but fails to load (compiled for another Node). The pool uses node:sqlite instead.',
  )
})
