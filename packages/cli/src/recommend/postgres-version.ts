import { InvalidArgumentError } from 'commander'
import { CannotRunError } from '../outcome.ts'

const VERSIONS = [15, 16, 17, 18] as const

/** A major version that the settings are known for. */
export type PostgresVersion = (typeof VERSIONS)[number]

const NEWEST = 18

/** Reads an option. */
export function readVersion(text: string): PostgresVersion {
  const found = VERSIONS.find((version) => String(version) === text)
  if (found) return found
  throw new InvalidArgumentError(`It must be one of ${VERSIONS.join(', ')}.`)
}

/**
 * The major version of a server (`18.4`): one that is newer than all is taken for the newest, and so is none.
 *
 * @throws {CannotRunError} for one that is older than all.
 */
export function majorOf(version = `${NEWEST}`): PostgresVersion {
  const major = Number.parseInt(version, 10)
  const found = VERSIONS.find((known) => known === Math.min(major, NEWEST))
  if (found) return found
  throw new CannotRunError(`The settings are known for PostgreSQL ${VERSIONS[0]} and later, and this is ${version}.`)
}
