import type { ConnectFailure } from '../pool/index.ts'

/** Classifies the errors with which one server or pooler rejects a connection. */
export interface ConnectFailureRule {
  /** The sender of the error, and where it is documented. */
  readonly source: string
  /** Matching codes; an error without a code has the code ''. Undefined: any code matches. */
  readonly codes?: readonly string[]
  /** Undefined: any text matches. */
  readonly text?: RegExp
  readonly failure: ConnectFailure
}

/**
 * Codes under which poolers forward PostgreSQL's errors: PgBouncer (08P01), Supavisor, Neon and Pgpool-II (XX000), PgCat and
 * PgDog (58000), Odyssey (08006); none if an ORM has kept only the text.
 */
const RELAYED: readonly string[] = ['', '08P01', 'XX000', '58000', '08006', '08000']

/**
 * The first matching rule counts; an error without a matching rule is `unavailable`. So a rule for `unavailable` is needed only
 * if a later rule would match too. Patterns have no nested repetition and apply to text of limited length.
 */
export const CONNECT_FAILURE_RULES: readonly ConnectFailureRule[] = [
  // Full.
  {
    source: 'PostgreSQL: too_many_connections with any text; Odyssey and Pgpool-II use the same code',
    codes: ['53300'],
    failure: 'full',
  },
  { source: 'configuration_limit_exceeded, which some providers use instead', codes: ['53400'], failure: 'full' },
  {
    source: "PostgreSQL's texts, forwarded under another code; PgBouncer repeats them as `cached error: ...`",
    codes: RELAYED,
    text: /too many clients|too many connections for |remaining connection slots/i,
    failure: 'full',
  },
  {
    source: 'PostgreSQL, through PgBouncer 1.18 or an ORM',
    codes: ['', '08P01'],
    text: /too many connections/i,
    failure: 'full',
  },
  {
    source: 'PgBouncer: src/client.c and src/objects.c',
    codes: ['', '08P01'],
    text: /no more connections allowed|client connections exceeded/i,
    failure: 'full',
  },
  {
    source: 'Supavisor: lib/supavisor/errors/max_connections_error.ex, checkout_timeout_error.ex; and before 2.7',
    codes: ['', 'XX000'],
    text: /\((?:EMAX\w*|ECHECKOUTTIMEOUT)\)|MaxClientsInSessionMode|max clients reached|max (?:client|proxy) connections reached|unable to check ?out connection from the pool/i,
    failure: 'full',
  },
  {
    source: 'Neon: proxy/src/control_plane/errors.rs, proxy/src/auth/mod.rs',
    codes: ['', 'XX000'],
    text: /too many connections attempts|too many connections to this endpoint|too many database connection attempts/i,
    failure: 'full',
  },
  {
    source: 'RDS Proxy: docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.troubleshooting.html',
    text: /maximum number of client connections to the proxy exceeded|rate of connection to proxy exceeded|timed-out waiting to acquire database connection/i,
    failure: 'full',
  },
  {
    source: 'PgDog: pgdog/src/backend/pool/error.rs',
    codes: ['', '58000'],
    text: /(?:^|: |replica )checkout timeout/i,
    failure: 'full',
  },
  {
    source: 'Odyssey: sources/frontend.c',
    codes: RELAYED,
    text: /too many (?:tcp connections|active clients)/i,
    failure: 'full',
  },
  { source: 'Pgpool-II before 3.4: child.c', codes: ['XX000'], text: /connection cache is full/i, failure: 'full' },
  {
    source: 'Cloudflare Hyperdrive: developers.cloudflare.com/hyperdrive/observability/troubleshooting',
    codes: ['', '58000'],
    text: /waiting for an open slot in the pool|failed to acquire a connection/i,
    failure: 'full',
  },

  // Transient, although a later rule would match.
  {
    source: 'PgBouncer: repeats the last error of its own login for server_login_retry seconds, then retries',
    text: /server_login_retry|server login has been failing/i,
    failure: 'unavailable',
  },
  {
    source: 'RDS Proxy: too many concurrent logins by IAM token',
    text: /too many competing requests/i,
    failure: 'unavailable',
  },
  {
    source: 'Supavisor: errors/circuit_breaker_error.ex, pool_terminating_error.ex',
    text: /\((?:ECIRCUITBREAKER|EPOOLTERMINATING)\)/,
    failure: 'unavailable',
  },

  // Permanent, by SQLSTATE.
  {
    source:
      'PostgreSQL: invalid_authorization_specification (no entry in pg_hba.conf, TLS required, no such role), invalid_password',
    codes: ['28000', '28P01'],
    failure: 'permanent',
  },
  { source: 'PostgreSQL: invalid_catalog_name (no such database)', codes: ['3D000'], failure: 'permanent' },
  { source: 'PostgreSQL: feature_not_supported (protocol, replication)', codes: ['0A000'], failure: 'permanent' },
  { source: 'PostgreSQL: insufficient_privilege (no CONNECT on the database)', codes: ['42501'], failure: 'permanent' },
  {
    source: 'PostgreSQL: the database does not allow connections (datallowconn)',
    codes: ['55000'],
    failure: 'permanent',
  },
  {
    source: 'PostgreSQL: a startup parameter is unknown, has an invalid value, or cannot be set when connecting',
    codes: ['42704', '42601', '42602', '22023', '55P02'],
    failure: 'permanent',
  },

  // Permanent, by text.
  {
    source: "PostgreSQL's texts, forwarded under another code",
    codes: RELAYED,
    text: /password authentication failed|no pg_hba\.conf entry|pg_hba\.conf rejects|(?:database|role|user) "[^"]*" does not exist|permission denied for database|is not permitted to log in|is not currently accepting connections/i,
    failure: 'permanent',
  },
  {
    source: 'PgBouncer: src/client.c; the last text comes from its console',
    codes: ['', '08P01'],
    text: /no such (?:database|user)|SASL authentication failed|authentication failed|auth failed|unsupported startup parameter|SSL required|bouncer config error|^not allowed/i,
    failure: 'permanent',
  },
  {
    source: 'Supavisor: lib/supavisor/errors; and before 2.7',
    codes: ['', 'XX000'],
    text: /\((?:ENOTFOUND|ETENANTNOTFOUND|EADDRNOTALLOWED|EBANNED|ESSLREQUIRED|ENOTENANT\w*|EINVALIDUSERINFO)\)|tenant or user not found|user not found in the database|tenant is banned|SSL connection is required|no tenant identifier/i,
    failure: 'permanent',
  },
  {
    source: 'Neon: proxy/src/auth/mod.rs, proxy/src/control_plane/messages.rs',
    codes: ['', 'XX000', '08P01'],
    text: /endpoint ID is not specified|is not allowed to connect to this endpoint|from a blocked network|endpoint could not be found|unsupported authentication method|malformed password message|exceeded the [\w ]{1,40} quota|endpoint has been disabled/i,
    failure: 'permanent',
  },
  {
    source: 'RDS Proxy: docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.troubleshooting.html',
    text: /requires TLS connections|has no credentials for the role|password that was provided for the role|allowed only with SSL connections|RDS supports only IAM|IAM authentication failed|RDS Proxy (?:currently|supports only)/i,
    failure: 'permanent',
  },
  {
    source: 'PgDog: pgdog/src/net/messages/error_response.rs',
    text: /clients must connect with TLS/i,
    failure: 'permanent',
  },
  {
    source: 'Odyssey: sources/frontend.c, sources/auth.c',
    codes: RELAYED,
    text: /route for '[^']*' is not found|SSL is required|incorrect password/i,
    failure: 'permanent',
  },
  {
    source: 'PgCat: src/client.rs',
    codes: RELAYED,
    text: /no pool configured for database|invalid password/i,
    failure: 'permanent',
  },
  {
    source: 'Pgpool-II: src/auth/pool_auth.c',
    codes: RELAYED,
    text: /(?:md5|SCRAM) authentication failed|pool_hba\.conf/i,
    failure: 'permanent',
  },

  // Permanent: errors of the client.
  {
    source: 'Node: the certificate of the server is not trusted (nodejs.org/api/tls.html#x509-certificate-error-codes)',
    codes: [
      ...['UNABLE_TO_GET_ISSUER_CERT', 'UNABLE_TO_GET_ISSUER_CERT_LOCALLY', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
      ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'SELF_SIGNED_CERT_IN_CHAIN', 'CERT_CHAIN_TOO_LONG', 'CERT_HAS_EXPIRED'],
      ...['CERT_NOT_YET_VALID', 'CERT_REVOKED', 'CERT_UNTRUSTED', 'CERT_REJECTED', 'CERT_SIGNATURE_FAILURE'],
      ...['INVALID_CA', 'INVALID_PURPOSE', 'PATH_LENGTH_EXCEEDED', 'HOSTNAME_MISMATCH'],
      ...['ERR_TLS_CERT_ALTNAME_INVALID', 'ERR_TLS_CERT_ALTNAME_FORMAT'],
    ],
    failure: 'permanent',
  },
  {
    source: 'Node: client and server cannot agree on TLS, or the server requires a client certificate',
    codes: [
      ...['ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_UNSUPPORTED_PROTOCOL', 'ERR_SSL_NO_PROTOCOLS_AVAILABLE'],
      ...[
        'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
        'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA',
        'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED',
      ],
      ...[
        'ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE',
        'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE',
        'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
      ],
      ...['ERR_TLS_INVALID_PROTOCOL_VERSION', 'ERR_TLS_PROTOCOL_VERSION_CONFLICT', 'ERR_TLS_REQUIRED_SERVER_NAME'],
    ],
    failure: 'permanent',
  },
  {
    source: 'Node: permission denied (the permission model, a Unix socket of another user), or an invalid path or port',
    codes: ['EACCES', 'EPERM', 'ERR_ACCESS_DENIED', 'ENAMETOOLONG', 'ENOTDIR', 'ERR_SOCKET_BAD_PORT'],
    failure: 'permanent',
  },
  {
    source: 'pg and postgres.js: lib/connection.js, src/connection.js',
    text: /server does not support SSL connections/i,
    failure: 'permanent',
  },
  {
    source: 'poolguard: the server cannot do the channel binding that the configuration requires',
    codes: ['POOLGUARD_CHANNEL_BINDING'],
    failure: 'permanent',
  },
  {
    source: 'pg: lib/crypto/sasl.js, lib/client.js',
    codes: [''],
    text: /^SASL: |^pg\.native is not supported|^Client has already been connected/,
    failure: 'permanent',
  },
  {
    source: 'postgres.js: src/connection.js',
    codes: ['AUTH_TYPE_NOT_IMPLEMENTED', 'SASL_SIGNATURE_MISMATCH'],
    failure: 'permanent',
  },
]

/** Prefixes of Node's many codes for invalid arguments, keys and certificates. */
export const PERMANENT_CODE_PREFIXES: readonly string[] = ['ERR_INVALID_', 'ERR_OSSL_', 'ERR_CRYPTO_']
