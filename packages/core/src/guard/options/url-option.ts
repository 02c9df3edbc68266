import { type ConnectionString, parseConnectionString } from '../../connection-string/index.ts'
import { InvalidOptionError } from '../../invalid-option-error.ts'

/**
 * Reads the option `url`. What is there but no text is an environment variable that is not set, more often than not.
 *
 * @throws {InvalidOptionError} if it is no text; `ConnectionStringError` for a bad one.
 */
export function readUrlOption(url: unknown): ConnectionString {
  if (typeof url === 'string') return parseConnectionString(url)
  throw new InvalidOptionError(
    'url',
    shown(url),
    'a connection string; is the environment variable set that it is read from?',
  )
}

/**
 * Reads a URL that a driver has its own option for: to pg, postgres.js and the ORMs on them, an empty one says that the
 * environment (`PGHOST`...) or the options beside it tell where to connect to.
 *
 * @throws as {@link readUrlOption}.
 */
export function readDriversUrl(url: unknown): ConnectionString | undefined {
  return url === '' ? undefined : readUrlOption(url)
}

/** Of what is no text only what it is: a Buffer would show its password in other digits. */
function shown(url: unknown): unknown {
  return typeof url === 'object' && url !== null ? Object.prototype.toString.call(url) : url
}
