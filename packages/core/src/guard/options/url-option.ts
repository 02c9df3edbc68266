import { type ConnectionString, parseConnectionString } from '../../connection-string/index.ts'
import { InvalidOptionError } from '../../invalid-option-error.ts'

/**
 * Reads the option `url`. A value that is not a string usually comes from an unset environment variable.
 *
 * @throws {InvalidOptionError} if it is not a string; `ConnectionStringError` if it is invalid.
 */
export function readUrlOption(url: unknown): ConnectionString {
  if (typeof url === 'string') return parseConnectionString(url)
  throw new InvalidOptionError(
    'url',
    shown(url),
    'a connection string. Is the environment variable set that you read it from?',
  )
}

/**
 * Reads the URL option of a driver: in pg, postgres.js and the ORMs based on them, an empty URL means that the environment
 * (`PGHOST`...) or other options contain the address.
 *
 * @throws as {@link readUrlOption}.
 */
export function readDriversUrl(url: unknown): ConnectionString | undefined {
  return url === '' ? undefined : readUrlOption(url)
}

/** Shows only the type of an object: the bytes of a Buffer would reveal a password. */
function shown(url: unknown): unknown {
  return typeof url === 'object' && url !== null ? Object.prototype.toString.call(url) : url
}
