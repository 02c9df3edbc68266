import { InvalidArgumentError } from 'commander'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'

const VERSIONS = [15, 16, 17, 18] as const

/** A supported major version. */
export type PostgresVersion = (typeof VERSIONS)[number]

const NEWEST = 18

/** Parses an option. */
export function readVersion(text: string): PostgresVersion {
  const found = VERSIONS.find((version) => String(version) === text)
  if (found) return found
  throw new InvalidArgumentError(t`It must be one of ${VERSIONS.join(', ')}.`)
}

/**
 * The major version of a server (`18.4`); a newer or unknown version counts as the newest supported one.
 *
 * @throws {CannotRunError} for an older version.
 */
export function majorOf(version = `${NEWEST}`): PostgresVersion {
  const major = Number.parseInt(version, 10)
  const found = VERSIONS.find((known) => known === Math.min(major, NEWEST))
  if (found) return found
  throw new CannotRunError(t`Recommendations exist for PostgreSQL ${VERSIONS[0]} and later; this server is ${version}.`)
}
