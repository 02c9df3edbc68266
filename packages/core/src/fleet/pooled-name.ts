import { ID_LENGTH } from './member-name.ts'

/** What the id is written over, a bit for each letter: as many as it takes for {@link ID_LENGTH} letters and digits. */
const LETTERS = 'instanceofafleetbehindapgbouncer'
const NAME = new RegExp(`^(.+)#(${LETTERS})$`, 'i')

/**
 * The `application_name` of an instance's connections where there may be a PgBouncer: its id stands in the case of letters.
 * PgBouncer restores the name on a server connection with a round trip of its own whenever that goes to a client with
 * another one, but takes no notice of case (`apply_var` in its varcache.c, in every version). On the server it says nothing: whose name it is there
 * does not tell who uses the connection.
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

/** `app#id`; undefined for a name that no instance has given itself there. */
export function parsePooledName(applicationName: string): string | undefined {
  const [, app, letters = ''] = NAME.exec(applicationName) ?? []
  if (app === undefined) return undefined
  const id = [...letters].reduce((sum, letter, i) => sum + (letter === LETTERS[i] ? 0 : 2 ** i), 0)
  return `${app}#${id.toString(36).padStart(ID_LENGTH, '0')}`
}
