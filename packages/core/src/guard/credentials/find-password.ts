import type { CredentialsRequest } from './credentials.ts'

/** The default directories of libpq's builds: PostgreSQL's own, and those of Debian, Red Hat and Alpine. */
const SOCKET_DIRECTORIES: readonly string[] = ['/tmp', '/var/run/postgresql', '/run/postgresql']

/**
 * Finds the password for a connection in the text of a password file, whose lines are `host:port:database:user:password`.
 *
 * The first line that matches counts. `*` matches any value; a backslash escapes the next character; a line that begins with `#` is
 * a comment. A Unix socket in a default directory is `localhost`.
 *
 * @returns undefined if no line matches, or if the password is empty.
 * @see https://www.postgresql.org/docs/current/libpq-pgpass.html
 */
export function findPassword(text: string, request: CredentialsRequest): string | undefined {
  const { host, port, database, user } = request
  if (database === '' || user === '') return undefined
  const hosts = SOCKET_DIRECTORIES.includes(host) ? ['localhost', host] : [host || 'localhost']
  for (const line of text.split('\n')) {
    if (line.startsWith('#')) continue
    let rest: string | undefined = withoutReturns(line)
    for (const values of [hosts, [String(port)], [database], [user]])
      rest = rest === undefined ? rest : afterField(rest, values)
    if (rest !== undefined) return readPassword(rest) || undefined
  }
  return undefined
}

function withoutReturns(line: string): string {
  let end = line.length
  while (line[end - 1] === '\r') end--
  return line.slice(0, end)
}

/** What follows the first field; undefined if the field has none of the values. An escaped `*` is no wildcard. */
function afterField(line: string, values: readonly string[]): string | undefined {
  if (line.startsWith('*:')) return line.slice(2)
  return values.map((value) => afterValue(line, value)).find((rest) => rest !== undefined)
}

/** Like libpq, compares instead of splitting: a colon of the value needs no escape. */
function afterValue(line: string, value: string): string | undefined {
  let at = 0
  for (const unit of value.split('')) {
    if (line[at] === '\\') at++
    if (line[at++] !== unit) return undefined
  }
  return line[at] === ':' ? line.slice(at + 1) : undefined
}

/** The password ends at a colon. A backslash at the end of the line is a character like others. */
function readPassword(rest: string): string {
  return (/^(?:\\.|[^:])*/su.exec(rest)?.[0] ?? '').replaceAll(/\\(.)/gsu, '$1')
}
