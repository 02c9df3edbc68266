import { ConnectionString, parseConnectionString } from '../../connection-string/index.ts'
import { InvalidOptionError } from '../../invalid-option-error.ts'
import { withService } from './with-service.ts'

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
 * (`PGHOST`...) or other options contain the address. A service fills the gaps.
 *
 * @param except parameters that the driver's options set, and that a service does not set.
 * @throws as {@link readUrlOption}, and {@link withService}.
 */
export function readDriversUrl(url: unknown, except: readonly string[] = []): ConnectionString | undefined {
  if (url !== '') return withService(readUrlOption(url), { except })
  return process.env.PGSERVICE ? withService(new ConnectionString({}), { except }) : undefined
}

/** Shows only the type of an object: the bytes of a Buffer would reveal a password. */
function shown(url: unknown): unknown {
  return typeof url === 'object' && url !== null ? Object.prototype.toString.call(url) : url
}
