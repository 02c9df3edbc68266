import { sep } from 'node:path'
import { mayHoldSecret } from '@poolguard/core/adapter'

/** Whether a path of an argument can be shown. Otherwise it may be a URL with a secret in the wrong place. */
export function isHarmlessPath(path: string, separator: string = sep): boolean {
  // On Linux and macOS, a backslash is a character of a name.
  const names = path.split(separator === '\\' ? /[\\/]/ : '/')
  return !names.some(mayHoldSecret)
}
