import { expect, test } from 'vitest'
import { type ConnectCause, findConnectCause } from './connect-cause.ts'

const HBA = 'no pg_hba.conf entry for host "10.0.0.7", user "app", database "orders"'

test.each<[cause: ConnectCause | undefined, code: string, message: string]>([
  ['refused', 'ECONNREFUSED', 'connect ECONNREFUSED 127.0.0.1:5432'],
  ['refused', 'ENOENT', 'connect ENOENT /var/run/postgresql/.s.PGSQL.5432'],
  ['unknown-host', 'ENOTFOUND', 'getaddrinfo ENOTFOUND db'],
  ['unknown-host', 'EAI_AGAIN', 'getaddrinfo EAI_AGAIN db'],
  ['unreachable', 'ENETUNREACH', 'connect ENETUNREACH 2600::1:5432'],
  ['timeout', 'ETIMEDOUT', 'connect ETIMEDOUT 10.0.0.9:5432'],
  ['timeout', 'ETIMEDOUT', 'connect timeout: the server did not answer within 5000 ms'],
  ['no-answer', '', 'Query read timeout'],
  ['closed', 'ECONNRESET', 'read ECONNRESET'],
  ['closed', '', 'Connection terminated unexpectedly'],
  ['starting', '57P03', 'the database system is starting up'],
  ['starting', '08P01', 'the database system is shutting down'],
  ['wrong-password', '28P01', 'password authentication failed for user "app"'],
  ['wrong-password', '08P01', 'SASL authentication failed'],
  ['wrong-password', '28000', 'PAM authentication failed for user "app"'],
  ['no-password', '', 'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string'],
  ['unknown-role', '28000', 'role "app" does not exist'],
  ['unknown-role', '08P01', 'no such user: app'],
  ['unknown-database', '3D000', 'database "orders" does not exist'],
  ['unknown-database', '08P01', 'no such database: orders'],
  ['not-permitted', '28000', 'role "readers" is not permitted to log in'],
  ['not-permitted', '42501', 'permission denied for database "orders"'],
  ['not-permitted', '55000', 'database "template0" is not currently accepting connections'],
  ['tls-required', '28000', `${HBA}, no encryption`],
  ['tls-required', '28000', `${HBA}, SSL off`],
  ['tls-required', '08P01', 'SSL required'],
  ['no-hba-entry', '28000', HBA],
  ['no-hba-entry', '28000', `${HBA}, SSL on`],
  ['no-hba-entry', '28000', 'pg_hba.conf rejects connection for host "10.0.0.7", user "app", database "orders"'],
  ['no-tls', '', 'The server does not support SSL connections'],
  ['unknown-certificate', 'DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate'],
  ['unknown-certificate', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'unable to verify the first certificate'],
  ['wrong-certificate-name', 'ERR_TLS_CERT_ALTNAME_INVALID', "Hostname/IP does not match certificate's altnames"],
  ['expired-certificate', 'CERT_HAS_EXPIRED', 'certificate has expired'],
  ['client-certificate-required', '28000', 'connection requires a valid client certificate'],
  ['client-certificate-required', 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', 'tlsv13 alert certificate required'],
  ['tls-handshake', 'ERR_SSL_UNSUPPORTED_PROTOCOL', 'unsupported protocol'],
  ['full', '53300', 'sorry, too many clients already'],
  ['full', '08P01', 'no more connections allowed (max_client_conn)'],
  ['pooler-login', '08P01', 'server login has been failing, cached error: too many clients (server_login_retry)'],
  ['pooler-disabled', '08P01', 'database "orders" is disabled'],
  ['pooler-queue', '08P01', 'query_wait_timeout'],
  ['startup-parameter', '08P01', 'unsupported startup parameter: options'],
  ['startup-parameter', '42704', 'unrecognized configuration parameter "connection_limit"'],
  ['not-postgres', '', 'received invalid response: 2d'],
  [undefined, '99999', 'an unknown error'],
])('finds %s for %s %s', (cause, code, message) => {
  expect(findConnectCause(Object.assign(new Error(message), code !== '' && { code }))).toBe(cause)
})

test('of an error for several addresses, the first address counts', () => {
  const refused = Object.assign(new Error('connect ECONNREFUSED ::1:5432'), { code: 'ECONNREFUSED' })

  expect(findConnectCause(new AggregateError([refused]))).toBe('refused')
})
