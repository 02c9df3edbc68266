import { ConnectionStringError } from '@poolguard/core'
import type { LibpqReading } from './libpq.ts'
import { differingParts, readByPoolguard, type Target, targetOf } from './readings.ts'

type ReadByLibpq = (text: string) => LibpqReading

/** A text with both readings. */
export interface Comparison {
  readonly text: string
  /** libpq's keywords, or its error. */
  readonly libpq: LibpqReading
  /** Where libpq connects; undefined if it rejects the text. */
  readonly theirs: Target | undefined
  /** poolguard's reading, or its error. */
  readonly ours: Target | ConnectionStringError
}

/** A way in which poolguard reads connection strings unlike libpq, on purpose. */
export interface Difference {
  /** A text with this difference. */
  readonly text: string
  readonly libpq: string
  readonly poolguard: string
  readonly why: string
  /** Turns a text with this difference into the text that libpq reads as poolguard reads the original. */
  readonly clean?: (text: string) => string
  /** Whether this difference explains a comparison, where no cleaning can. */
  readonly explains?: (comparison: Comparison) => boolean
}

const URL_PARTS = /^(postgres(?:ql)?:\/\/)([^?]*)(\?.*)?$/s

/** Changes the text before the parameters of a URL, and each parameter; leaves libpq's keywords as they are. */
function mapUrl(
  text: string,
  mapAddress: (address: string) => string,
  mapParameter: (parameter: string) => string = (parameter) => parameter,
): string {
  const [, scheme, address = '', query] = URL_PARTS.exec(text) ?? []
  if (scheme === undefined) return text
  const parameters = query === undefined ? [] : query.slice(1).split('&').map(mapParameter)
  const kept = parameters.filter((parameter) => parameter !== '')
  return `${scheme}${mapAddress(address)}${kept.length === 0 ? '' : `?${kept.join('&')}`}`
}

const encodeLonePercent = (text: string): string => text.replaceAll(/%(?![\da-f]{2})/gi, '%25')
const encodeBlanks = (text: string): string => text.replaceAll(/[\t-\r ]/g, encodeURIComponent)

const trim = (part: string): string => part.replaceAll(/^[\t-\r ]+|[\t-\r ]+$/g, '')

const ADDRESS = /^(?:(?<user>[^:/@]*)(?<password>:[^/@]*)?(?<at>@))?(?<hosts>[^/]*)(?<slash>\/?)(?<path>.*)$/s

/** Encodes the blanks of the password and those within other parts, and removes the others. */
function cleanBlanks(text: string): string {
  return mapUrl(
    text,
    (address) => {
      const {
        user = '',
        password = '',
        at = '',
        hosts = '',
        slash = '',
        path = '',
      } = ADDRESS.exec(address)?.groups ?? {}
      const trimmed = hosts.replaceAll(/(?<=\[)[^\]]*(?=\])|[^[\]:,]+/g, trim)
      return encodeBlanks(`${trim(user)}${password}${at}${trimmed}${slash}${trim(path)}`)
    },
    (parameter) => encodeBlanks(parameter.replaceAll(/^[^=]*|(?<=^[^=]*=).*/gs, trim)),
  )
}

const SAID =
  (pattern: RegExp) =>
  ({ libpq }: Comparison): boolean =>
    typeof libpq === 'string' && pattern.test(libpq)
const problemOf = ({ ours }: Comparison): string => (ours instanceof ConnectionStringError ? ours.problem : '')

