import { describe, expect, test, vi } from 'vitest'
import type { SqlitePool } from '../sqlite-pool.ts'
import { DRIVERS, openPool } from '../testing/database-folder.ts'
import type { SqliteTransaction } from './sqlite-transaction.ts'

async function poolWithThings(options: Parameters<typeof openPool>[0]): Promise<SqlitePool> {
  const pool = openPool(options)
  await pool.exec('CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT UNIQUE)')
  return pool
}

async function namesIn(pool: SqlitePool | SqliteTransaction): Promise<unknown[]> {
  return (await pool.query('SELECT name FROM things ORDER BY id')).rows.map(({ name }) => name)
}

const insert = (pool: SqlitePool | SqliteTransaction, name: string) =>
  pool.query('INSERT INTO things (name) VALUES (?)', [name])

describe.each(DRIVERS)('a transaction on %s', (driver) => {
  test('sees its own writes, and other callers see them after the commit', async () => {
    const pool = await poolWithThings({ driver })
    const result = await pool.transaction(async (tx) => {
      await insert(tx, 'a')
      expect(await namesIn(tx)).toEqual(['a'])
      expect(await namesIn(pool)).toEqual([])
      return 'done'
    })
    expect(result).toBe('done')
    expect(await namesIn(pool)).toEqual(['a'])
  })

  test('is rolled back when its work fails, with the error of the work', async () => {
    const pool = await poolWithThings({ driver })
    const work = async (tx: SqliteTransaction) => {
      await insert(tx, 'a')
      throw new Error('of the work')
    }
    await expect(pool.transaction(work)).rejects.toThrow('of the work')
    await expect(
      pool.transaction(() => {
        throw new Error('immediately')
      }),
    ).rejects.toThrow('immediately')
    expect(await namesIn(pool)).toEqual([])
  })

  test('waits for the transaction before it, without interleaving', async () => {
    const pool = await poolWithThings({ driver })
    await pool.exec('CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)')
    const increment = () =>
      pool.transaction(async (tx) => {
        const [row] = (await tx.query<{ n: number }>('SELECT n FROM counter')).rows
        await new Promise(setImmediate)
        await tx.query('UPDATE counter SET n = ?', [(row?.n ?? 0) + 1])
      })
    await Promise.all(Array.from({ length: 20 }, increment))
    expect((await pool.query('SELECT n FROM counter')).rows).toEqual([{ n: 20 }])
  })

  test('has inner transactions, which roll back on their own, and run one after the other', async () => {
    const pool = await poolWithThings({ driver })
    await pool.transaction(async (tx) => {
      await insert(tx, 'outer')
      const failing = tx.transaction(async (inner) => {
        await insert(inner, 'first')
        await inner.transaction((innermost) => insert(innermost, 'innermost'))
        throw new Error('of the inner one')
      })
      const passing = tx.transaction((inner) => insert(inner, 'second'))
      await expect(failing).rejects.toThrow('of the inner one')
      await passing
    })
    expect(await namesIn(pool)).toEqual(['outer', 'second'])
  })

  test('rejects statements after its end, and statements that would end it', async () => {
    const pool = await poolWithThings({ driver })
    let kept: SqliteTransaction | undefined
    let inner: SqliteTransaction | undefined
    await pool
      .transaction(async (tx) => {
        kept = tx
        await expect(tx.query('COMMIT')).rejects.toMatchObject({ code: 'POOLGUARD_STATEMENT_REFUSED' })
        await expect(tx.exec('COMMIT')).rejects.toThrow('ended the transaction')
        await expect(insert(tx, 'a')).rejects.toMatchObject({ code: 'POOLGUARD_TRANSACTION_OVER' })
      })
      .catch(() => {})
    await pool.transaction((tx) =>
      tx.transaction((each) => {
        inner = each
      }),
    )
    for (const over of [kept, inner]) {
      await expect(over?.query('SELECT 1')).rejects.toMatchObject({ code: 'POOLGUARD_TRANSACTION_OVER' })
      await expect(over?.exec('SELECT 1')).rejects.toMatchObject({ code: 'POOLGUARD_TRANSACTION_OVER' })
      await expect(over?.iterate('SELECT 1').next()).rejects.toMatchObject({ code: 'POOLGUARD_TRANSACTION_OVER' })
    }
    expect(await namesIn(pool)).toEqual([])
  })

  test('ends when SQLite ends it, so that no further statement is committed on its own', async () => {
    const pool = await poolWithThings({ driver })
    await insert(pool, 'a')
    const work = async (tx: SqliteTransaction) => {
      await insert(tx, 'b')
      const together = [tx.query("INSERT OR ROLLBACK INTO things (name) VALUES ('a')"), insert(tx, 'c')]
      await Promise.allSettled(together)
      await insert(tx, 'd').catch(() => {})
    }
    await expect(pool.transaction(work)).rejects.toMatchObject({
      code: 'POOLGUARD_TRANSACTION_OVER',
      cause: expect.objectContaining({ code: 'SQLITE_CONSTRAINT_UNIQUE' }),
    })
    expect(await namesIn(pool)).toEqual(['a'])
  })

  test('continues after a failed statement', async () => {
    const pool = await poolWithThings({ driver })
    await pool.transaction(async (tx) => {
      await insert(tx, 'a')
      await expect(insert(tx, 'a')).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' })
      await insert(tx, 'b')
    })
    expect(await namesIn(pool)).toEqual(['a', 'b'])
  })

  test('fails if its commit fails', async () => {
    const pool = await poolWithThings({ driver })
    await pool.exec('CREATE TABLE parts (thing REFERENCES things DEFERRABLE INITIALLY DEFERRED)')
    const failing = pool.transaction((tx) => tx.query('INSERT INTO parts VALUES (7)'))
    await expect(failing).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_FOREIGNKEY' })
    expect((await pool.query('SELECT * FROM parts')).rows).toEqual([])
    await pool.transaction((tx) => insert(tx, 'a'))
  })

  test('with readOnly sees one snapshot during concurrent writes, and cannot write', async () => {
    const pool = await poolWithThings({ driver })
    await insert(pool, 'a')
    await pool.transaction(
      async (tx) => {
        expect(await namesIn(tx)).toEqual(['a'])
        await insert(pool, 'b')
        expect(await namesIn(tx)).toEqual(['a'])
        await expect(insert(tx, 'c')).rejects.toMatchObject({ code: 'SQLITE_READONLY' })
      },
      { readOnly: true },
    )
    expect(await namesIn(pool)).toEqual(['a', 'b'])
  })

  test('that is idle for too long is rolled back, and the next one gets the writer', async () => {
    const pool = await poolWithThings({ driver, idleInTransactionMillis: 50 })
    const stuck = pool.transaction(async (tx) => {
      await insert(tx, 'a')
      await new Promise(() => {})
    })
    const next = pool.transaction((tx) => insert(tx, 'b'))
    await expect(stuck).rejects.toMatchObject({ code: 'POOLGUARD_TRANSACTION_OVER' })
    await next
    expect(await namesIn(pool)).toEqual(['b'])
  })

  test('can change the rows that it iterates over', async () => {
    const pool = await poolWithThings({ driver })
    await Promise.all(['a', 'b', 'c'].map((name) => insert(pool, name)))
    await pool.transaction(async (tx) => {
      for await (const { id } of tx.iterate<{ id: number }>('SELECT id FROM things')) {
        await tx.query('UPDATE things SET name = name || ? WHERE id = ?', ['!', id])
      }
    })
    expect(await namesIn(pool)).toEqual(['a!', 'b!', 'c!'])
  })

  test('ends its iterations when it ends', async () => {
    const pool = await poolWithThings({ driver })
    await pool.exec(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) INSERT INTO things SELECT i, i FROM n',
    )
    const rows = await pool.transaction(async (tx) => {
      const begun = tx.iterate('SELECT * FROM things')
      await begun.next()
      return [begun]
    })
    const goOn = async () => {
      for await (const _row of rows[0] ?? []);
    }
    await expect(goOn()).rejects.toThrow('the iteration is over')
    await pool.transaction((tx) => insert(tx, 'after it'))
  })

  test('that acquires the writer again is reported as a deadlock', async () => {
    const onEvent = vi.fn()
    const pool = await poolWithThings({ driver, onEvent, pool: { acquireTimeoutMillis: 2_500 } })
    const work = async (tx: SqliteTransaction) => {
      await insert(tx, 'a')
      await insert(pool, 'b')
    }
    await expect(pool.transaction(work)).rejects.toMatchObject({
      code: 'POOLGUARD_ACQUIRE_TIMEOUT',
      message: expect.stringContaining('Every holder of a connection waits for another one'),
    })
    expect(onEvent).toHaveBeenCalledWith(expect.objectContaining({ type: 'deadlock' }))
    expect(await namesIn(pool)).toEqual([])
  })
})
