import { createHash, timingSafeEqual } from 'node:crypto'

/** Returns a check for these tokens; its duration reveals nothing about them. */
export function tokenCheck(tokens: readonly string[]): (token: string) => boolean {
  const digests = tokens.map(digest)
  return (token) => {
    const given = digest(token)
    // Compare with every token, so that the duration does not depend on which one matches.
    return digests.filter((each) => timingSafeEqual(each, given)).length > 0
  }
}

/**
 * The bearer token of an Authorization header, if any (https://www.rfc-editor.org/rfc/rfc6750#section-2.1). The scheme matches in any
 * case (https://www.rfc-editor.org/rfc/rfc9110#section-11.1).
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
}

/** Digests have the same length for every token, as `timingSafeEqual` requires. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
