import { expect, test } from 'vitest'
import { adviseConnectFailure, isKilledByPooler } from './connect-advice.ts'

const thrown = (message: string, code?: string) => Object.assign(new Error(message), code !== undefined && { code })

test.each([
  [thrown('server login has been failing, cached error: x (server_login_retry)', '08P01'), 'RECONNECT'],
  [thrown('The server does not support SSL connections'), 'sslmode=disable'],
  [thrown('no pg_hba.conf entry for host "::1", user "a", database "b", no encryption', '28000'), 'sslmode=require'],
  [thrown('self-signed certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT'), 'sslrootcert'],
])('%o has advice', (error, advice) => {
  expect(adviseConnectFailure(error)).toContain(advice)
})

test('given an error that needs no advice, then there is none', () => {
  expect(adviseConnectFailure(thrown('database "x" does not exist', '3D000'))).toBeUndefined()
})

test('given a server that was never reached, then the advice names waitForServer', () => {
  const refused = thrown('connect ECONNREFUSED 127.0.0.1:5432', 'ECONNREFUSED')

  expect(adviseConnectFailure(refused, { neverReached: true })).toContain('waitForServer')
  expect(adviseConnectFailure(refused)).toBeUndefined()
})

test("given PgBouncer's KILL, then the advice explains the timeouts that follow", () => {
  const timeout = thrown('connect timeout: the server did not answer within 5000 ms', 'ETIMEDOUT')

  expect(isKilledByPooler(thrown('database removed', '08P01'))).toBe(true)
  expect(adviseConnectFailure(timeout, { killed: true })).toMatch(/RESUME.*server_login_retry/)
})
