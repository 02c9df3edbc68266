import { inspect } from 'node:util'

/**
 * Makes an object of driver options show itself without its secrets in console.log and JSON. What does the hiding is not
 * enumerable, so that a driver, which copies the fields, sees nothing of it.
 */
export function hideSecrets<T extends { password?: unknown; ssl?: unknown }>(options: T): T {
  const shown = (): object => ({
    ...options,
    ...(options.password !== undefined && { password: '***' }),
    ...(typeof options.ssl === 'object' && { ssl: '{...}' }),
  })
  Object.defineProperty(options, inspect.custom, { value: shown, enumerable: false })
  Object.defineProperty(options, 'toJSON', { value: shown, enumerable: false })
  return options
}
