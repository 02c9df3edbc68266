/** So much of a secret must not be shown. */
const PIECE = 6
/** Of an encoded form more, as a part of it may be `%2F%2F`. */
const ENCODED_PIECE = 10

/** A place that shows something, and what it shows. */
export interface Output {
  readonly where: string
  readonly text: string
}

/** Fuzzing makes a new secret for each input. */
const MAX_SECRETS = 1_000
const piecesOf = new Map<string, ReadonlySet<string>>()

/** Says what of a secret stands in an output: itself, encoded, or a piece of it. Empty if there is nothing. */
export function findLeaks(secret: string, outputs: readonly Output[]): string[] {
  const pieces = piecesOf.get(secret) ?? makePieces(secret)
  if (piecesOf.size >= MAX_SECRETS) piecesOf.clear()
  piecesOf.set(secret, pieces)
  return outputs.flatMap(({ where, text }) => {
    for (const piece of pieces) {
      const at = text.indexOf(piece)
      if (at >= 0) return [`${where}: ${JSON.stringify(text.slice(Math.max(0, at - 60), at + 40))}`]
    }
    return []
  })
}

function makePieces(secret: string): Set<string> {
  const percent = encodeURIComponent(secret.toWellFormed())
  const base64 = [0, 1, 2].flatMap((skipped) => {
    const bytes = Buffer.from(secret).subarray(skipped)
    return [bytes.toString('base64'), bytes.toString('base64url')]
  })
  const encoded = [percent, encodeURIComponent(percent), JSON.stringify(secret), ...base64]
  const hex = Buffer.from(secret).toString('hex')
  return new Set([
    ...windows(secret, PIECE),
    ...encoded.flatMap((form) => windows(form, ENCODED_PIECE)),
    ...windows(hex, 16),
    ...windows(hex.replaceAll(/../g, '$& '), 18),
  ])
}

/** All pieces of a length that are not made of signs alone; of a long text those at its beginning. */
function windows(text: string, length: number): string[] {
  const starts = Array.from({ length: Math.min(200, Math.max(0, text.length - length + 1)) }, (_, start) => start)
  return starts
    .map((start) => text.slice(start, start + length))
    .filter((piece) => piece.replaceAll(/[^\p{L}\p{N}]|%[0-9A-F]{2}/gu, '').length > length / 2)
}
