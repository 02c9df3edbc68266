import { describe, expect, test } from 'vitest'
import { DriverProbeSession, type ProbedConnection, type TextRow } from './probe-session.ts'

function connectionTo(pid: string, given: { readonly preparesOnlyIfNeeded: boolean }) {
  const texts: string[] = []
  const connection: ProbedConnection = {
    parameters: new Map([['server_version', '18.1']]),
    announcedPid: 4_294_967_295,
    askRow: async (text) => {
      texts.push(text)
      return [pid, 'along'] satisfies TextRow
    },
    askPrepared: async (text, name) => {
      texts.push(text)
      return { row: [pid, 'PGBOUNCER_7', text.includes('current_user') ? 'along' : null], name }
    },
    ...given,
  }
  return { session: new DriverProbeSession(connection), texts }
}

describe('given a driver that closes its prepared statements', () => {
  test('then one prepared statement returns the backend, its name on the server, and the additional expression', async () => {
    const { session, texts } = connectionTo('77', { preparesOnlyIfNeeded: false })

    const identity = await session.identify('current_user::text')

    expect(identity).toEqual({
      pid: 77,
      chosenName: expect.stringMatching(/^poolguard_[0-9a-f]{12}$/),
      serverName: 'PGBOUNCER_7',
      along: 'along',
    })
    expect(texts).toEqual([expect.stringContaining(`/*${identity.chosenName}*/`)])
  })
})

describe('given a driver that keeps its prepared statements', () => {
  test('when the announced backend answers, then the driver prepares nothing', async () => {
    // The server writes the same number signed.
    const { session, texts } = connectionTo('-1', { preparesOnlyIfNeeded: true })

    expect(await session.identify('current_user::text')).toEqual({
      pid: 4_294_967_295,
      chosenName: '',
      serverName: null,
      along: 'along',
    })
    expect(texts).toHaveLength(1)
  })

  test('when another backend answers, then the driver prepares a statement, and does not query the additional expression twice', async () => {
    const { session, texts } = connectionTo('77', { preparesOnlyIfNeeded: true })

    const { chosenName, ...rest } = await session.identify('current_user::text')

    expect(rest).toEqual({ pid: 77, serverName: 'PGBOUNCER_7', along: 'along' })
    expect(chosenName).not.toBe('')
    expect(texts.filter((text) => text.includes('current_user'))).toHaveLength(1)
  })
})

test('begins a transaction and queries its backend in one text, and rolls back', async () => {
  const { session, texts } = connectionTo('77', { preparesOnlyIfNeeded: false })

  expect(await session.begin()).toBe(77)
  expect(await session.backendPid()).toBe(77)
  await session.rollback()

  expect(texts).toEqual(['begin; select pg_catalog.pg_backend_pid()', 'select pg_catalog.pg_backend_pid()', 'rollback'])
})
