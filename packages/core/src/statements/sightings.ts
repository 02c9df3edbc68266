/** The number of hashes in memory, a power of two: 16 KiB. */
const SLOTS = 4_096
/** The number of evenly spread characters that are hashed: enough, because a collision only counts one use too many. */
const MAX_CHARACTERS = 128

/**
 * Tells approximately whether a text was seen before. It keeps only a hash of each text, which the hash of another text may
 * replace, so a flood of texts that never repeat takes no memory (the doorkeeper of TinyLFU, https://arxiv.org/abs/1512.00727).
 */
export class Sightings {
  readonly #slots = new Uint32Array(SLOTS)

  /** Records a text. Returns whether it was recorded recently. */
  record(text: string): boolean {
    const hash = hashOf(text)
    const slot = hash & (SLOTS - 1)
    if (this.#slots[slot] === hash) return true
    this.#slots[slot] = hash
    return false
  }
}

/** FNV-1a. */
function hashOf(text: string): number {
  const step = Math.ceil(text.length / MAX_CHARACTERS)
  let hash = 0x811c9dc5 ^ text.length
  for (let i = 0; i < text.length; i += step) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash >>> 0
}
