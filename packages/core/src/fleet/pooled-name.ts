import { ID_LENGTH } from './member-name.ts'

/** Encodes the id, one bit per letter: 32 letters, enough for {@link ID_LENGTH} letters and digits. */
const LETTERS = 'instanceofafleetbehindapgbouncer'
const NAME = new RegExp(`^(.+)#(${LETTERS})$`, 'i')

/**
 * The `application_name` of an instance's connections if there may be a PgBouncer: the case of its letters encodes the id. When
 * PgBouncer gives a server connection to a client with another name, it sets that name with an additional round trip, but it
 * ignores differences in case (`apply_var` in its varcache.c, in every version). The name on the server therefore does not
 * identify the client that uses the connection.
 *
 * @param member `app#id`.
 * @example
 * pooledName('orders#3f9a1b') // orders#iNsTaNCeOFAfLeEtBeHInDApgboUNcEr
 */
export function pooledName(member: string): string {
  const at = member.length - ID_LENGTH
  const id = Number.parseInt(member.slice(at), 36)
  return (
    member.slice(0, at) + [...LETTERS].map((letter, i) => ((id >>> i) & 1 ? letter.toUpperCase() : letter)).join('')
  )
}

/** `app#id`; undefined for a name that is not an instance's. */
export function parsePooledName(applicationName: string): string | undefined {
  const [, app, letters = ''] = NAME.exec(applicationName) ?? []
  if (app === undefined) return undefined
  const id = [...letters].reduce((sum, letter, i) => sum + (letter === LETTERS[i] ? 0 : 2 ** i), 0)
  return `${app}#${id.toString(36).padStart(ID_LENGTH, '0')}`
}
