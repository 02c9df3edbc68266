type Variables = Readonly<Record<string, string | undefined>>

/** `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `$NAME`; a backslash before `$` keeps it. */
const REFERENCE = /\\\$|\$\{([A-Za-z_]\w{0,99})(?:(:?-)([^{}]{0,1000}))?\}|\$([A-Za-z_]\w{0,99})/g
/** A few variables that repeat each other could grow without limit. */
const MAX_LENGTH = 10_000

/**
 * Replaces references between the variables of a file, as dotenv-expand, Next and Prisma do. The environment wins over the file.
 * An unbraced `$name` that is no variable stays as it is, because it is probably a part of a password.
 */
export function expandVariables(file: Variables, env: Variables): Record<string, string | undefined> {
  const expanded = new Map<string, string>()
  const open = new Set<string>()

  const read = (name: string): string | undefined => {
    // A variable of the environment has its final value already.
    const given = env[name]
    if (given !== undefined) return given
    const text = Object.hasOwn(file, name) ? file[name] : undefined
    // A reference in a circle has no value.
    if (text === undefined || open.has(name)) return undefined
    const known = expanded.get(name)
    if (known !== undefined) return known
    open.add(name)
    const value = expand(text)
    open.delete(name)
    expanded.set(name, value)
    return value
  }
  const expand = (text: string): string => {
    if (!text.includes('$')) return text
    const value = text.replace(
      REFERENCE,
      (whole, braced?: string, operator?: string, fallback?: string, bare?: string) => {
        if (whole === '\\$') return '$'
        const found = read(braced ?? bare ?? '')
        if (found !== undefined && (found !== '' || operator !== ':-')) return found
        return braced === undefined ? whole : expand(fallback ?? '')
      },
    )
    return value.length > MAX_LENGTH ? text : value
  }
  return Object.fromEntries(Object.keys(file).map((name) => [name, env[name] === undefined ? read(name) : file[name]]))
}
