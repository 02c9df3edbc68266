import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { pipeline } from 'node:stream/promises'
import { type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
let sql: GuardedSql
beforeAll(async () => {
  server = await startPostgres({
    maxConnections: 20,
    settings: { wal_level: 'logical', max_wal_senders: 2, max_replication_slots: 2 },
  })
  sql = guardPostgres(server.url, { max: 2 }) as GuardedSql
  await sql.ready()
  await sql`create table users (id int primary key, name text, tags text[], settings jsonb)`
})
afterAll(async () => {
  await sql.end()
  await server.stop()
})
beforeEach(async () => {
  await sql`truncate users`
})

const idle = () => expect.poll(() => sql.snapshot().stats).toMatchObject({ active: 0, waiting: 0 })

describe("given postgres.js' users", () => {
  test('then builders, identifiers, fragments and parameters of every type work', async () => {
    const rows = [
      { id: 1, name: 'ada', settings: sql.json({ theme: 'dark' }) },
      { id: 2, name: 'bob', settings: sql.json(null) },
    ]
    const inserted =
      await sql`insert into users ${sql(rows, 'id', 'name', 'settings')} returning ${sql(['id', 'name'])}`
    expect([...inserted]).toEqual([
      { id: 1, name: 'ada' },
      { id: 2, name: 'bob' },
    ])
    expect(inserted).toMatchObject({ count: 2, command: 'INSERT' })
    await sql`update users set ${sql({ name: 'eve' })} where id in ${sql([2])}`
    const named = (name: string) => sql`and name = ${name}`
    expect(await sql`select name from ${sql('users')} where true ${named('eve')}`).toEqual([{ name: 'eve' }])
    expect(await sql`select settings from users where id = 1`).toEqual([{ settings: { theme: 'dark' } }])
    const when = new Date(0)
    expect(
      await sql`select ${when}::timestamptz as at, ${true}::bool as yes, ${Buffer.from('x')}::bytea as bytes`,
    ).toEqual([{ at: when, yes: true, bytes: Buffer.from('x') }])
    expect(await sql`select ${sql.array([1, 2])}::int[] @> array[1] as found`).toEqual([{ found: true }])
    expect(await sql`select name from users where id = any(${[2, 3]})`).toEqual([{ name: 'eve' }])
    expect(await sql`select ${sql.typed(5, 23)} + 1 as n`).toEqual([{ n: 6 }])
  })

  test('then unsafe, simple, values, raw, describe, forEach and file work', async () => {
    expect(await sql.unsafe('select $1::int as n', [2])).toEqual([{ n: 2 }])
    expect(await sql.unsafe('select 1 as a; select 2 as b')).toEqual([[{ a: 1 }], [{ b: 2 }]])
    expect(await sql`select 1 as a; select 2 as b`.simple()).toEqual([[{ a: 1 }], [{ b: 2 }]])
    expect(await sql`select 1 as a, 'x' as b`.values()).toEqual([[1, 'x']])
    expect(await sql`select 'x' as b`.raw()).toEqual([[Buffer.from('x')]])
    const { types, columns } = await sql`select name from users where id = ${1}`.describe()
    expect([types, columns.map(({ name }) => name)]).toEqual([[23], ['name']])
    const seen: unknown[] = []
    await sql`select generate_series(1, 3) as n`.forEach((row) => void seen.push(row.n))
    expect(seen).toEqual([1, 2, 3])
    const folder = await mkdtemp(join(tmpdir(), 'poolguard-'))
    await writeFile(join(folder, 'query.sql'), 'select $1::int as n')
    expect(await sql.file(join(folder, 'query.sql'), [7])).toEqual([{ n: 7 }])
    expect(await sql.begin((tx) => tx.file(join(folder, 'query.sql'), [8]))).toEqual([{ n: 8 }])
    await rm(folder, { recursive: true })
    await expect(sql.file(join(folder, 'query.sql'))).rejects.toMatchObject({ code: 'ENOENT' })
    await idle()
  })

  test('then custom types, transforms, debug and onnotice are heeded, and own queries do not meet the transforms', async () => {
    const texts: string[] = []
    const notices: unknown[] = []
    const custom = guardPostgres(server.url, {
      name: 'custom',
      types: { point: { to: 600, from: [600], parse: (value: string) => value.split(','), serialize: String } },
      transform: { ...postgres.camel, row: (row) => ({ ...row, seen: true }) },
      debug: (_connection, query) => texts.push(query),
      onnotice: ({ message }) => notices.push(message),
    })
    expect((await custom.ready()).topology).toMatchObject({ kind: 'direct' })
    expect(await custom`select point(1, 2) as my_point`).toEqual([{ myPoint: ['(1', '2)'], seen: true }])
    expect(texts).toContain('select point(1, 2) as my_point')
    await custom`do $$ begin raise notice 'heard'; end $$`
    expect(notices).toEqual(['heard'])
    await custom.end()
  })

  test('then arrays are read and written as in postgres.js, and are text without fetch_types', async () => {
    const row = {
      numbers: [1, 2],
      words: ['a b', 'c"d', 'e\\f', ''],
      nested: [[1], [2]],
      none: [],
      nothing: ['NULL', null],
    }
    const rows = await Promise.all(
      [1, 2, 3].map(
        () => sql`
          select array[1, 2] as numbers, array['a b', 'c"d', ${'e\\f'}, ''] as words, array[[1], [2]] as nested,
                 '{}'::int[] as none, array['NULL', null] as nothing`,
      ),
    )
    expect(rows).toEqual([[row], [row], [row]])
    await sql`insert into users ${sql([{ id: 3, tags: ['x,y', 'z"'] }])}`
    expect(await sql`select tags from users`).toEqual([{ tags: ['x,y', 'z"'] }])
    const plain = guardPostgres(server.url, { name: 'plain', fetch_types: false })
    expect(await plain`select array[1, 2] as numbers`).toEqual([{ numbers: '{1,2}' }])
    await plain.end()
  })

  test('then errors are those of postgres.js, lead to the caller of the query, and keep the connection', async () => {
    const error = await sql`select nothing`.catch((reason: Error) => reason)
    expect(error).toBeInstanceOf(postgres.PostgresError)
    expect(error).toMatchObject({ code: '42703', query: 'select nothing' })
    expect((error as Error).stack).toContain('postgres-js-queries.test.ts')
    await expect(sql`select ${undefined as never}`).rejects.toMatchObject({ code: 'UNDEFINED_VALUE' })
    await expect(sql`insert into users (id) values (1), (1)`).rejects.toMatchObject({ code: '23505' })
    await expect(
      sql`select 1`.forEach(() => {
        throw new Error('mine')
      }),
    ).rejects.toThrow('mine')
    await idle()
    expect(sql.snapshot().stats.closed).toBe(0)
  })
})

describe('given a cursor', () => {
  test('when it is iterated, then it holds its connection until it is done or left', async () => {
    const seen: unknown[] = []
    for await (const rows of sql`select generate_series(1, 5) as n`.cursor(2)) {
      expect(sql.snapshot().stats.active).toBe(1)
      seen.push(rows.map(({ n }) => n))
    }
    expect(seen).toEqual([[1, 2], [3, 4], [5]])
    await idle()
    for await (const _ of sql`select generate_series(1, 5) as n`.cursor()) break
    await idle()
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })

  test('when it calls back, then it ends with the rows, or on request of its caller', async () => {
    const seen: unknown[] = []
    await sql`select generate_series(1, ${5}::int) as n`.cursor(2, async (rows) => void seen.push(rows.length))
    expect(seen).toEqual([2, 2, 1])
    await sql`select generate_series(1, 5) as n`.cursor(2, () => sql.CLOSE)
    await expect(sql`select 1 / (3 - n) from generate_series(1, 5) n`.cursor(1, () => {})).rejects.toMatchObject({
      code: '22012',
    })
    const failing = (async () => {
      for await (const _ of sql`select 1 / (3 - n) from generate_series(1, 5) n`.cursor(1));
    })()
    await expect(failing).rejects.toMatchObject({ code: '22012' })
    await idle()
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })
})

describe('given COPY', () => {
  test('then rows go in and out by streams, and the connection comes back', async () => {
    const lines = Array.from({ length: 5_000 }, (_, n) => `${n}\tname ${n}\n`)
    await pipeline(Readable.from(lines), await sql`copy users (id, name) from stdin`.writable())
    expect(await sql`select count(*)::int as n from users`).toEqual([{ n: 5_000 }])
    const copied = await text(await sql`copy (select id, name from users order by id) to stdout`.readable())
    expect(copied).toBe(lines.join(''))
    await idle()
    expect(sql.snapshot().stats.closed).toBe(0)
  })

  test('when a stream is left before its end, then its connection is given up, and the pool goes on', async () => {
    const out = await sql`copy (select generate_series(1, 1000000)) to stdout`.readable()
    out.destroy()
    const into = await sql`copy users (id) from stdin`.writable()
    into.write('1\n')
    into.destroy(new Error('changed my mind'))
    await idle()
    expect(await sql`select count(*)::int as n from users`).toEqual([{ n: 0 }])
  })
})

describe('given cancel', () => {
  test('when the query runs, then it is cancelled, and the next one on its connection is not', async () => {
    const running = sql`select pg_sleep(60)`.execute()
    await expect.poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).toHaveLength(1)
    running.cancel()
    await expect(running).rejects.toMatchObject({ code: '57014' })
    for (let i = 0; i < 50; i++) {
      const brief = sql`select pg_sleep(0.001)`.execute()
      brief.cancel()
      await brief.catch(() => {})
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    }
  })

  test('when it waits, or is not awaited yet, then it is never sent', async () => {
    const held = await Promise.all([sql.reserve(), sql.reserve()])
    const waiting = sql`insert into users (id) values (1)`.execute()
    await expect.poll(() => sql.snapshot().stats.waiting).toBe(1)
    waiting.cancel()
    await expect(waiting).rejects.toMatchObject({ code: '57014' })
    for (const each of held) each.release()
    const early = sql`insert into users (id) values (2)`
    early.cancel()
    await expect(early).rejects.toMatchObject({ code: '57014' })
    await idle()
    expect(await sql`select count(*)::int as n from users`).toEqual([{ n: 0 }])
  })
})

describe('given what keeps a connection of its own', () => {
  test('then listen hears what notify says, by the pool or in a transaction, until unlisten', async () => {
    const heard: string[] = []
    const { unlisten } = await sql.listen('news', (payload) => heard.push(payload))
    await sql.notify('news', 'one')
    await sql.begin((tx) => tx.notify('news', 'two'))
    await expect.poll(() => heard).toEqual(['one', 'two'])
    await unlisten()
    expect(sql.snapshot().stats.total).toBeLessThanOrEqual(2)
  })

  test('then subscribe tells of changes', async () => {
    await server.query('alter role app replication')
    await server.query('create publication alltables for all tables')
    const seen: unknown[] = []
    await sql.subscribe('insert:users', (row) => seen.push(row))
    await sql`insert into users (id, name) values (9, 'ada')`
    await expect.poll(() => seen).toMatchObject([{ id: 9, name: 'ada' }])
  })

  test('then a large object is written and read, in a transaction of the pool', async () => {
    const object = await sql.largeObject()
    await object.write(Buffer.from('large'))
    await object.seek(0)
    expect(await object.read(5)).toEqual([{ data: Buffer.from('large') }])
    expect(sql.snapshot().stats.active).toBe(1)
    await object.close()
    await idle()
  })
})
