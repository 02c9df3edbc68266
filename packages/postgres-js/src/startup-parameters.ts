/** PgBouncer's answer to one that `ignore_startup_parameters` does not list: 08P01, and only the text tells. */
const REFUSED = /unsupported startup parameter(?: in options)?: ?(\S+)?/

/** The parameter that a pooler refused at login; undefined where that is not what the error says. */
export function refusedStartupParameter(
  error: unknown,
  parameters: Readonly<Record<string, unknown>>,
): string | undefined {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown }
  if (code !== '08P01' || typeof message !== 'string') return undefined
  const named = REFUSED.exec(message)
  if (!named) return undefined
  if (message.includes('in options')) return 'options' in parameters ? 'options' : undefined
  // Poolers write names in small letters.
  return Object.keys(parameters).find((name) => name.toLowerCase() === named[1]?.toLowerCase())
}
