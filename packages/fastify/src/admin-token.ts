import { createHash, timingSafeEqual } from 'node:crypto'

/** Tells whether a token is one of these, in a time that says nothing about them. */
export function tokenCheck(tokens: readonly string[]): (token: string) => boolean {
  const digests = tokens.map(digest)
  return (token) => {
    const given = digest(token)
    // With each of them, whichever it is.
    return digests.filter((each) => timingSafeEqual(each, given)).length > 0
  }
}

/**
 * The token in a header, if there is one (https://www.rfc-editor.org/rfc/rfc6750#section-2.1). The name of the scheme is matched in any
 * case (https://www.rfc-editor.org/rfc/rfc9110#section-11.1).
 */
export function bearerToken(authorization: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1]
}

/** Of one length, whatever the token's: what is compared in constant time has to be. */
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
