import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type FaultProxy, type Replication, startProxy, startReplication } from '../harness/index.ts'
import { SUBJECTS, type Subject } from './lost-subjects.ts'

/** The pool queries the server after 5 s without an answer, and again 4 s later. */
const TIMEOUT_MILLIS = 60_000

let replication: Replication
let standby: Replication['primary']
beforeAll(async () => {
  replication = await startReplication()
  standby = replication.standbys[0] as typeof standby
}, 120_000)
afterAll(() => replication.stop())

/** A pool at one address, as of a service or a name. It leads to the primary until the proxy leads to another server. */
async function given(
  makeSubject: (url: string, max: number) => Subject,
): Promise<{ proxy: FaultProxy; subject: Subject }> {
  const proxy = await startProxy({ target: replication.primary })
  return { proxy, subject: makeSubject(proxy.urlFor(replication.primary.url), 2) }
}

describe('an address that leads to several servers', () => {
  test.concurrent.each(Object.entries(SUBJECTS))(
    '%s: a statement that runs for long on one of them is answered',
    {
      timeout: TIMEOUT_MILLIS,
    },
    async (_name, makeSubject) => {
      const { proxy, subject } = await given(makeSubject)
      await subject.query('select 1')
      const asked = subject.query('select pg_sleep(13), pg_is_in_recovery() as standby')
      proxy.leadTo(standby)
      // On a connection to the other server, which the pool asks about the session.
      expect(await subject.query('select pg_is_in_recovery() as standby')).toEqual([{ standby: true }])
      expect(await asked).toMatchObject([{ standby: false }])
      await subject.end()
      await proxy.stop()
    },
  )
})

describe('an address that leads to a new primary, after the old one has vanished without a word', () => {
  beforeAll(() => replication.promote(standby))

  test.concurrent.each(Object.entries(SUBJECTS))(
    '%s: statements on the old one fail with ETIMEDOUT, and the next ones run on the new one',
    {
      timeout: TIMEOUT_MILLIS,
    },
    async (_name, makeSubject) => {
      const { proxy, subject } = await given(makeSubject)
      const address = 'select pg_catalog.inet_server_port() as port'
      expect(await subject.query(address)).toEqual([{ port: replication.primary.port }])
      const lost = subject.inTransaction(
        'select 1',
        () => {
          proxy.forget()
          proxy.leadTo(standby)
        },
        'select 2',
      )
      await expect(lost).rejects.toMatchObject({
        code: 'ETIMEDOUT',
        message: expect.stringContaining('the server was restarted or replaced'),
      })
      expect(await subject.query(address)).toEqual([{ port: standby.port }])
      await subject.end()
      await proxy.stop()
    },
  )
})
