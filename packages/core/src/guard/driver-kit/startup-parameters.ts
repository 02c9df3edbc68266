import { parseStartupOptions, printStartupOptions } from '../../drivers/index.ts'
import { readError } from '../../postgres-errors/index.ts'

/** The parameters of a startup packet, by their names in the protocol. */
export type StartupParameterMap = Readonly<Record<string, unknown>>

/** Never dropped: without them the login fails, or is a different one. */
const ESSENTIAL: readonly string[] = ['user', 'database', 'replication', 'client_encoding']

/**
 * Matches the error messages that reject a parameter: PgBouncer and Neon `unsupported startup parameter: x`, RDS Proxy
 * `doesn't support the option x` and `doesn't support command-line options`, PostgreSQL `unrecognized configuration
 * parameter "x"`, `invalid value for parameter "x"`, `parameter "x" cannot be set`.
 */
const MENTIONS_PARAMETER = /\b(?:parameters?|options?|settings?)\b/i
/** The message names no parameter, or one that was not sent under that name. */
const MENTIONS_UNNAMED_PARAMETER = /startup parameter|command-line options/i
/** Error classes whose messages may contain the name of a user, database or table that equals a parameter's name. */
const UNRELATED_ERROR_CLASSES: readonly string[] = ['28', '3D', '53', '57']

/**
 * The startup parameters of one pool. Many poolers reject some of them, each with its own error. The pool then omits the
 * parameter named in the error, warns, and connects again.
 */
export class StartupParameters {
  readonly #warn: (message: string) => void
  readonly #rejected = new Set<string>()
  /** Rejected settings within `options`. */
  readonly #rejectedSettings = new Set<string>()

  constructor(warn: (message: string) => void) {
    this.#warn = warn
  }

  /** Returns the parameters without the rejected ones. */
  admit(parameters: StartupParameterMap): StartupParameterMap {
    const kept = Object.entries(parameters).filter(([name]) => !this.#rejected.has(name.toLowerCase()))
    if (this.#rejectedSettings.size === 0) return Object.fromEntries(kept)
    return Object.fromEntries(
      kept.flatMap(([name, value]) => {
        if (name !== 'options') return [[name, value]]
        const left = this.#withoutRejectedSettings(String(value))
        return left === undefined ? [] : [[name, left]]
      }),
    )
  }

  /**
   * Learns from a failed login.
   *
   * @param sent the parameters of that login.
   * @returns whether another attempt without the rejected parameters may succeed.
   */
  learn(error: unknown, sent: StartupParameterMap): boolean {
    const named = namedIn(error, sent)
    const fresh = [
      ...named.parameters.filter((name) => !this.#rejected.has(name)),
      ...named.settings.filter((name) => !this.#rejectedSettings.has(name)).map((name) => `options (${name})`),
    ]
    for (const name of named.parameters) this.#rejected.add(name)
    for (const name of named.settings) this.#rejectedSettings.add(name)
    if (fresh.length > 0) this.#warnRejected(fresh, readError(error).message)
    // A concurrent attempt may already have recorded the rejection.
    return named.parameters.length + named.settings.length > 0
  }

  #warnRejected(names: readonly string[], why: string): void {
    this.#warn(
      `The server or pooler rejects the startup ${names.length === 1 ? 'parameter' : 'parameters'} ${names.join(', ')} ` +
        `(${why}). The pool connects without ${names.length === 1 ? 'it' : 'them'}. Set the value on the server instead: ALTER ROLE ... SET name = value.`,
    )
  }

  #withoutRejectedSettings(text: string): string | undefined {
    const { settings, rest } = parseStartupOptions(text)
    return printStartupOptions({
      settings: settings.filter(({ name }) => !this.#rejectedSettings.has(name.toLowerCase())),
      rest,
    })
  }
}

interface Named {
  readonly parameters: readonly string[]
  readonly settings: readonly string[]
}

const NOTHING: Named = { parameters: [], settings: [] }

/** The sent parameters that an error names, in lower case like in the messages of poolers; all of them if it names none. */
function namedIn(error: unknown, sent: StartupParameterMap): Named {
  const { code, message } = readError(error)
  if (!MENTIONS_PARAMETER.test(message) || UNRELATED_ERROR_CLASSES.includes(code.slice(0, 2))) return NOTHING
  const words = new Set(message.toLowerCase().match(/\w+(?:\.+\w+)*/g))
  const names = Object.keys(sent)
    .filter((name) => !ESSENTIAL.includes(name) && sent[name] !== undefined)
    .map((name) => name.toLowerCase())
  // `in options: geqo` refers to the setting inside options, even if a parameter of that name was sent as well.
  if (names.includes('options') && words.has('options')) return { parameters: ['options'], settings: [] }
  const parameters = names.filter((name) => words.has(name))
  if (parameters.length > 0) return { parameters, settings: [] }
  const settings = names.includes('options') ? parseStartupOptions(String(sent.options)).settings : []
  const namedSettings = settings.map(({ name }) => name.toLowerCase()).filter((name) => words.has(name))
  if (namedSettings.length > 0) return { parameters: [], settings: namedSettings }
  return { parameters: MENTIONS_UNNAMED_PARAMETER.test(message) ? names : [], settings: [] }
}
