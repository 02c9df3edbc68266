import { describe, expect, test } from 'vitest'
import { type ConnectFailure, classifyConnectFailure } from './connect-failure.ts'

type Row = readonly [code: string | undefined, message: string]

function errorOf([code, message]: Row): Error {
  return code === undefined ? new Error(message) : Object.assign(new Error(message), { code })
}

const table: Record<ConnectFailure, readonly Row[]> = {
  full: [
    ['53300', 'sorry, too many clients already'],
    ['53300', 'remaining connection slots are reserved for non-replication superuser connections'],
    [
      '53300',
      'remaining connection slots are reserved for roles with privileges of the "pg_use_reserved_connections" role',
    ],
    ['53300', 'remaining connection slots are reserved for roles with the SUPERUSER attribute'],
    ['53300', 'too many connections for role "app"'],
    ['53300', 'too many connections for database "app"'],
    ['53300', 'tout autre texte, dans la langue du serveur'],
    ['53400', 'configured connection limit exceeded'],
    // PgBouncer 1.18 passes PostgreSQL's text on under a code of its own.
    ['08P01', 'sorry, too many clients already'],
    ['08P01', 'too many connections for role "app"'],
    ['08P01', 'no more connections allowed (max_client_conn)'],
    ['08P01', 'client connections exceeded (max_user_client_connections)'],
    ['08P01', 'client connections exceeded (max_db_client_connections)'],
    [
      '08P01',
      'server login has been failing, cached error: FATAL: sorry, too many clients already (server_login_retry)',
    ],
    [
      '08P01',
      'server login has been failing, cached error: remaining connection slots are reserved for roles with the SUPERUSER attribute (server_login_retry)',
    ],
  ],
  unavailable: [
    ['57P01', 'terminating connection due to administrator command'],
    ['57P02', 'terminating connection because of crash of another server process'],
    ['57P03', 'the database system is starting up'],
    ['57P03', 'the database system is shutting down'],
    ['57P03', 'the database system is in recovery mode'],
    ['08P01', 'the database system is starting up'],
    ['08P01', 'the database system is in recovery mode'],
    ['08006', 'connection failure'],
    ['08P01', 'query_wait_timeout'],
    ['08P01', 'server login has been failing, cached error: connect failed (server_login_retry)'],
    ['08P01', 'server shutting down'],
    ['08P01', 'server conn crashed?'],
    ['08P01', 'database removed'],
    ['08P01', 'database "app" is disabled'],
    ['ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:6432'],
    ['ECONNRESET', 'read ECONNRESET'],
    ['ETIMEDOUT', 'connect ETIMEDOUT 10.0.0.5:5432'],
    ['EHOSTUNREACH', 'connect EHOSTUNREACH 10.0.0.5:5432'],
    ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db.internal'],
    ['ENOENT', 'connect ENOENT /var/run/postgresql/.s.PGSQL.5432'],
    [undefined, 'Connection terminated unexpectedly'],
    [undefined, 'Connection terminated due to connection timeout'],
    [undefined, 'Connection terminated'],
    [undefined, 'timeout expired'],
    [undefined, 'Client has encountered a connection error and is not queryable'],
  ],
  refused: [
    ['28P01', 'password authentication failed for user "app"'],
    ['28000', 'no pg_hba.conf entry for host "10.0.0.7", user "app", database "app", no encryption'],
    ['3D000', 'database "nowhere" does not exist'],
    ['42704', 'unrecognized configuration parameter "x"'],
    ['08P01', 'no such database: nowhere'],
    ['08P01', 'SASL authentication failed'],
    ['08P01', 'unsupported startup parameter: x'],
    ['08P01', 'unsupported startup parameter in options: x'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND db.internal'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
    [undefined, 'The server does not support SSL connections'],
    [undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'],
    // Its text is not to be read where it has a code of its own.
    ['XX000', 'too many connections, or so this text would have it'],
  ],
}

describe.each(Object.entries(table) as [ConnectFailure, readonly Row[]][])('%s', (failure, rows) => {
  test.each(rows)('%s: %s', (...row) => {
    expect(classifyConnectFailure(errorOf(row))).toBe(failure)
  })
})

describe('what is no plain error', () => {
  test('given an AggregateError of several addresses without a code, then its first error counts', () => {
    const both = new AggregateError([errorOf(['ECONNREFUSED', '::1']), errorOf(['ECONNREFUSED', '127.0.0.1'])])

    expect(classifyConnectFailure(both)).toBe('unavailable')
  })

  test.each([null, undefined, 7, 'a text', {}, { code: 7 }, new AggregateError([])])('%o is refused', (thrown) => {
    expect(classifyConnectFailure(thrown)).toBe('refused')
  })

  test('a thrown text is read', () => {
    expect(classifyConnectFailure('Connection terminated unexpectedly')).toBe('unavailable')
  })
})
