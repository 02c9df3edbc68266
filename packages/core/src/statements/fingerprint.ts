const BEGINNING = 500
const END = 100

/**
 * A hash of a long text, from its length, its beginning and its end. Different texts of one app differ in these, including the
 * number of rows of an INSERT. The cost does not grow with the text, and the text is not kept in memory.
 */
export function fingerprint(text: string): number {
  const { length } = text
  let hash = hashRange(text, 0, Math.min(BEGINNING, length), 0x811c9dc5)
  hash = hashRange(text, Math.max(0, length - END), length, hash)
  // 32 bits of hash and 21 of length fit into the 53 of a safe integer.
  return (hash >>> 0) * 0x200000 + (length & 0x1fffff)
}

/** FNV-1a over UTF-16 code units (http://www.isthe.com/chongo/tech/comp/fnv/). */
function hashRange(text: string, from: number, to: number, seed: number): number {
  let hash = seed
  for (let index = from; index < to; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  return hash
}
