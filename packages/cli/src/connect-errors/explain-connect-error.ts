import { existsSync } from 'node:fs'
import { type ConnectCause, type ConnectionString, findConnectCause, normalizeTarget } from '@poolguard/core/postgres'
import { connectionErrorPage } from '../output/documentation.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import { shellWord } from '../output/shell-word.ts'
import type { Step } from '../output/step.ts'
import { t } from '../output/translate.ts'
import type { Address, Advice } from './advice.ts'
import { type ComposeHost, findComposeHost } from './compose-host.ts'
import { explainUnknownHost } from './unknown-host.ts'

/** What a connection error means, and what to try. */
export interface ConnectHelp {
  readonly cause: ConnectCause
  readonly meaning: string
  /** Commands that help now. */
  readonly now: readonly Step[]
  /** What to change. */
  readonly remedy: string
  readonly page: string
}

/** The address that could not be reached. */
export interface ConnectPlace {
  readonly url: ConnectionString
  /** The project's folder, for its compose files. */
  readonly folder: string
}

const LOCAL_HOSTS: ReadonlySet<string> = new Set(['localhost', '127.0.0.1', '::1', '0.0.0.0', ''])
/** Usual names of the database's service in a compose file. */
const USUAL_SERVICES = ['db', 'database', 'postgres', 'postgresql', 'pg', 'pgbouncer']
/** Docker creates this file in each container. */
const CONTAINER_MARK = '/.dockerenv'

/** Explains an error of connecting; undefined if its cause is unknown. */
export function explainConnectError(error: unknown, place: ConnectPlace): ConnectHelp | undefined {
  const cause = findConnectCause(error)
  if (cause === undefined) return undefined
  const message = messageOf(error)
  const advice = ADVICE[cause](addressOf(place), message)
  return withPlainTexts({ cause, now: [], ...advice, page: connectionErrorPage(cause) })
}

function addressOf({ url, folder }: ConnectPlace): Address {
  // Without parts that may be a piece of a password.
  const { user = '', database = user, hosts = [] } = normalizeTarget(url).shown()
  const [{ host, port = 5432 } = { host: 'localhost' }] = hosts
  return { host, port, user, database, isLocal: LOCAL_HOSTS.has(host) || host.startsWith('/'), folder }
}

