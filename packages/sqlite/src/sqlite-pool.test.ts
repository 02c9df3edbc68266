import { setImmediate as nextTurn } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { runWithLabel } from '@poolguard/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { SqliteParameters } from './protocol.ts'
import { DRIVERS, longQuery, newDatabase, openPool } from './testing/database-folder.ts'

const TABLE = 'CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE, data BLOB)'
/** A query whose parameter sets its duration. */
const COUNT = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) AS n FROM n'
/** For `COUNT`: long enough that the pool notices a slow read, on a busy machine too. */
const SLOW_ROWS = 2_000_000

describe.each(DRIVERS)('a pool on %s', (driver) => {
  test('reads its own writes as soon as they are committed', async () => {
    const pool = openPool({ driver })
    await pool.exec(TABLE)

    for (let i = 1; i <= 50; i++) {
      const written = await pool.query('INSERT INTO things (name) VALUES (?)', [`thing ${i}`])
      expect(written).toMatchObject({ rows: [], changes: 1, lastInsertRowid: i })
      const read = await pool.query('SELECT name FROM things WHERE id = ?', [i])
      expect(read).toEqual({ rows: [{ name: `thing ${i}` }], columns: ['name'], changes: 0, lastInsertRowid: 0 })
    }
  })

  test('sends reads to the readers and other statements to the writer, and runs no write twice', async () => {
    const pool = openPool({ driver })
    await pool.exec(TABLE)

    const read = await pool.query('/* a comment */ WITH t(x) AS (VALUES (7)) SELECT x FROM t')
    expect(read.rows).toEqual([{ x: 7 }])
    const [readers, writer] = [pool.getStats().readers.acquired, pool.getStats().writer.acquired]
    // It begins like a read: a reader rejects it before it changes anything.
    const inserting = "WITH t(x) AS (VALUES ('a'), ('b')) INSERT INTO things (name) SELECT x FROM t RETURNING id"
    expect(await pool.query(inserting)).toMatchObject({ rows: [{ id: 1 }, { id: 2 }], changes: 2, lastInsertRowid: 2 })
    expect(pool.getStats().readers.acquired).toBe(readers + 1)
    expect(pool.getStats().writer.acquired).toBe(writer + 1)
    await pool.query('DELETE FROM things')
    await pool.query(inserting)
    expect(pool.getStats().readers.acquired).toBe(readers + 1)
    expect((await pool.query('SELECT count(*) AS n FROM things')).rows).toEqual([{ n: 2 }])
  })

  test.each<[description: string, sql: string, parameters: SqliteParameters, rows: object[]]>([
    ['by their order', 'SELECT ? AS a, ? AS b', [1, 'x'], [{ a: 1, b: 'x' }]],
    ['by name', 'SELECT :a AS a, $b AS b, @c AS c', { a: 1, b: 'x', c: null }, [{ a: 1, b: 'x', c: null }]],
    ['bytes', 'SELECT ? AS a', [Buffer.from('bytes')], [{ a: Buffer.from('bytes') }]],
    ['no bytes', 'SELECT ? AS a', [new Uint8Array()], [{ a: Buffer.alloc(0) }]],
    ['whole numbers as integers', 'SELECT typeof(?) AS a, 5 / ? AS b', [3_000_000_000, 2], [{ a: 'integer', b: 2 }]],
    ['other numbers as they are', 'SELECT typeof(?) AS a, ? AS b', [0.5, 1e300], [{ a: 'real', b: 1e300 }]],
    ['bigints', 'SELECT ? AS a, ? AS b', [7n, 2n ** 63n - 1n], [{ a: 7, b: 9223372036854775807n }]],
    ['texts of any script', 'SELECT ? AS a', ['naïve 数据 \u{1f418}'], [{ a: 'naïve 数据 \u{1f418}' }]],
    ['none', 'SELECT 1 AS a', [], [{ a: 1 }]],
  ])('takes and gives %s', async (_what, sql, parameters, rows) => {
    expect((await openPool({ driver }).query(sql, parameters)).rows).toEqual(rows)
  })

  test("returns integers as bigints with integers: 'bigint'", async () => {
    const pool = openPool({ driver, integers: 'bigint' })
    expect((await pool.query('SELECT 1 AS a, 1.5 AS b')).rows).toEqual([{ a: 1n, b: 1.5 }])
  })

  test("returns rows as arrays with rowMode: 'array', with equal column names", async () => {
    const { rows, columns } = await openPool({ driver }).query('SELECT 1 AS a, x AS a FROM (SELECT ? AS x)', ['b'], {
      rowMode: 'array',
    })
    expect({ rows, columns }).toEqual({ rows: [[1, 'b']], columns: ['a', 'a'] })
  })

  test.each<[sql: string, parameters: SqliteParameters | undefined]>([
    ['INSERT INTO things (name) VALUES (?)', undefined],
    ['INSERT INTO things (name, data) VALUES (?, ?)', ['a']],
    ['INSERT INTO things (name, data) VALUES (:a, :b)', { a: 'a' }],
    ['INSERT INTO things (name, data) VALUES (:a, ?)', { a: 'a' }],
    ['INSERT INTO things (name) VALUES (?) RETURNING id', { a: 'a' }],
  ])('writes nothing where a parameter of %s is missing', async (sql, parameters) => {
    const pool = openPool({ driver })
    await pool.exec(TABLE)
    await expect(pool.query(sql, parameters)).rejects.toThrow(/Too few parameter values|Missing named parameter "b"/)
    expect((await pool.query('SELECT * FROM things')).rows).toEqual([])
  })

  test('ignores named parameters that a statement does not have', async () => {
    const { rows } = await openPool({ driver }).query('SELECT :a AS a', { a: 1, b: 2 })
    expect(rows).toEqual([{ a: 1 }])
  })

  test('copies bytes at the time of the call', async () => {
    const bytes = new Uint8Array([1, 2, 3])
    const query = openPool({ driver }).query('SELECT ? AS a', [bytes])
    bytes.fill(9)
    expect((await query).rows).toEqual([{ a: Buffer.from([1, 2, 3]) }])
  })

  test.each<[value: unknown, message: string]>([
    [[true], 'Parameter 1 is a boolean'],
    [[1, undefined], 'Parameter 2 is a undefined'],
    [[new Date()], 'Parameter 1 is a Date'],
    [[2n ** 63n], 'Parameter 1 is a bigint'],
    [{ a: () => {} }, 'Parameter "a" is a function'],
    ['x', 'Parameters must be an array'],
  ])('rejects the parameters %o', async (parameters, message) => {
    const query = openPool({ driver }).query('SELECT 1', parameters as SqliteParameters)
    await expect(query).rejects.toThrow(message)
  })

  test.each([
    ['SELEC 1', 'near "SELEC": syntax error'],
    ['SELECT 1; SELECT 2', 'more than one statement'],
    ['-- nothing', 'no statements'],
    ['SELECT * FROM nowhere', 'no such table: nowhere'],
  ])("fails with SQLite's message: %s", async (sql, message) => {
    const pool = openPool({ driver })
    await expect(pool.query(sql)).rejects.toMatchObject({
      name: 'SqliteError',
      message: expect.stringContaining(message),
    })
    expect((await pool.query('SELECT 1 AS a -- a comment behind it')).rows).toEqual([{ a: 1 }])
  })

  test('names the constraint that was violated, and keeps the connection', async () => {
    const pool = openPool({ driver })
    await pool.exec(`${TABLE}; CREATE TABLE parts (thing INTEGER REFERENCES things)`)
    await pool.query("INSERT INTO things (name) VALUES ('a')")

    const code = (sql: string) => pool.query(sql).then(undefined, (error) => error.code)
    expect(await code("INSERT INTO things (name) VALUES ('a')")).toBe('SQLITE_CONSTRAINT_UNIQUE')
    expect(await code('INSERT INTO things (id) VALUES (1)')).toBe('SQLITE_CONSTRAINT_PRIMARYKEY')
    expect(await code('INSERT INTO parts VALUES (7)')).toBe('SQLITE_CONSTRAINT_FOREIGNKEY')
    expect(pool.getStats().writer.opened).toBe(1)
  })

  test.each(['BEGIN', 'commit', '/* */ END', 'ROLLBACK', 'SAVEPOINT a', 'RELEASE a', "ATTACH 'b.db' AS b", 'DETACH b'])(
    'rejects %s, which affects one connection only',
    async (sql) => {
      const query = openPool({ driver }).query(sql)
      await expect(query).rejects.toMatchObject({ code: 'POOLGUARD_STATEMENT_REFUSED' })
    },
  )

  test('sets up every connection, and again after a caller changed its pragmas', async () => {
    const pool = openPool({ driver, busyTimeoutMillis: 321, synchronous: 'full' })
    const settings = async () => {
      const rows = await Promise.all(
        ['journal_mode', 'busy_timeout', 'synchronous', 'foreign_keys'].map((name) => pool.query(`PRAGMA ${name}`)),
      )
      return rows.flatMap((result) => result.rows.flatMap((row) => Object.values(row)))
    }
    const wanted = ['wal', 321, 2, 1]
    expect(await settings()).toEqual(wanted)
    await pool.query('PRAGMA foreign_keys = OFF')
    await pool.exec('PRAGMA busy_timeout = 7; PRAGMA synchronous = OFF')
    await pool.transaction((tx) => tx.query('PRAGMA foreign_keys = OFF'))
    await pool.query('PRAGMA journal_mode = DELETE')
    expect(await settings()).toEqual(wanted)
    expect((await pool.query('SELECT * FROM pragma_query_only')).rows).toEqual([{ query_only: 1 }])
  })

  test('detaches a file that a script or a transaction attached', async () => {
    const pool = openPool({ driver })
    await pool.exec("ATTACH ':memory:' AS other; CREATE TABLE other.things (a)")
    await pool.transaction((tx) => tx.query('ATTACH \':memory:\' AS "the ""other"""'))
    await pool.transaction((tx) => tx.exec("ATTACH ':memory:' AS other; CREATE TABLE other.things (a)"))
    await pool.transaction(async (tx) => {
      expect((await tx.query('SELECT name FROM pragma_database_list')).rows).toEqual([{ name: 'main' }])
    })
    expect(pool.getStats().writer.opened).toBe(1)
  })

  test('sees a changed schema in statements prepared earlier', async () => {
    const pool = openPool({ driver })
    await pool.exec("CREATE TABLE things (a TEXT); INSERT INTO things VALUES ('x')")
    expect((await pool.query('SELECT * FROM things')).rows).toEqual([{ a: 'x' }])
    await pool.exec('ALTER TABLE things RENAME COLUMN a TO b')
    expect((await pool.query('SELECT * FROM things')).rows).toEqual([{ b: 'x' }])
    await pool.exec('ALTER TABLE things ADD COLUMN c')
    expect((await pool.query('SELECT * FROM things')).rows).toEqual([{ b: 'x', c: null }])
  })

  test('keeps at most maxPreparedStatements, and still answers evicted ones', async () => {
    const pool = openPool({ driver, maxPreparedStatements: 2 })
    for (const i of [1, 2, 3, 1, 2, 3, 3]) expect((await pool.query(`SELECT ${i} AS i`)).rows).toEqual([{ i }])
  })

  test('does not block the event loop during a long query, and short queries overtake it', async () => {
    const pool = openPool({ driver, pool: { max: 2, min: 2 } })
    await pool.query('SELECT 1')
    // On a busy machine, starting a thread can take as long as the long query.
    await expect.poll(() => pool.getStats().readers.idle).toBe(2)
    let done = false
    const long = pool.query(longQuery()).finally(() => {
      done = true
    })
    let short = 0
    let turns = 0
    while (!done) {
      turns++
      await nextTurn()
      if (turns % 10 === 0) {
        await pool.query('SELECT 1')
        short++
      }
    }
    expect((await long).rows).toEqual([{ n: 2_000_000 }])
    expect(turns).toBeGreaterThan(20)
    expect(short).toBeGreaterThan(2)
  })

  test('answers many concurrent short reads with few checkouts', async () => {
    const pool = openPool({ driver, pool: { max: 1 } })
    await pool.exec(`${TABLE}; INSERT INTO things (name) VALUES ('a'), ('b')`)
    const read = (id: number) => pool.query('SELECT name FROM things WHERE id = ?', [id])
    // A statement counts as quick after a quick run, which takes a while on a busy machine.
    const checkouts = async () => {
      const before = pool.getStats().readers.acquired
      const names = await Promise.all(Array.from({ length: 320 }, (_, i) => read(1 + (i % 2))))
      expect(names.map(({ rows }) => rows[0]?.name)).toEqual(names.map((_, i) => (i % 2 === 0 ? 'a' : 'b')))
      return pool.getStats().readers.acquired - before
    }
    await expect.poll(checkouts).toBeLessThanOrEqual(320 / 4)
  })

  test('sends short reads to a busy reader, one message after the other', async () => {
    const pool = openPool({ driver, pool: { max: 4 } })
    await pool.exec(`${TABLE}; INSERT INTO things (name) VALUES ('a'), ('b')`)
    const read = (id: number) => pool.query('SELECT name FROM things WHERE id = ?', [id])
    const checkouts = async () => {
      const before = pool.getStats().readers.acquired
      const names = await Promise.all(Array.from({ length: 320 }, (_, i) => read(1 + (i % 2))))
      expect(names.map(({ rows }) => rows[0]?.name)).toEqual(names.map((_, i) => (i % 2 === 0 ? 'a' : 'b')))
      return pool.getStats().readers.acquired - before
    }
    await expect.poll(checkouts).toBeLessThan(4)
    await expect.poll(() => pool.getStats().readers.active).toBe(0)
  })

  test('repeats short reads on another reader if they queue behind a slow one', async () => {
    const pool = openPool({ driver, pool: { min: 2, max: 2 } })
    // A busy machine can take longer to open the other reader than the slow read takes.
    await expect.poll(() => pool.getStats().readers.idle).toBe(2)
    const order: string[] = []
    const run = async (name: string, rows: number) => {
      const { rows: found } = await pool.query(COUNT, [rows])
      expect(found).toEqual([{ n: rows }])
      order.push(name)
    }
    for (const name of ['first', 'second', 'third']) await run(name, 1)
    const long = run('long', 5_000_000)
    // This one is sent alone; the next one joins its lease.
    await nextTurn()
    await nextTurn()
    await Promise.all([run('short', 1), run('short', 1)])
    await long
    expect(order.slice(3)).toEqual(['short', 'short', 'long'])
    // The slow reader is not lent again until it has finished the reads behind the slow one.
    await expect.poll(() => pool.getStats().readers).toMatchObject({ active: 0, waiting: 0 })
  })

  test('repeats short reads on another reader if they share a message with a slow one', async () => {
    const pool = openPool({ driver, pool: { min: 2, max: 2 } })
    // A busy machine can take longer to open the other reader than the slow read takes.
    await expect.poll(() => pool.getStats().readers.idle).toBe(2)
    const order: string[] = []
    const run = async (name: string, rows: number) => {
      expect((await pool.query(COUNT, [rows])).rows).toEqual([{ n: rows }])
      order.push(name)
    }
    for (const name of ['first', 'second', 'third']) await run(name, 1)
    await Promise.all([run('before', 1), run('long', 5_000_000), run('behind', 2)])
    expect(order.slice(3)).toEqual(['before', 'behind', 'long'])
    await expect.poll(() => pool.getStats().readers).toMatchObject({ active: 0, waiting: 0 })
  })

  test('does not repeat a read that was answered before another reader was available', async () => {
    const pool = openPool({ driver, pool: { max: 1 } })
    const run = (rows: number) => pool.query(COUNT, [rows])
    for (let i = 0; i < 3; i++) await run(1)
    const posted = vi.spyOn(Worker.prototype, 'postMessage')
    onTestFinished(() => posted.mockRestore())
    const together = [run(SLOW_ROWS), run(1), run(2)]
    await expect.poll(() => pool.getStats().readers.waiting, { interval: 5 }).toBe(1)
    expect((await Promise.all(together)).map(({ rows }) => rows[0]?.n)).toEqual([SLOW_ROWS, 1, 2])
    await expect.poll(() => pool.getStats().readers).toMatchObject({ active: 0, waiting: 0 })
    expect(posted).toHaveBeenCalledTimes(1)
  })

  test('answers reads behind a slow read when the pool is closed meanwhile', async () => {
    const pool = openPool({ driver, pool: { max: 1 } })
    const run = (rows: number) => pool.query(COUNT, [rows])
    for (let i = 0; i < 3; i++) await run(1)
    const together = [run(SLOW_ROWS), run(1), run(2)]
    await expect.poll(() => pool.getStats().readers.waiting, { interval: 5 }).toBe(1)
    const closed = pool.close()
    expect((await Promise.all(together)).map(({ rows }) => rows[0]?.n)).toEqual([SLOW_ROWS, 1, 2])
    await closed
  })

  test('counts repeated reads under the label of their callers', async () => {
    const pool = openPool({ driver, pool: { min: 4, max: 4 } })
    const run = (rows: number) => pool.query(COUNT, [rows])
    await expect.poll(() => pool.getStats().readers.idle).toBe(4)
    for (let i = 0; i < 3; i++) await run(1)
    await Promise.all(['a', 'b'].map((label) => runWithLabel(label, () => Promise.all([run(3_000_000), run(1)]))))
    const { a, b } = pool.getStats().readers.waitByLabel
    expect([a?.count, b?.count]).toEqual([2, 2])
  })

  test('lets a reader see new commits after earlier reads', async () => {
    const pool = openPool({ driver, pool: { max: 1 } })
    await pool.exec(`${TABLE}; INSERT INTO things (name) VALUES ('0')`)
    const read = (sql = 'SELECT name FROM things') => pool.query(sql)
    const wrong = "SELECT json('no json') FROM things"
    await read()
    for (let i = 1; i <= 20; i++) {
      await pool.query('UPDATE things SET name = ?', [String(i)])
      const outcomes = await Promise.allSettled([read(), read(wrong), read()])
      expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
      expect(outcomes.at(-1)).toMatchObject({ value: { rows: [{ name: String(i) }] } })
    }
    // The reader holds no snapshot, which would prevent the checkpoint of the WAL.
    const { rows } = await pool.query('PRAGMA wal_checkpoint(TRUNCATE)')
    expect(rows).toEqual([{ busy: 0, log: 0, checkpointed: 0 }])
  })

  test('gives each caller its own error if statements that share a message fail', async () => {
    const pool = openPool({ driver })
    await pool.exec(`${TABLE}; INSERT INTO things (name) VALUES ('a'), ('b'), ('c')`)
    const rename = (id: number, name: string) => pool.query('UPDATE things SET name = ? WHERE id = ?', [name, id])
    await rename(1, 'a')
    await rename(1, 'a')
    const outcomes = await Promise.allSettled([rename(1, 'x'), rename(2, 'c'), rename(3, 'z')])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect((await pool.query('SELECT name FROM things ORDER BY id')).rows.map(({ name }) => name)).toEqual([
      'x',
      'b',
      'z',
    ])
  })

  test('names a rowid as in the schema, also in statements prepared earlier', async () => {
    const pool = openPool({ driver })
    await pool.exec("CREATE TABLE things (id INTEGER PRIMARY KEY, a TEXT); INSERT INTO things VALUES (1, 'x')")
    expect((await pool.query('SELECT rowid, a FROM things')).rows).toEqual([{ id: 1, a: 'x' }])
    await pool.exec(
      "DROP TABLE things; CREATE TABLE things (key INTEGER PRIMARY KEY, a TEXT); INSERT INTO things VALUES (1, 'x')",
    )
    expect((await pool.query('SELECT rowid, a FROM things')).rows).toEqual([{ key: 1, a: 'x' }])
  })

  test('returns columns with any name', async () => {
    const pool = openPool({ driver })
    const { rows } = await pool.query('SELECT 5 AS "__proto__", 6 AS "constructor", 7 AS ""')
    expect(rows.map((row) => Object.entries(row))).toEqual([
      [
        ['__proto__', 5],
        ['constructor', 6],
        ['', 7],
      ],
    ])
  })

  test('has the caller in the stack of an error', async () => {
    const pool = openPool({ driver })
    const wrong = 'SELECT * FROM nowhere'
    async function query() {
      await pool.query(wrong)
    }
    async function refusedByReader() {
      await pool.query('WITH a AS (SELECT 1) INSERT INTO nowhere SELECT * FROM a')
    }
    async function write() {
      await pool.query('DELETE FROM nowhere')
    }
    async function script() {
      await pool.exec('DELETE FROM nowhere')
    }
    async function iteration() {
      for await (const _row of pool.iterate(wrong));
    }
    async function withinTransaction() {
      await pool.transaction(async (tx) => {
        await tx.query(wrong)
      })
    }
    const callers = [query, refusedByReader, write, script, iteration, withinTransaction]
    const errors = await Promise.all(callers.map((caller) => caller().catch((error: Error) => error)))
    for (const [index, caller] of callers.entries()) {
      expect(errors[index]).toMatchObject({
        name: 'SqliteError',
        stack: expect.stringMatching(new RegExp(`no such table[^]*at (async )?${caller.name} `)),
      })
    }
  })

  test('has one connection for an in-memory database', async () => {
    const pool = openPool({ driver, file: ':memory:' })
    await pool.exec(`${TABLE}; INSERT INTO things (name) VALUES ('a')`)
    expect((await pool.query('SELECT name FROM things')).rows).toEqual([{ name: 'a' }])
    await pool.transaction((tx) => tx.query("INSERT INTO things (name) VALUES ('b')"))
    const names: unknown[] = []
    for await (const { name } of pool.iterate('SELECT name FROM things')) names.push(name)
    expect(names).toEqual(['a', 'b'])
    expect(pool.getStats()).toMatchObject({ file: ':memory:', readers: { total: 1 }, writer: { total: 1 } })
  })

  test('runs a whole script, and rolls back a transaction that it leaves open', async () => {
    const pool = openPool({ driver })
    await pool.exec(`BEGIN; ${TABLE}; INSERT INTO things (name) VALUES ('a'); COMMIT`)
    await expect(pool.exec("BEGIN; INSERT INTO things (name) VALUES ('b')")).rejects.toThrow('left a transaction open')
    const failing = "BEGIN; INSERT INTO things (name) VALUES ('b'); INSERT INTO nowhere VALUES (1); COMMIT"
    await expect(pool.exec(failing)).rejects.toThrow('no such table')
    expect((await pool.query('SELECT name FROM things')).rows).toEqual([{ name: 'a' }])
    await pool.transaction((tx) => tx.query("INSERT INTO things (name) VALUES ('c')"))
  })
})

test('does not show the text of a rejected statement', async () => {
  const pool = openPool()
  const refused = await pool.query("/* why */ ATTACH 'other.db' AS other KEY 'secret'").catch(String)
  expect(refused).toContain('ATTACH affects one connection only')
  expect(refused).not.toContain('secret')
})

test('rejects statements that are not strings', async () => {
  const pool = openPool()
  const wrong = { text: 'SELECT 1' } as unknown as string
  await expect(pool.query(wrong)).rejects.toThrow('A statement must be a string')
  await expect(pool.exec(undefined as unknown as string)).rejects.toThrow('A statement must be a string')
  await expect(pool.iterate(wrong).next()).rejects.toThrow('A statement must be a string')
  await expect(pool.transaction((tx) => tx.query(wrong))).rejects.toThrow('A statement must be a string')
})

test('uses the available driver', async () => {
  const file = newDatabase()
  const pool = openPool({ file: `file:${file}` })
  await pool.ready()
  expect(pool.getStats()).toMatchObject({ name: 'app', file, writer: { opened: 1 }, readers: { opened: 0 } })
})
