/** A power of two: of so many texts the last sighting is remembered, in 16 KiB. */
const SLOTS = 4_096
/** A text is told from others by so many of its characters, evenly spread: enough, as to be mistaken costs only a sighting. */
const MAX_CHARACTERS = 128

/**
 * Whether a text was met before, roughly: of each only a number is kept, where the number of another may take its place. So a
 * flood of texts that never come again holds nothing in memory (the doorkeeper of TinyLFU, https://arxiv.org/abs/1512.00727).
 */
export class Sightings {
  readonly #slots = new Uint32Array(SLOTS)

  /** Whether it was met lately; from now on it was. */
  meet(text: string): boolean {
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