export const DIFFERENCES: readonly Difference[] = [
  {
    text: ' ',
    libpq: 'reads nothing, and uses its defaults',
    poolguard: 'rejects it',
    why: 'An empty variable is a mistake in a configuration.',
    explains: (comparison) => problemOf(comparison) === 'it is empty',
  },
  {
    text: ' PostgreSQL://app@db/orders\n',
    libpq: 'rejects it',
    poolguard: 'ignores blanks at both ends and the case of the scheme; also accepts `pg:`, `pgsql:` and `tcp:`',
    why: 'Environment files and copied texts contain such blanks; pg and postgres.js accept these schemes.',
    clean: (text) =>
      /^\s*\w+\s*=/.test(text)
        ? text.trimStart()
        : text.trim().replace(/^(?:postgres|postgresql|pg|pgsql|tcp):\/\//i, 'postgres://'),
  },
  {
    text: 'postgres://app:p@ss/w?rd@db/orders',
    libpq: 'ends the user and the password at the first `@`, or has none if a `/` comes before',
    poolguard: 'ends the password at the last `@` before the parameters',
    why: 'Users paste passwords without encoding them. A colon before the first `/` shows that there is a password.',
    explains: ({ text }) => /^[^/]*\/\/(?:[^/]*[@?].*@|[^/]*:.*[@/?].*@)/s.test(text),
  },
  {
    text: 'postgres://app:100%@db/orders',
    libpq: 'rejects it',
    poolguard: 'reads a `%` without two hexadecimal digits as itself',
    why: 'Users paste passwords without encoding them, and pg accepts it.',
    clean: (text) => mapUrl(text, encodeLonePercent, encodeLonePercent),
  },
  {
    text: 'postgres://app: a b@db/orders',
    libpq: 'ignores spaces around each part, and rejects spaces within a part',
    poolguard: 'ignores blanks around each part except the password, and reads those within a part',
    why: 'Users paste passwords without encoding them; pg and postgres.js accept it. A tab or a line break around a part is a blank, too.',
    clean: cleanBlanks,
  },
  {
    text: 'postgres://app@db/orders?application_name=a+b',
    libpq: 'reads `a+b`',
    poolguard: 'reads `a b`',
    why: 'In a query string a `+` is a space for pg, postgres.js, Prisma and `URLSearchParams`.',
    clean: (text) =>
      mapUrl(
        text,
        (address) => address,
        (parameter) => parameter.replaceAll('+', '%20'),
      ),
  },
  {
    text: 'postgres://app@db/orders?options=-c geqo=off&&',
    libpq: 'rejects an `=` in a value, and an empty parameter',
    poolguard: 'reads the `=` as part of the value, and ignores an empty parameter',
    why: 'pg, postgres.js and Prisma read it so, as in any URL.',
    clean: (text) =>
      mapUrl(
        text,
        (address) => address,
        (parameter) => {
          const [name = '', ...values] = parameter.split('=')
          return values.length === 0 ? parameter : `${name}=${values.join('%3D')}`
        },
      ),
  },
  {
    text: 'postgres://app@db/orders?pool_timeout=5',
    libpq: 'rejects an unknown parameter',
    poolguard: 'keeps it',
    why: "Parameters of drivers, poolers and providers are not libpq's. A parameter without an effect produces a warning.",
    explains: (comparison) =>
      SAID(/^invalid (?:URI query parameter|connection option)/)(comparison) || comparison.text.includes('requiressl'),
  },
  {
    text: 'postgres://app@db/orders?host=',
    libpq: "resets the host, the port, the user or the database to libpq's default",
    poolguard: 'reads an empty parameter as absent',
    why: 'pg reads it so. A template with an empty variable keeps what the URL says.',
    explains: ({ libpq }) =>
      typeof libpq !== 'string' && ['host', 'port', 'user', 'dbname'].some((name) => libpq.get(name) === ''),
  },
  {
    text: 'postgres://db%2Cdb2:5432',
    libpq: 'reads two hosts',
    poolguard: 'reads one host with a comma in its name',
    why: 'The directory of a socket may contain a comma.',
    explains: ({ text }) => /^[^?]*%2C/i.test(text),
  },
  {
    text: 'postgres://db:+5432',
    libpq: 'reads 5432',
    poolguard: 'rejects a port with a sign',
    why: 'A port with a sign is a piece of a password more often than a port.',
    explains: (comparison) => problemOf(comparison).startsWith('the port') && /[+]|%20/.test(comparison.text),
  },
  {
    text: 'postgres://db:x/orders?port=5432',
    libpq: 'ignores the invalid port, which the parameter replaces',
    poolguard: 'rejects it',
    why: 'The invalid port may be a piece of a password.',
    explains: (comparison) =>
      /^(?:the port|there are)/.test(problemOf(comparison)) && /[?&]\s*(?:host|port)\s*=/.test(comparison.text),
  },
  {
    text: '/var/run/postgresql orders',
    libpq: 'rejects it',
    poolguard: "reads pg's form for the directory of a socket, and pg's `socket:` URL",
    why: 'pg accepts it.',
    explains: ({ text }) => /^\s*(?:\/|socket:)/i.test(text),
  },
  {
    text: 'postgres://db]',
    libpq: 'reads the host `db]`',
    poolguard: 'rejects a bracket that does not enclose an IPv6 address',
    why: 'No host name contains a bracket.',
    explains: (comparison) =>
      /^(?:a host contains|the \[brackets\])/.test(problemOf(comparison)) && /[[\]]/.test(comparison.text),
  },
  {
    text: 'postgres://app:%ff@db',
    libpq: 'reads the byte 0xff',
    poolguard: 'rejects a percent-encoding that is not UTF-8',
    why: "JavaScript's texts are Unicode: a driver would send another password.",
    explains: (comparison) => problemOf(comparison).includes('not UTF-8'),
  },
  {
    text: 'password=secret\\',
    libpq: 'drops a backslash at the end',
    poolguard: 'rejects it',
    why: 'A password that loses its last character fails to log in, and the reason is hard to see.',
    explains: ({ text, ours }) => ours instanceof ConnectionStringError && text.endsWith('\\'),
  },
]

export type Relation = 'same' | 'both reject' | 'listed' | 'unlisted'

export function relationOf(
  comparison: Comparison,
  read: ReadByLibpq,
  differences: readonly Difference[] = DIFFERENCES,
): Relation {
  const { text, theirs, ours } = comparison
  if (ours instanceof ConnectionStringError && !theirs) return 'both reject'
  if (isSame(ours, theirs)) return 'same'
  const cleaned = compare(
    differences.reduce((each, { clean }) => clean?.(each) ?? each, text),
    read,
  )
  if (isSame(ours, cleaned.theirs)) return 'listed'
  const isListed = differences.some(({ explains }) => explains?.(comparison) || explains?.({ ...cleaned, ours }))
  return isListed ? 'listed' : 'unlisted'
}

function isSame(ours: Target | ConnectionStringError, theirs: Target | undefined): boolean {
  return !(ours instanceof ConnectionStringError) && theirs !== undefined && differingParts(ours, theirs).length === 0
}

export function compare(text: string, read: ReadByLibpq): Comparison {
  const libpq = read(text)
  return { text, libpq, theirs: targetOf(libpq), ours: readByPoolguard(text) }
}

export function describeComparison({ text, libpq, ours }: Comparison): string {
  const own = ours instanceof ConnectionStringError ? ours.problem : JSON.stringify(ours)
  const their = typeof libpq === 'string' ? libpq : JSON.stringify(Object.fromEntries(libpq))
  return `${JSON.stringify(text)}\n  poolguard: ${own}\n  libpq: ${their}`
}
