import { parseStartupOptions, printStartupOptions } from '../../drivers/index.ts'
import { readError } from '../../postgres-errors/index.ts'

/** What a driver sends when a connection starts, by the names on the wire. */
export type StartupParameterMap = Readonly<Record<string, unknown>>

/** Without these there is no login, or another one. */
const ESSENTIAL: readonly string[] = ['user', 'database', 'replication', 'client_encoding']

/**
 * What a rejection of a parameter speaks of, whoever says it: PgBouncer and Neon `unsupported startup parameter: x`, RDS Proxy
 * `doesn't support the option x` and `doesn't support command-line options`, PostgreSQL `unrecognized configuration
 * parameter "x"`, `invalid value for parameter "x"`, `parameter "x" cannot be set`.
 */
const SPEAKS_OF_PARAMETERS = /\b(?:parameters?|options?|settings?)\b/i
/** The rejection does not say which one, or one that nobody sent by that name. */
const OF_SOME_PARAMETER = /startup parameter|command-line options/i
/** Of these the text may hold the name of a user, a database or a table that is called like a parameter. */
const NOT_OF_PARAMETERS: readonly string[] = ['28', '3D', '53', '57']

/**
 * The startup parameters that one pool may send. Many poolers refuse some, each with an error of its own: the parameter that the
 * error names is left out from then on, with a warning, and the connection is tried again.
 */
export class StartupParameters {
  readonly #warn: (message: string) => void
  readonly #refused = new Set<string>()
  /** Settings within `options`. */
  readonly #refusedSettings = new Set<string>()

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** The same parameters without those that were refused. */
  admit(parameters: StartupParameterMap): StartupParameterMap {
    const kept = Object.entries(parameters).filter(([name]) => !this.#refused.has(name.toLowerCase()))
    if (this.#refusedSettings.size === 0) return Object.fromEntries(kept)
    return Object.fromEntries(
      kept.flatMap(([name, value]) => {
        if (name !== 'options') return [[name, value]]
        const left = this.#withoutRefusedSettings(String(value))
        return left === undefined ? [] : [[name, left]]
      }),
    )
  }

  /**
   * Learns from a failed login.
   *
   * @param sent with which parameters it was tried.
   * @returns whether trying again with what is admitted now may work.
   */
  learn(error: unknown, sent: StartupParameterMap): boolean {
    const named = namedIn(error, sent)
    const fresh = [
      ...named.parameters.filter((name) => !this.#refused.has(name)),
      ...named.settings.filter((name) => !this.#refusedSettings.has(name)).map((name) => `options (${name})`),
    ]
    for (const name of named.parameters) this.#refused.add(name)
    for (const name of named.settings) this.#refusedSettings.add(name)
    if (fresh.length > 0) this.#tell(fresh, readError(error).message)
    // Another attempt, under way at the same time, may have learnt it before.
    return named.parameters.length + named.settings.length > 0
  }

  #tell(names: readonly string[], why: string): void {
    this.#warn(
      `The other end refuses the startup ${names.length === 1 ? 'parameter' : 'parameters'} ${names.join(', ')} ` +
        `(${why}), so connections are opened without. Set it on the server instead: ALTER ROLE ... SET name = value.`,
    )
  }

  #withoutRefusedSettings(text: string): string | undefined {
    const { settings, rest } = parseStartupOptions(text)
    return printStartupOptions({
      settings: settings.filter(({ name }) => !this.#refusedSettings.has(name.toLowerCase())),
      rest,
    })
  }
}

interface Named {
  readonly parameters: readonly string[]
  readonly settings: readonly string[]
}

const NOTHING: Named = { parameters: [], settings: [] }

/** What a rejection names of what was sent; all of it where it names nothing that was sent. In small letters, as poolers write it. */
function namedIn(error: unknown, sent: StartupParameterMap): Named {
  const { code, message } = readError(error)
  if (!SPEAKS_OF_PARAMETERS.test(message) || NOT_OF_PARAMETERS.includes(code.slice(0, 2))) return NOTHING
  const words = new Set(message.toLowerCase().match(/\w+(?:\.+\w+)*/g))
  const names = Object.keys(sent)
    .filter((name) => !ESSENTIAL.includes(name) && sent[name] !== undefined)
    .map((name) => name.toLowerCase())
  // `in options: geqo` is about that one, whatever else was sent by that name.
  if (names.includes('options') && words.has('options')) return { parameters: ['options'], settings: [] }
  const parameters = names.filter((name) => words.has(name))
  if (parameters.length > 0) return { parameters, settings: [] }
  const settings = names.includes('options') ? parseStartupOptions(String(sent.options)).settings : []
  const namedSettings = settings.map(({ name }) => name.toLowerCase()).filter((name) => words.has(name))
  if (namedSettings.length > 0) return { parameters: [], settings: namedSettings }
  return { parameters: OF_SOME_PARAMETER.test(message) ? names : [], settings: [] }
}