/** What each cause means, and what to try. */
export const ADVICE: Readonly<Record<ConnectCause, (address: Address, message: string) => Advice>> = {
  refused: explainRefused,
  'unknown-host': explainUnknownHost,
  unreachable: ({ host }) => ({
    meaning: t`There is no network route from here to ${host}.`,
    remedy: t`Check the VPN and the network. If the name has only an IPv6 address, use the provider's IPv4 or pooler host name, or a network with IPv6.`,
  }),
  timeout: ({ host, port }) => ({
    meaning: t`Nothing answered at ${host}:${port} in time. A firewall or a security group usually drops the packets; a server that hangs looks the same.`,
    remedy: t`Allow this machine's address in the firewall, security group or IP allow list of the server, or run the command from inside its network.`,
    now: [{ text: t`Test the network without PostgreSQL:`, run: `nc -vz -w 5 ${shellWord(host)} ${port}` }],
  }),
  closed: ({ host, port }) => ({
    meaning: t`${host}:${port} accepted the connection and closed it before the login finished: the server stopped or crashed, a proxy has no server behind it, or another service uses this port.`,
    remedy: t`Check that the port is PostgreSQL's or the pooler's, and read the server's log at this time.`,
  }),
  starting: () => ({
    meaning: t`The server is starting, shutting down or recovering, and rejects connections until it has finished.`,
    remedy: t`Try again in a few seconds. If it stays like this, read the server's log: recovery from a crash or a full disk takes longer.`,
  }),
  'wrong-password': ({ user }) => ({
    meaning: t`The server rejected the password of ${user}, or it does not know the role ${user}: it answers the same in both cases.`,
    remedy: t`Correct the password in the URL or in PGPASSWORD. Characters such as @ : / # % in a password must be percent-encoded in a URL. Behind PgBouncer, the password must also be in its auth_file, or found by its auth_query.`,
  }),
  'no-password': ({ user }) => ({
    meaning: t`The server asks for a password of ${user}, and neither the URL nor PGPASSWORD contains one.`,
    remedy: t`Add the password to the URL, or set PGPASSWORD. If a variable in .env should provide it, check that it is not empty.`,
  }),
  'unknown-role': ({ user }) => ({
    meaning: t`The server, or the pooler in front of it, has no role ${user}.`,
    remedy: t`Correct the user in the URL. Without a user in the URL, the driver uses PGUSER or the name of the operating system's user. If the role should exist, create it with CREATE ROLE ... LOGIN; behind PgBouncer, add it to auth_file or auth_query.`,
  }),
  'unknown-database': ({ database }) => ({
    meaning: t`The server, or the pooler in front of it, has no database ${database}.`,
    remedy: t`Correct the database in the URL: it is the part after the last slash, by default the name of the user. If it should exist, create it with CREATE DATABASE; behind PgBouncer, add it to [databases] in pgbouncer.ini and RELOAD.`,
  }),
  'not-permitted': ({ user, database }) => ({
    meaning: t`The login as ${user} works, but this role or the database ${database} does not accept connections.`,
    remedy: t`As the owner or a superuser: ALTER ROLE ... LOGIN for a role without LOGIN, GRANT CONNECT ON DATABASE ... TO ... for a missing right, ALTER DATABASE ... ALLOW_CONNECTIONS true for a closed database.`,
  }),
  'no-hba-entry': ({ user, database }) => ({
    meaning: t`No line of the server's pg_hba.conf allows ${user} to connect to ${database} from this address, or a line rejects it.`,
    remedy: t`Add a line such as "hostssl ${database} ${user} 10.0.0.0/8 scram-sha-256" to pg_hba.conf (on a managed service: allow the address in its network settings), then reload the server.`,
    now: [{ text: t`As a superuser, after the change:`, run: 'select pg_catalog.pg_reload_conf();' }],
  }),
  'tls-required': () => ({
    meaning: t`The server accepts only TLS connections, and this URL does not ask for TLS.`,
    remedy: t`Add sslmode=verify-full to the URL. If the certificate has an authority of its own, add sslrootcert=/path/ca.pem as well. sslmode=no-verify encrypts without verifying: use it only to find out whether TLS is the problem.`,
  }),
  'no-tls': () => ({
    meaning: t`The URL asks for TLS, and the server does not offer it. pg and poolguard never fall back to plain text.`,
    remedy: t`Set sslmode=disable if the network between them is trusted, such as the same machine or a private network. Otherwise turn TLS on in the server: ssl = on in postgresql.conf, client_tls_sslmode in pgbouncer.ini.`,
  }),
  'unknown-certificate': ({ host }) => ({
    meaning: t`The certificate of ${host} is signed by itself, or by an authority that Node does not know.`,
    remedy: t`Download the authority's certificate from the provider and add sslmode=verify-full&sslrootcert=/path/ca.pem to the URL. sslmode=no-verify accepts any certificate: use it only to find out whether the certificate is the problem.`,
  }),
  'wrong-certificate-name': ({ host }) => ({
    meaning: t`The server's certificate is not valid for the host name ${host}: the URL names an IP address, an alias or a tunnel.`,
    remedy: t`Use the host name that is in the certificate.`,
  }),
  'expired-certificate': ({ host }) => ({
    meaning: t`The certificate of ${host} has expired or is not valid yet, or this machine's clock is wrong.`,
    remedy: t`Renew the certificate on the server and reload it, and check the clock of this machine.`,
  }),
  'client-certificate-required': () => ({
    meaning: t`The server accepts only clients with a certificate of their own.`,
    remedy: t`Add sslcert=/path/client.pem&sslkey=/path/client.key to the URL.`,
  }),
  'tls-handshake': () => ({
    meaning: t`Both sides speak TLS, but cannot agree on a version or a cipher, or the port does not speak PostgreSQL's protocol.`,
    remedy: t`Check that the port is PostgreSQL's or the pooler's, and that the server offers TLS 1.2 or later (ssl_min_protocol_version).`,
  }),
  full: () => ({
    meaning: t`The server, this role, this database or the pooler has no connection left.`,
    remedy: t`Run doctor: it shows which limit is reached and who holds the connections.`,
    now: [{ text: t`Show the limit and the holders:`, run: 'npx poolguard doctor' }],
  }),
  'pooler-login': (_, message) => ({
    meaning: t`PgBouncer answers, but cannot log in to PostgreSQL${cachedError(message)}. It repeats the last error to every client for server_login_retry (default 15 s).`,
    remedy: t`Remove the cause in PostgreSQL or in [databases] and auth_file of PgBouncer. PgBouncer retries after server_login_retry, or at once with the command above; RELOAD restores the setting.`,
    now: [{ text: t`On PgBouncer's console, after the cause is gone:`, run: 'SET server_login_retry = 1;' }],
  }),
  'pooler-disabled': ({ database }) => ({
    meaning: t`The database ${database} is disabled on PgBouncer's console, or was removed from its configuration.`,
    remedy: t`Enable it on the console as a user in admin_users, or restore its line in [databases] and RELOAD.`,
    now: [{ text: t`On PgBouncer's console:`, run: `ENABLE ${database};` }],
  }),
  'pooler-queue': () => ({
    meaning: t`The pooler accepted the connection, but no server connection became free in time.`,
    remedy: t`Find the clients that hold its server connections: run doctor with --pooler-url and the URL of a user in stats_users.`,
  }),
  'no-answer': ({ host, port }) => ({
    meaning: t`The login at ${host}:${port} worked, but the first query got no answer: behind a pooler, no server connection is free or the pool is paused; without a pooler, the server hangs.`,
    remedy: t`Behind PgBouncer, run doctor with --pooler-url and the URL of a user in stats_users: its console answers even then.`,
  }),
  'startup-parameter': () => ({
    meaning: t`The server or the pooler rejects a parameter of the URL.`,
    remedy: t`Remove the parameter that the message names from the URL. Set it for the role instead: ALTER ROLE ... SET ... = ...; poolers accept that.`,
  }),
  'not-postgres': ({ host, port }) => ({
    meaning: t`${host}:${port} does not speak PostgreSQL's protocol: another service uses this port.`,
    remedy: t`Correct host and port in the URL: PostgreSQL's default is 5432, PgBouncer's is 6432.`,
  }),
}

