/** A server setting that the client sends when a connection opens. */
export interface ServerSetting {
  readonly name: string
  readonly value: string
  /** The URL parameter or the caller's setting that it comes from. */
  readonly parameter: string
}

/** The content of an `options` parameter. */
export interface StartupOptions {
  readonly settings: readonly ServerSetting[]
  /** The words that are not settings, unchanged: providers use them for routing (`endpoint=ep-x`). */
  readonly rest: readonly string[]
}

/**
 * Splits an `options` parameter into settings (`-c name=value`, `--name=value`) and other words. Spaces separate words, and a
 * backslash escapes the next character.
 *
 * @see https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-OPTIONS
 */
export function parseStartupOptions(text: string): StartupOptions {
  const words = (text.match(/(?:\\.|[^\s\\]|\\$)+/gs) ?? []).map((word) => word.replaceAll(/\\(.)/gs, '$1'))
  const settings: ServerSetting[] = []
  const rest: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    const separate = word === '-c' && words[index + 1]?.includes('=')
    const assignment = separate ? words[++index] : /^(?:-c|--)([^=]+=.*)$/s.exec(word)?.[1]
    if (assignment === undefined) {
      rest.push(word)
      continue
    }
    const equals = assignment.indexOf('=')
    const name = assignment.slice(0, equals).trim().replaceAll('-', '_')
    settings.push({ name, value: assignment.slice(equals + 1), parameter: 'options' })
  }
  return { settings, rest }
}

/** Prints an `options` parameter; undefined if it is empty. */
export function printStartupOptions({ settings, rest }: StartupOptions): string | undefined {
  const words = [...rest.map(escapeWord), ...settings.map(({ name, value }) => `-c ${escapeWord(`${name}=${value}`)}`)]
  return words.length === 0 ? undefined : words.join(' ')
}

function escapeWord(word: string): string {
  return word.replaceAll(/[\\\s]/g, '\\$&')
}
