import { InvalidOptionError } from '../invalid-option-error.ts'

/** What an instance tells the others. */
export interface Publication {
  /** Connections that it may have, or has: it never has more. */
  readonly target: number
  /** Connections that it could use. */
  readonly demand: number
  /** Connections that it keeps whatever the others want: `pool.min`, and 1 at least. */
  readonly floor: number
  /** Grows with each, so that of two on different connections of an instance the later one is known. */
  readonly sequence: number
}

/** An instance of a fleet, as the `application_name` of its connections tells it. */
export interface MemberName {
  /** `app#id`. */
  readonly member: string
  /** Undefined on connections that carry only the name. */
  readonly publication: Publication | undefined
}

/** What `pg_stat_activity` keeps of an `application_name`: NAMEDATALEN - 1. */
const NAME_BYTES = 63
/** Random, of 36 letters and digits: two of a thousand instances share one once in 4 000 deploys. */
export const ID_LENGTH = 6
/** More than any server has. */
export const LARGEST = 9_999
const SEQUENCES = 36 ** 5
const PUBLICATION_BYTES = `:t=${LARGEST},d=${LARGEST},m=${LARGEST},n=zzzzz`.length
/** What is left to the app. */
export const APP_LENGTH: number = NAME_BYTES - PUBLICATION_BYTES - ID_LENGTH - '#'.length

const APP = new RegExp(`^[A-Za-z0-9._-]{1,${APP_LENGTH}}$`)
const MEMBER = `[A-Za-z0-9._-]{1,${APP_LENGTH}}#[a-z0-9]{${ID_LENGTH}}`
const NAME = new RegExp(`^(${MEMBER})(?::t=(\\d{1,4}),d=(\\d{1,4})(?:,m=(\\d{1,4}))?,n=([a-z0-9]{1,5}))?$`)

/**
 * Servers replace what is not ASCII in an `application_name` and cut it where it is too long, so that neither is taken.
 *
 * @throws {InvalidOptionError} for an app's name that cannot stand there.
 */
export function requireAppName(option: string, app: unknown): asserts app is string {
  if (typeof app === 'string' && APP.test(app)) return
  throw new InvalidOptionError(option, app, `1 to ${APP_LENGTH} letters, digits, '.', '_' and '-'`)
}

/** @param random between 0 and 1, as Math.random. */
export function makeMember(app: string, random: () => number): string {
  const id = Math.floor(random() * 36 ** ID_LENGTH)
  return `${app}#${id.toString(36).padStart(ID_LENGTH, '0')}`
}

/**
 * @example
 * encodeMemberName('orders#3f9a1b', { target: 8, demand: 12, floor: 1, sequence: 57 }) // orders#3f9a1b:t=8,d=12,n=1l
 */
export function encodeMemberName(member: string, { target, demand, floor, sequence }: Publication): string {
  const kept = floor > 1 ? `,m=${atMost(floor)}` : ''
  return `${member}:t=${atMost(target)},d=${atMost(demand)}${kept},n=${(sequence % SEQUENCES).toString(36)}`
}

function atMost(value: number): number {
  return Math.min(value, LARGEST)
}

/** Undefined for a name that no instance of a fleet has given itself. */
export function parseMemberName(applicationName: string): MemberName | undefined {
  const [, member, target, demand, floor = '1', sequence = ''] = NAME.exec(applicationName) ?? []
  if (member === undefined) return undefined
  const publication =
    target === undefined
      ? undefined
      : { target: +target, demand: Number(demand), floor: +floor, sequence: Number.parseInt(sequence, 36) }
  return { member, publication }
}

/** Whether two names tell the same, but for the sequence. */
export function tellTheSame(a: string, b: string): boolean {
  return a.slice(0, a.lastIndexOf(',')) === b.slice(0, b.lastIndexOf(','))
}

/** Whether `a` was published after `b`; the numbers begin again after 60 million. */
export function isLater(a: Pick<Publication, 'sequence'>, b: Pick<Publication, 'sequence'>): boolean {
  const ahead = (((a.sequence - b.sequence) % SEQUENCES) + SEQUENCES) % SEQUENCES
  return ahead > 0 && ahead < SEQUENCES / 2
}
