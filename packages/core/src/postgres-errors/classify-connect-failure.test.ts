import { describe, expect, test } from 'vitest'
import type { ConnectFailure } from '../pool/index.ts'
import { classifyConnectFailure, isServerAbsent } from './classify-connect-failure.ts'
import { markPasswordFunctionError } from './password-function.ts'

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
    // PgBouncer 1.18 forwards PostgreSQL's text under its own code.
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
    ['XX000', '(EMAXCONNSESSION) max clients reached in session mode - max clients are limited to pool_size: 15'],
    ['XX000', '(EMAXCONN) max client connections reached, limit: 200'],
    ['XX000', '(EMAXPROXYCONN) max proxy connections reached, limit: 200'],
    ['XX000', 'MaxClientsInSessionMode: max clients reached - in Session mode max clients are limited to pool_size'],
    ['XX000', 'Max client connections reached'],
    ['XX000', '(ECHECKOUTTIMEOUT) unable to check out connection from the pool after 60000ms in Session mode'],
    ['XX000', 'Too many connections attempts'],
    ['XX000', 'Too many connections to this endpoint. Please try again later.'],
    [
      'XX000',
      'Failed to acquire permit to connect to the database. Too many database connection attempts are currently ongoing.',
    ],
    ['08004', 'The maximum number of client connections to the proxy exceeded 1000.'],
    ['08004', 'Rate of connection to proxy exceeded 20.'],
    ['08000', 'Timed-out waiting to acquire database connection.'],
    ['58000', 'checkout timeout'],
    ['53300', 'odyssey: c1e3f2ab359: too many tcp connections (global client_max 100)'],
    ['53300', 'too many active clients for user (pool_size for user app.orders reached 10)'],
    ['53300', 'Sorry, too many clients already'],
    ['58000', 'Timed out while waiting for an open slot in the pool.'],
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
    [
      '08P01',
      'server login has been failing, cached error: password authentication failed for user "app" (server_login_retry)',
    ],
    ['28000', 'The IAM authentication failed because of too many competing requests.'],
    ['XX000', '(ECIRCUITBREAKER) too many authentication failures, new connections are temporarily blocked'],
    ['XX000', '(EAUTHQUERY) authentication query failed: connection to database not available'],
    ['XX000', "Couldn't connect to compute node"],
    ['XX000', 'Control plane request failed'],
    ['58000', 'connection pool for user "app" and database "orders" is down'],
    ['58000', 'could not get connection from the pool - AllServersDown'],
    ['08006', 'odyssey: c1e3f2ab359: failed to get remote server connection'],
    ['XX000', 'Unknown error.'],
    ['XX000', 'too many connections, or so this text would have it'],
    ['99999', 'an unknown code and text'],
    [undefined, 'an unknown text'],
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND db.internal'],
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
  permanent: [
    ['28P01', 'password authentication failed for user "app"'],
    ['28000', 'no pg_hba.conf entry for host "10.0.0.7", user "app", database "app", no encryption'],
    ['3D000', 'database "nowhere" does not exist'],
    ['42704', 'unrecognized configuration parameter "x"'],
    ['08P01', 'no such database: nowhere'],
    ['08P01', 'SASL authentication failed'],
    ['08P01', 'unsupported startup parameter: x'],
    ['08P01', 'unsupported startup parameter in options: x'],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
    [undefined, 'The server does not support SSL connections'],
    [undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'],
    [undefined, 'pg.native is not supported: give GuardedPool the JavaScript client of pg'],
    ['42501', 'permission denied for database "orders"'],
    ['55000', 'database "template0" is not currently accepting connections'],
    ['0A000', 'unsupported frontend protocol 1234.5679: server supports 3.0 to 3.2'],
    ['08P01', 'no such user: app'],
    ['08P01', 'password authentication failed for user "app"'],
    ['08P01', 'database "nowhere" does not exist'],
    ['XX000', '(ENOTFOUND) tenant/user postgres.abc not found'],
    ['XX000', 'Tenant or user not found'],
    ['XX000', '(ESSLREQUIRED) SSL connection is required for user: app'],
    ['XX000', '(EADDRNOTALLOWED) address not in tenant allow_list: {10, 0, 0, 7}'],
    ['28P01', "password authentication failed for user 'app'"],
    ['XX000', "password authentication failed for user 'app'"],
    [
      'XX000',
      'Endpoint ID is not specified. Either please upgrade the postgres client library (libpq) for SNI support',
    ],
    ['XX000', 'Your account or project has exceeded the compute time quota. Upgrade your plan to increase limits.'],
    ['28000', 'password for user "app" and database "orders" is wrong, or the database does not exist'],
    ['08004', 'Clients must connect with TLS'],
    ['08P01', 'odyssey: c1e3f2ab359: SSL is required'],
    ['58000', 'No pool configured for database: "orders", user: "app"'],
    ['08004', 'This RDS Proxy requires TLS connections'],
    ['28P01', 'The password that was provided for the role app is wrong.'],
    ['08001', 'This RDS proxy has no credentials for the role app. Check the credentials for this role and try again.'],
    ['SELF_SIGNED_CERT_IN_CHAIN', 'self-signed certificate in certificate chain'],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'],
    ['CERT_HAS_EXPIRED', 'certificate has expired'],
    ['ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"],
    ['ERR_OSSL_PEM_NO_START_LINE', 'error:0480006C:PEM routines::no start line'],
    ['ERR_INVALID_ARG_TYPE', 'The "options.host" property must be of type string'],
    ['ERR_INVALID_URL', 'Invalid URL'],
    ['ERR_SOCKET_BAD_PORT', 'Port should be >= 0 and < 65536. Received 70000.'],
    ['EACCES', 'connect EACCES /var/run/postgresql/.s.PGSQL.5432'],
  ],
}

describe.each(Object.entries(table) as [ConnectFailure, readonly Row[]][])('%s', (failure, rows) => {
  test.each(rows)('%s: %s', (...row) => {
    expect(classifyConnectFailure(errorOf(row))).toBe(failure)
  })
})

describe('an unusual error', () => {
  test('given an AggregateError of several addresses without a code, then its first error counts', () => {
    const both = new AggregateError([errorOf(['ECONNREFUSED', '::1']), errorOf(['ECONNREFUSED', '127.0.0.1'])])

    expect(classifyConnectFailure(both)).toBe('unavailable')
  })

  test.each([null, undefined, 7, 'a text', {}, { code: 7 }, new AggregateError([])])('%o proves nothing', (thrown) => {
    expect(classifyConnectFailure(thrown)).toBe('unavailable')
  })

  test('given a thrown string, then it is classified', () => {
    expect(classifyConnectFailure('SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string')).toBe(
      'permanent',
    )
  })

  test('given a very long message, then only its beginning counts', () => {
    const message = `${'database "'.repeat(400_000)}max clients reached`
    expect(classifyConnectFailure({ code: 'XX000', message })).toBe('unavailable')
  })
})

describe('a password function', () => {
  test.each([
    ['28P01', 'password authentication failed for user "app"'],
    ['28000', 'PAM authentication failed for user "app"'],
    ['28000', 'The IAM authentication failed for the role app. Check the IAM token for this role and try again.'],
    ['08P01', 'SASL authentication failed'],
    ['XX000', "password authentication failed for user 'app'"],
    [undefined, 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'],
  ] as Row[])('may return another password after %s: %s', (...row) => {
    expect(classifyConnectFailure(errorOf(row), { passwordMayChange: true })).toBe('unavailable')
  })

  test.each([
    ['28000', 'no pg_hba.conf entry for host "10.0.0.7", user "app", database "app", no encryption'],
    ['28000', 'role "app" does not exist'],
    ['3D000', 'database "nowhere" does not exist'],
  ] as Row[])('does not help after %s: %s', (...row) => {
    expect(classifyConnectFailure(errorOf(row), { passwordMayChange: true })).toBe('permanent')
  })

  test.each([
    errorOf(['ECONNREFUSED', 'connect ECONNREFUSED 169.254.169.254:80']),
    errorOf(['EACCES', 'open /run/secrets/token']),
    errorOf(['ERR_INVALID_URL', 'Invalid URL']),
    'throttled',
  ])('may throw %o, which proves nothing about the server', (reason) => {
    const error = markPasswordFunctionError(reason)

    expect([classifyConnectFailure(error), isServerAbsent(error)]).toEqual(['unavailable', false])
  })
})

test('a server is absent only if it is absent at every address', () => {
  const refused = errorOf(['ECONNREFUSED', 'connect ECONNREFUSED ::1:5432'])
  const slow = errorOf(['ETIMEDOUT', 'connect ETIMEDOUT 10.0.0.5:5432'])

  expect(isServerAbsent(new AggregateError([refused, refused]))).toBe(true)
  expect(isServerAbsent(new AggregateError([refused, slow]))).toBe(false)
  expect(isServerAbsent(errorOf(['EAI_AGAIN', 'getaddrinfo EAI_AGAIN db']))).toBe(false)
})
