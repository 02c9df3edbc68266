const VARIABLE =
  /\$(?:(?<escaped>\$)|(?<bare>[A-Za-z_]\w*)|\{(?<name>[A-Za-z_]\w*)(?:(?<operator>:?[-+?])(?<word>[^{}]*))?\})/g

/**
 * Replaces variables as docker compose does: `${NAME}`, `${NAME:-default}`, `$$`.
 * https://docs.docker.com/reference/compose-file/interpolation/
 *
 * @returns undefined if a variable without a default is unknown.
 */
export function interpolate(text: string, variables: Readonly<Record<string, string | undefined>>): string | undefined {
  let isUnknown = false
  const result = text.replaceAll(VARIABLE, (...match) => {
    const { escaped, bare, name = bare, operator, word = '' } = match.at(-1) as Record<string, string | undefined>
    if (escaped) return '$'
    const value = variables[name ?? '']
    const isSet = value !== undefined && !(operator?.startsWith(':') && value === '')
    if (operator?.endsWith('+')) return isSet ? word : ''
    if (isSet) return value
    if (operator?.endsWith('-')) return word
    isUnknown = true
    return ''
  })
  return isUnknown ? undefined : result
}
