import { createRequire } from 'node:module'
import postgres from 'postgres'
import type { Target } from './readings.ts'

/** Where a driver connects, without the parameters. */
export type DriverTarget = Omit<Target, 'parameters'>

export type DriverName = 'pg' | 'postgres.js'

/** How each driver reads a text. They throw for a text that they reject. */
export const DRIVERS: Readonly<Record<DriverName, (text: string) => DriverTarget>> = {
  pg: readByPg,
  'postgres.js': readByPostgresJs,
}

interface PgConfig {
  readonly user: string
  readonly password: string
  readonly host: string
  readonly port: string
  readonly database: string | null
}

/** The parser of pg is a package of its own, which only pg depends on. */
const pgConnectionString = createRequire(createRequire(import.meta.url).resolve('pg'))('pg-connection-string') as {
  readonly parse: (text: string, options: { readonly useLibpqCompat: boolean }) => PgConfig
}

function readByPg(text: string): DriverTarget {
  // Without compatibility pg warns about each sslmode.
  const { user, password, host, port, database } = pgConnectionString.parse(text, { useLibpqCompat: true })
  // pg reads the port with parseInt when it connects.
  return {
    user,
    password,
    database: database ?? '',
    hosts: `${host || 'localhost'} ${port === '' ? '' : Number.parseInt(port, 10)}`,
  }
}

const DEFAULT_USER = postgres('postgres://db').options.user
const DEFAULT_PORT = 5432

/** postgres.js fills in its defaults: the user of the system, and the user as the database. */
function readByPostgresJs(text: string): DriverTarget {
  const { user, pass, database, host, port } = postgres(text).options as unknown as PostgresJsOptions
  return {
    user: user === DEFAULT_USER ? '' : user,
    password: pass,
    database: database === user ? '' : database,
    hosts: host.map((name, index) => `${name} ${port[index] ?? DEFAULT_PORT}`).join(', '),
  }
}

interface PostgresJsOptions {
  readonly user: string
  readonly pass: string
  readonly database: string
  readonly host: readonly string[]
  readonly port: readonly number[]
}

/** A way in which a driver reads a URL unlike poolguard, which reads it as libpq does. */
export interface DriverDifference {
  readonly driver: DriverName
  readonly text: string
  /** What the driver does. */
  readonly reads: string
  readonly pattern: RegExp
}

export const DRIVER_DIFFERENCES: readonly DriverDifference[] = [
  {
    driver: 'pg',
    text: 'postgres://db1,db2/orders',
    reads: 'reads one host named `db1,db2`',
    pattern: /^[^/]*\/\/[^/]*,|[?&]host=[^&]*(?:,|%2C)/i,
  },
  {
    driver: 'pg',
    text: 'postgres://db/?dbname=orders',
    reads: 'ignores the parameter `dbname`',
    pattern: /[?&]dbname=/,
  },
  {
    driver: 'pg',
    text: 'postgres://db/a%2Fb',
    reads: 'leaves the encoded characters `; / ? : @ & = + $ , #` of a database encoded',
    pattern: /^[^/]*\/\/[^/]*\/[^?]*%(?:3B|2F|3F|3A|40|26|3D|2B|24|2C|23)/i,
  },
  {
    driver: 'pg',
    text: 'postgres://app:secret@db/orders?password=',
    reads: 'ignores an empty password',
    pattern: /[?&]password=(?:&|$)/,
  },
  {
    driver: 'pg',
    text: 'postgres://a?b@db',
    reads: 'ends the host at a `?`, so that the user and the password are parameters',
    pattern: /^[^/]*\/\/[^/]*\?[^/]*@/,
  },
  {
    driver: 'pg',
    text: 'postgres://%2Ftmp/orders?host=db',
    reads: 'reads the directory of a socket as part of the database if there is a parameter `host`',
    pattern: /^[^/]*\/\/(?:[^/]*@)?%2F.*[?&]host=/i,
  },
  {
    driver: 'pg',
    text: 'postgres://db/..',
    reads: 'ignores a database named `.` or `..`, as in a path',
    pattern: /\/(?:\.|%2e){1,2}(?:[/?]|$)/i,
  },
  {
    driver: 'pg',
    text: 'postgres://[001:db8::7]',
    reads: 'writes an IPv6 address in its short form',
    pattern: /\[[^\]]*0[^\]]*\]/,
  },
  {
    driver: 'postgres.js',
    text: 'postgres://a?b@db',
    reads: 'ends the host at a `?`, so that the user and the password are parameters',
    pattern: /^[^/]*\/\/[^/]*\?[^/]*@/,
  },
  {
    driver: 'postgres.js',
    text: 'postgres://db/orders?user=app',
    reads: 'ignores the parameters `host`, `port`, `user`, `password` and `dbname`',
    pattern: /[?&](?:host|port|user|password|dbname)=/,
  },
  {
    driver: 'postgres.js',
    text: 'postgres://db/a%20b',
    reads: 'leaves a database encoded',
    pattern: /^[^/]*\/\/[^/]*\/[^?]*%/,
  },
  {
    driver: 'postgres.js',
    text: 'postgres://[::1]:5433',
    reads: 'reads no IPv6 address',
    pattern: /^[^/]*\/\/[^/]*\[/,
  },
  {
    driver: 'postgres.js',
    text: 'postgres://%2Fvar%2Frun:5433/orders',
    reads: 'leaves the directory of a socket encoded',
    pattern: /^[^/]*\/\/[^/]*%/,
  },
  {
    driver: 'postgres.js',
    text: 'postgres://db1:5433,db2',
    reads: 'gives each host without a port the port of the first one',
    pattern: /^[^/]*\/\/[^/]*,/,
  },
  {
    driver: 'postgres.js',
    text: 'postgres://db/..',
    reads: 'ignores a database named `.` or `..`, as in a path',
    pattern: /\/(?:\.|%2e){1,2}(?:[/?]|$)/i,
  },
]
