import { expect, test } from 'vitest'
import { PGBOUNCER_CONSOLE, type PgBouncerClient } from '../topology/index.ts'
import { type ClientTrust, trustClients } from './client-trust.ts'
import { pooledName } from './pooled-name.ts'

const SELF = 'orders#mememe'
const OTHER = 'orders#000001'
const TRUST: ClientTrust = {
  ...{ member: SELF, database: 'orders', user: 'app', consoleUser: 'stats', trustedRoles: [] },
}

const client = (member: string, user = 'app', database = 'orders'): PgBouncerClient => {
  return { database, user, applicationName: pooledName(member) }
}
const publisher = (member: string, user = 'stats', figures = 't=3,d=4,n=1'): PgBouncerClient => {
  return { database: PGBOUNCER_CONSOLE, user, applicationName: `${member}:${figures}` }
}

/** For each client, whether its name counts; and the clients that are reported as ignored. */
function judge(clients: readonly PgBouncerClient[], more: Partial<ClientTrust> = {}) {
  const judged = trustClients(clients, { ...TRUST, ...more })
  return { counts: judged.clients.map(({ applicationName }) => applicationName !== ''), ignored: judged.ignored }
}

const ignoredOf = (role: string, app = 'orders', count = 1) => ({ role, app, count })

test('a client counts as an instance if its user is that of this instance, or a trusted role', () => {
  const clients = [client(SELF), client(OTHER), client('bills#000002', 'bills'), client('x#aaaaaa', 'evil')]

  expect(judge(clients)).toEqual({
    counts: [true, true, false, false],
    ignored: [ignoredOf('bills', 'bills'), ignoredOf('evil', 'x')],
  })
  expect(judge(clients, { trustedRoles: ['bills'] })).toEqual({
    counts: [true, true, true, false],
    ignored: [ignoredOf('evil', 'x')],
  })
})

test('a client without the name of an instance is not reported', () => {
  expect(judge([client(SELF), { database: 'orders', user: 'evil', applicationName: 'psql' }]).ignored).toEqual([])
})

test('the own name counts only in the own database, and for the own user rather than for a trusted role', () => {
  const clients = [client(SELF), client(SELF, 'app', 'bills'), client(SELF, 'bills')]

  expect(judge(clients, { trustedRoles: ['bills'] }).counts).toEqual([true, false, false])
})

test('with auth_type = any, the user that PgBouncer shows for this instance is trusted', () => {
  const clients = [client(SELF, 'forced'), client(OTHER, 'forced'), client('x#aaaaaa', 'app')]

  expect(judge(clients).counts).toEqual([true, true, false])
})

test('a user that PgBouncer shows for some clients of this instance does not replace its own', () => {
  const clients = [client(SELF, 'evil'), client(SELF, 'app'), client(OTHER, 'app'), client(OTHER, 'evil')]

  expect(judge(clients).counts).toEqual([false, true, true, false])
})

test("an instance's figures count from this instance's user of the console, and from others only without one of a better rank", () => {
  const clients = [client(SELF), client(OTHER)]

  expect(judge([...clients, publisher(OTHER), publisher(OTHER, 'admin')]).counts).toEqual([true, true, true, false])
  expect(judge([...clients, publisher(OTHER, 'app'), publisher(OTHER, 'admin')]).counts.slice(2)).toEqual([true, false])
  expect(judge([...clients, publisher(OTHER, 'admin')]).counts.slice(2)).toEqual([true])
})

test('another user of the console does not publish for an instance without clients', () => {
  expect(judge([client(SELF), publisher('x#aaaaaa', 'admin')])).toEqual({
    counts: [true, false],
    ignored: [ignoredOf('admin', 'x')],
  })
  expect(judge([client(SELF), publisher('bills#000002', 'bills')], { trustedRoles: ['bills'] }).counts[1]).toBe(true)
})
