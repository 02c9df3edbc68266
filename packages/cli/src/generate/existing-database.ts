import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { SERVER_IMAGE } from '../project/deployments/classify-containers.ts'
import { interpolate } from '../project/deployments/interpolate.ts'
import type { ExistingCompose } from './existing-compose.ts'
import { type Place, requireWritable } from './place.ts'

/** PostgreSQL's service in a project's compose file, and its names. */
export interface ExistingDatabase {
  readonly service: string
  readonly hasCommand: boolean
  readonly hasHealthcheck: boolean
  readonly place: Place
  /** Where the role's password is; undefined if the file contains the password itself. */
  readonly password: { readonly variable: string } | { readonly secret: string } | undefined
}

const SECRET_FILE = /^\/run\/secrets\/([\w.-]+)$/
/** `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME:?message}` */
const VARIABLE = /^\$(?:(\w+)|\{(\w+)(?::?[-?].*)?\})$/

/**
 * Finds the database in a compose file.
 *
 * @throws {CannotRunError} if there is none, or if its names depend on variables that have no value.
 */
export function findDatabase({ file, services, variables }: ExistingCompose): ExistingDatabase {
  const [found] = Object.entries(services).filter(([, { image }]) => SERVER_IMAGE.test(image))
  if (!found) {
    throw new CannotRunError(
      t`${file} has no PostgreSQL. For a database elsewhere run \`poolguard generate pgbouncer <url>\`; for a new one choose another directory (--out).`,
    )
  }
  const [service, { environment, hasCommand, hasHealthcheck }] = found
  const value = (name: string): string | undefined => {
    const written = environment[name]
    const text = written === undefined ? undefined : interpolate(written, variables)
    if (written !== undefined && text === undefined) {
      throw new CannotRunError(
        t`${name} of the service ${service} in ${file} is ${written}: set that variable in .env.`,
      )
    }
    return text
  }
  // The defaults of the image: https://hub.docker.com/_/postgres
  const role = value('POSTGRES_USER') ?? 'postgres'
  const place = { host: service, port: 5432, database: value('POSTGRES_DB') ?? role, role, parameters: [] }
  requireWritable(place)
  return { service, hasCommand, hasHealthcheck, place, password: passwordOf(environment) }
}

function passwordOf({
  POSTGRES_PASSWORD: password = '',
  POSTGRES_PASSWORD_FILE: file = '',
}: Readonly<Record<string, string>>): ExistingDatabase['password'] {
  const secret = SECRET_FILE.exec(file)?.[1]
  if (secret !== undefined) return { secret }
  const [, short, braced] = VARIABLE.exec(password) ?? []
  const variable = short ?? braced
  return variable === undefined ? undefined : { variable }
}
