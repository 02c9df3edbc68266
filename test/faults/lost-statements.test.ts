import { afterAll, beforeAll, describe, test } from 'vitest'
import { type FaultProxy, type PostgresServer, startPostgres, startProxy } from '../harness/index.ts'
import { SUBJECTS, type Subject } from './lost-subjects.ts'

/** The pool queries the server after 5 s without an answer, and again 4 s later. */
const TIMEOUT_MILLIS = 60_000

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 60 })
})
afterAll(() => server.stop())

describe.concurrent('without an answer', () => {
  describe.each(Object.entries(SUBJECTS))('%s', (_name, makeSubject) => {
    async function given(max: number): Promise<{ proxy: FaultProxy; subject: Subject }> {
      const proxy = await startProxy({ target: server })
      return { proxy, subject: makeSubject(proxy.urlFor(server.url), max) }
    }

    test('a statement that the network has lost fails with ETIMEDOUT, also when the pool is full, and the next one runs', {
      timeout: TIMEOUT_MILLIS,
    }, async ({ expect }) => {
      const { proxy, subject } = await given(1)
      await subject.query('select 1')
      proxy.forget()
      await expect(subject.query('select 2 as two')).rejects.toMatchObject({
        code: 'ETIMEDOUT',
        message: expect.stringContaining('the server runs no statement on this connection'),
      })
      expect(await subject.query('select 3 as three')).toEqual([{ three: 3 }])
      await subject.end()
      await proxy.stop()
    })

    test('a statement whose answer the network has lost fails with ETIMEDOUT', {
      timeout: TIMEOUT_MILLIS,
    }, async ({ expect }) => {
      const { proxy, subject } = await given(2)
      await subject.query('select 1')
      const asked = subject.query('select pg_sleep(1)').catch((error: unknown) => error)
      await expect
        .poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`))
        .not.toEqual([])
      proxy.forget()
      expect(await asked).toMatchObject({ code: 'ETIMEDOUT' })
      await subject.end()
      await proxy.stop()
    })

    test('a transaction whose connection the network has lost fails, and its connection is replaced', {
      timeout: TIMEOUT_MILLIS,
    }, async ({ expect }) => {
      const { proxy, subject } = await given(1)
      await expect(subject.inTransaction('select 1', () => proxy.forget(), 'select 2')).rejects.toMatchObject({
        code: 'ETIMEDOUT',
      })
      expect(await subject.query('select 3 as three')).toEqual([{ three: 3 }])
      expect(subject.open()).toBe(1)
      // The server would keep the lost session, with its transaction and its locks. The other driver's may take a moment longer.
      const open = () => server.query(`select 1 from pg_stat_activity where state like 'idle in transaction%'`)
      await expect.poll(open, { timeout: 30_000 }).toEqual([])
      await subject.end()
      await proxy.stop()
    })

    test('a statement fails with ETIMEDOUT if the server ends the session at once, and the network loses that message, too', {
      timeout: TIMEOUT_MILLIS,
    }, async ({ expect }) => {
      const { proxy, subject } = await given(2)
      const [row] = (await subject.query('select pg_backend_pid() as pid')) as { pid: number }[]
      proxy.forget()
      const asked = subject.query('select 2 as two').catch((error: unknown) => error)
      await server.query('select pg_terminate_backend($1)', [row?.pid])
      expect(await asked).toMatchObject({ code: 'ETIMEDOUT' })
      expect(await subject.query('select 3 as three')).toEqual([{ three: 3 }])
      await subject.end()
      await proxy.stop()
    })

    test('a statement that runs for long is answered', { timeout: TIMEOUT_MILLIS }, async ({ expect }) => {
      const { proxy, subject } = await given(1)
      expect(await subject.query('select pg_sleep(13), 1 as one')).toMatchObject([{ one: 1 }])
      await subject.end()
      await proxy.stop()
    })
  })
})
