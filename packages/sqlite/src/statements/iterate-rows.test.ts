import { describe, expect, test, vi } from 'vitest'
import type { SqlitePool } from '../sqlite-pool.ts'
import { DRIVERS, openPool } from '../testing/database-folder.ts'

const NUMBERS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) SELECT i FROM n'

async function poolWithRows(options: Parameters<typeof openPool>[0], rows: number): Promise<SqlitePool> {
  const pool = openPool(options)
  await pool.exec(`CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})
    INSERT INTO things SELECT i, printf('%.*c', 1000, 'x') FROM n`)
  return pool
}

describe.each(DRIVERS)('iterating on %s', (driver) => {
  test('returns every row once, in order, and releases its connection', async () => {
    const pool = openPool({ driver, pool: { max: 1 } })
    const seen: unknown[] = []
    for await (const { i } of pool.iterate(NUMBERS)) seen.push(i)
    expect(seen).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1))
    expect(pool.getStats().readers.active).toBe(0)
  })

  test('reads no further than its consumer, from one snapshot', async () => {
    const pool = await poolWithRows({ driver }, 1_000)
    let seen = 0
    for await (const _row of pool.iterate('SELECT * FROM things')) {
      if (seen++ === 0) await pool.query('DELETE FROM things')
    }
    expect(seen).toBe(1_000)
    expect((await pool.query('SELECT count(*) AS n FROM things')).rows).toEqual([{ n: 0 }])
  })

  test.each(['left', 'failed in'])('ends when the loop is %s, and releases the connection', async (how) => {
    const pool = await poolWithRows({ driver, pool: { max: 1 } }, 1_000)
    const loop = async () => {
      for await (const { id } of pool.iterate('SELECT * FROM things')) {
        if (id === 300 && how === 'left') break
        if (id === 300) throw new Error('of the loop')
      }
    }
    await loop().catch(({ message }) => expect(message).toBe('of the loop'))
    expect(pool.getStats().readers).toMatchObject({ active: 0, opened: 1 })
    expect((await pool.query('SELECT count(*) AS n FROM things')).rows).toEqual([{ n: 1_000 }])
  })

  test('fails as a query does, and releases the connection', async () => {
    const pool = openPool({ driver, pool: { max: 1 } })
    await expect(pool.iterate('SELECT * FROM nowhere').next()).rejects.toThrow('no such table')
    // The third row is not JSON.
    const failing = pool.iterate("SELECT json(x) AS x FROM (SELECT '1' AS x UNION ALL SELECT '2' UNION ALL SELECT '{')")
    const readAll = async () => {
      for await (const _row of failing);
    }
    await expect(readAll()).rejects.toThrow('malformed JSON')
    expect((await pool.query('SELECT 1 AS a')).rows).toEqual([{ a: 1 }])
  })

  test('rejects writes', async () => {
    const pool = await poolWithRows({ driver }, 1)
    await expect(pool.iterate('DELETE FROM things RETURNING id').next()).rejects.toMatchObject({
      code: 'POOLGUARD_STATEMENT_REFUSED',
    })
    const hidden = pool.iterate('WITH t(x) AS (VALUES (1)) DELETE FROM things WHERE id IN t RETURNING id')
    await expect(hidden.next()).rejects.toMatchObject({ code: 'SQLITE_READONLY' })
    expect((await pool.query('SELECT count(*) AS n FROM things')).rows).toEqual([{ n: 1 }])
  })

  test('is reported as a leak if its consumer stops', async () => {
    const onEvent = vi.fn()
    const pool = await poolWithRows({ driver, onEvent, pool: { leakThresholdMillis: 40 } }, 1_000)
    const rows = pool.iterate('SELECT * FROM things')
    await rows.next()
    await expect.poll(() => onEvent).toHaveBeenCalledWith(expect.objectContaining({ type: 'leak' }))
    expect(pool.getStats().readers.leaks).toBe(1)
    await rows.return(undefined)
    expect(onEvent).toHaveBeenCalledWith(expect.objectContaining({ type: 'leak-returned' }))
  })
})