function explainRefused({ host, port, isLocal, folder }: Address): Advice {
  if (host.startsWith('/')) {
    return {
      meaning: t`There is no socket of PostgreSQL in ${host}: the server does not run, or its unix_socket_directories is another directory.`,
      remedy: t`Start the server, or connect with TCP: host=localhost.`,
    }
  }
  const meaning = t`The host ${host} answers, but no process listens on port ${port}: the server does not run, listens on another port, or only on another address (listen_addresses).`
  const inContainer =
    isLocal && existsSync(CONTAINER_MARK)
      ? t` This command runs in a container, where ${host} is the container itself: use the name of the database's service as host, or host.docker.internal for a server on the machine.`
      : ''
  const compose = isLocal ? databaseService(folder) : undefined
  if (!compose) return { meaning, remedy: `${t`Start the server, or correct host and port in the URL.`}${inContainer}` }
  return {
    meaning,
    remedy: `${correctPort(compose, port)}${inContainer}`,
    now: [
      {
        text: t`Start it and wait until it is ready:`,
        run: `docker compose -f ${shellWord(compose.file)} up -d --wait ${shellWord(compose.service)}`,
      },
    ],
  }
}

function databaseService(folder: string): ComposeHost | undefined {
  for (const name of USUAL_SERVICES) {
    const found = findComposeHost(folder, name)
    if (found) return found
  }
  return undefined
}

function correctPort({ file, service, published }: ComposeHost, port: number): string {
  const ports = [...published.values()]
  if (ports.length === 0) {
    return t`The service ${service} in ${file} publishes no port: add ports: ["127.0.0.1:${port}:5432"] to it, or run the command in a container of the project.`
  }
  return ports.includes(port)
    ? t`Start the service ${service} of ${file}, which publishes port ${port}.`
    : t`The service ${service} in ${file} publishes port ${ports[0]}, not ${port}: correct the port in the URL.`
}

/** PgBouncer's own words for the failed login. */
function cachedError(message: string): string {
  const cached = /cached error: ([^\n]{1,300}?)(?: \(server_login_retry\))?\.?$/.exec(message)?.[1]
  return cached === undefined ? '' : ` (${cached})`
}
