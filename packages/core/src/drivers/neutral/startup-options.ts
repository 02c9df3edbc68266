/** A setting that the server is told of when a connection starts. */
export interface ServerSetting {
  readonly name: string
  readonly value: string
  /** The parameter or the setting that it comes from. */
  readonly parameter: string
}

/** What an `options` parameter holds. */
export interface StartupOptions {
  readonly settings: readonly ServerSetting[]
  /** The words that set nothing on the server, as they stand: providers read their routing from them (`endpoint=ep-x`). */
  readonly rest: readonly string[]
}

/**
 * Takes an `options` parameter apart into the settings in it (`-c name=value`, `--name=value`) and all else. Blanks part
 * words, a backslash takes the next character as it is.
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

/** Writes an `options` parameter; undefined if there is nothing to write. */
export function printStartupOptions({ settings, rest }: StartupOptions): string | undefined {
  const words = [...rest.map(escapeWord), ...settings.map(({ name, value }) => `-c ${escapeWord(`${name}=${value}`)}`)]
  return words.length === 0 ? undefined : words.join(' ')
}

function escapeWord(word: string): string {
  return word.replaceAll(/[\\\s]/g, '\\$&')
}
