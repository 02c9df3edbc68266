import { InvalidOptionError } from '../invalid-option-error.ts'

/** The figures that an instance publishes to other instances. */
export interface Publication {
  /** Maximum of its connections: it never holds more. */
  readonly target: number
  /** Connections that it could use. */
  readonly demand: number
  /** Connections that it keeps regardless of other instances' demand: `pool.min`, at least 1. */
  readonly floor: number
  /** What the instance says about the fleet's adaptive limit. */
  readonly notice?: string | undefined
  /** Increases with each publication, to find the later one of two on different connections of an instance. */
  readonly sequence: number
}

/** The parsed `application_name` of a connection of a fleet's instance. */
export interface MemberName {
  /** `app#id`. */
  readonly member: string
  /** Undefined on connections that carry only the name. */
  readonly publication: Publication | undefined
}

/** Length limit of an `application_name` in `pg_stat_activity`: NAMEDATALEN - 1. */
const NAME_BYTES = 63
/** Random, of 36 letters and digits: among a thousand instances, two share an id once in 4 000 deploys. */
export const ID_LENGTH = 6
/** Upper bound of all figures: more than any server allows. */
export const MAX_FIGURE = 9_999
const SEQUENCE_COUNT = 36 ** 5
const PUBLICATION_BYTES = `:t=${MAX_FIGURE},d=${MAX_FIGURE},m=${MAX_FIGURE},n=zzzzz`.length
/** Maximum length of the app's name. */
export const APP_LENGTH: number = NAME_BYTES - PUBLICATION_BYTES - ID_LENGTH - '#'.length
/** Of a notice about the adaptive limit: digits of base 36 for the period (1), each of two totals (2), the gain (2) and the weight (1). */
export const NOTICE_LENGTH = 8
/** Maximum length of the name of an app whose instances publish notices about an adaptive limit. */
export const ADAPTIVE_APP_LENGTH: number = APP_LENGTH - ',a='.length - NOTICE_LENGTH

const APP = new RegExp(`^[A-Za-z0-9._-]{1,${APP_LENGTH}}$`)
const MEMBER = `[A-Za-z0-9._-]{1,${APP_LENGTH}}#[a-z0-9]{${ID_LENGTH}}`
const NAME = new RegExp(
  `^(${MEMBER})(?::t=(\\d{1,4}),d=(\\d{1,4})(?:,m=(\\d{1,4}))?(?:,a=([a-z0-9]{1,${NOTICE_LENGTH}}))?,n=([a-z0-9]{1,5}))?$`,
)

/**
 * Rejects names that a server would change: it replaces non-ASCII characters in an `application_name` and truncates long names.
 *
 * @throws {InvalidOptionError} for an invalid app name.
 */
export function requireAppName(option: string, app: unknown, maxLength: number = APP_LENGTH): asserts app is string {
  if (typeof app === 'string' && APP.test(app) && app.length <= maxLength) return
  throw new InvalidOptionError(option, app, `1 to ${maxLength} letters, digits, '.', '_' and '-'`)
}

/** @param random returns a number between 0 and 1, like Math.random. */
export function makeMember(app: string, random: () => number): string {
  const id = Math.floor(random() * 36 ** ID_LENGTH)
  return `${app}#${id.toString(36).padStart(ID_LENGTH, '0')}`
}

/**
 * @example
 * encodeMemberName('orders#3f9a1b', { target: 8, demand: 12, floor: 1, sequence: 57 }) // orders#3f9a1b:t=8,d=12,n=1l
 */
export function encodeMemberName(member: string, { target, demand, floor, notice, sequence }: Publication): string {
  const kept = floor > 1 ? `,m=${atMost(floor)}` : ''
  const said = notice ? `,a=${notice}` : ''
  return `${member}:t=${atMost(target)},d=${atMost(demand)}${kept}${said},n=${(sequence % SEQUENCE_COUNT).toString(36)}`
}

function atMost(value: number): number {
  return Math.min(value, MAX_FIGURE)
}

/** Undefined for a name that is not an instance's. */
export function parseMemberName(applicationName: string): MemberName | undefined {
  const [, member, target, demand, floor = '1', notice, sequence = ''] = NAME.exec(applicationName) ?? []
  if (member === undefined) return undefined
  const publication =
    target === undefined
      ? undefined
      : {
          ...{ target: +target, demand: Number(demand), floor: +floor, sequence: Number.parseInt(sequence, 36) },
          ...(notice !== undefined && { notice }),
        }
  return { member, publication }
}

/** Whether two names publish the same figures, ignoring the sequence. */
export function haveSameFigures(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf(',')) === b.slice(0, b.lastIndexOf(','))
}

/** Whether `a` was published after `b`; the sequence wraps around after 60 million. */
export function isLater(a: Pick<Publication, 'sequence'>, b: Pick<Publication, 'sequence'>): boolean {
  const ahead = (((a.sequence - b.sequence) % SEQUENCE_COUNT) + SEQUENCE_COUNT) % SEQUENCE_COUNT
  return ahead > 0 && ahead < SEQUENCE_COUNT / 2
}
