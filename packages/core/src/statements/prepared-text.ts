import { describeType, type Judge, judgeOfType } from './parameter-types.ts'
import { type ParameterUse, readParameterUses } from './read-parameters.ts'

/**
 * How long the server's answer about a statement's parameter types stays valid for values that another type could read differently.
 * A statement that runs less often gains little from its name; one that runs often is checked ten times a second.
 */
const CHECKED_MILLIS = 100

/** A text that is prepared under a name, and the parameter types that the server reported. */
export class PreparedText {
  readonly text: string
  /** A hash of the text, so that two texts never share a name, and every connection uses the same name for a text. */
  name: string
  #uses: ReadonlyMap<number, ParameterUse> | undefined
  #types: readonly number[] | undefined
  /** One for each parameter; undefined if any value is safe. */
  #judges: readonly (Judge | undefined)[] = []
  #checkedAt = Number.NEGATIVE_INFINITY
  #checking = false
  #isTried = false

  constructor(text: string) {
    this.text = text
    this.name = nameFor(text, 1)
  }

  /** Changes the name, so that every connection parses the statement again. */
  rename(): void {
    this.name = nameFor(this.text, 2)
    this.invalidateTypes()
  }

  /** The server's last answer may be outdated. */
  invalidateTypes(): void {
    this.#checkedAt = Number.NEGATIVE_INFINITY
  }

  /**
   * Whether the prepared statement gives the same result for these values as a newly parsed one.
   *
   * @param values the caller's values, before the driver converts them.
   * @param shared whether other clients may have prepared the same text on the same server connection.
   */
  allows(values: readonly unknown[], shared: boolean, now: number): boolean {
    const judges = this.#judges
    if (!this.#types || values.length !== judges.length) return false
    let needsCheck = false
    for (let index = 0; index < judges.length; index++) {
      const value = values[index]
      const judge = judges[index]
      if (!judge || value === null || value === undefined) continue
      const verdict = judge(value, shared)
      if (verdict === 'never') return false
      if (verdict === 'checked') needsCheck = true
    }
    return !needsCheck || !this.#mustCheck(now)
  }

  /**
   * Whether a transaction may use the name. After a migration the server may reject the name, which fails the transaction. So only one
   * of several concurrent transactions tries it, and the rest use no name until {@link endTrial}.
   */
  beginTrial(): boolean {
    if (this.#isTried) return false
    this.#isTried = true
    return true
  }

  /** Call it when the server has accepted or rejected the name, or the connection is lost. */
  endTrial(): void {
    this.#isTried = false
  }

  /** Whether an execution without a name should ask for the types of the parameters. */
  isCheckDue(now: number): boolean {
    return now - this.#checkedAt > CHECKED_MILLIS / 2
  }

  /** One execution checks early, so that concurrent executions need not. */
  #mustCheck(now: number): boolean {
    const age = now - this.#checkedAt
    if (age > CHECKED_MILLIS) return true
    if (age <= CHECKED_MILLIS / 2 || this.#checking) return false
    this.#checking = true
    return true
  }

  /**
   * Stores the parameter types that the server reported.
   *
   * @param askedAt when the Parse was sent.
   * @returns `changed` after a migration; `unsafe` with the reason if no value of a type is safe.
   */
  updateTypes(types: readonly number[], askedAt: number): 'known' | 'changed' | { readonly unsafe: string } {
    this.#checking = false
    const known = this.#types
    if (known && types.length === known.length && types.every((type, index) => type === known[index])) {
      this.#checkedAt = Math.max(this.#checkedAt, askedAt)
      return 'known'
    }
    this.#uses ??= readParameterUses(this.text)
    const uses = this.#uses
    const unsafe = types.findIndex((type, index) => !isSafe(type, uses.get(index + 1)))
    if (unsafe >= 0) return { unsafe: `$${unsafe + 1} is ${describeType(types[unsafe] as number)}` }
    this.#types = types
    this.#judges = types.map((type, index) => judgeOf(type, uses.get(index + 1)))
    this.#checkedAt = askedAt
    return known ? 'changed' : 'known'
  }
}

/** The first OID that a type of an app or an extension can have (FirstNormalObjectId in src/include/access/transam.h). */
const FIRST_OWN_TYPE = 16_384

function isSafe(type: number, use: ParameterUse | undefined): boolean {
  return (use === 'cast' && type < FIRST_OWN_TYPE) || judgeOfType(type) !== undefined
}

function judgeOf(type: number, use: ParameterUse | undefined): Judge | undefined {
  if (use === 'cast') return undefined
  const judge = judgeOfType(type)
  if (!judge || use === 'plain') return judge
  return (value, shared) => (judge(value, shared) === 'never' ? 'never' : 'checked')
}

function nameFor(text: string, version: number): string {
  const hash = process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex')
  return `poolguard_${hash.slice(0, 32)}_${version}`
}
