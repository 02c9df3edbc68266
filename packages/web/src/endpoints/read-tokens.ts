import { InvalidOptionError } from '@poolguard/core'

/**
 * Validates the option `adminToken`. Each token is validated separately, so that an error about one token does not show the others.
 *
 * @throws {InvalidOptionError} for anything but tokens that an Authorization header can carry.
 */
export function readTokens(value: unknown): readonly string[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) return [requireToken('adminToken', value)]
  return value.map((token, position) => requireToken(`adminToken[${position}]`, token))
}

/** @throws {InvalidOptionError} if there is no token: then nothing would protect the endpoint. */
export function requireAdminTokens(tokens: readonly string[], given: unknown): void {
  if (tokens.length > 0) return
  const wanted = 'a token that protects the admin endpoint. Is its environment variable set?'
  throw new InvalidOptionError('adminToken', given, wanted)
}

function requireToken(option: string, token: unknown): string {
  if (typeof token !== 'string' || token.trim() === '') {
    throw new InvalidOptionError(option, token, 'a token. Is its environment variable set?')
  }
  // No header can carry such a token; usually it ends with a line break from a file.
  if (/[^!-~]/.test(token)) {
    throw new InvalidOptionError(option, '***', 'a token of visible ASCII characters, without spaces or line ends')
  }
  return token
}
