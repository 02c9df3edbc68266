const BAR_WIDTH = 20
const NEARLY_FULL = 0.9
const BUSY = 0.7

/** A share between 0 and 1 as a bar: `#####...............`. */
export function shareBar(share: number): string {
  const filled = Math.min(BAR_WIDTH, Math.round(share * BAR_WIDTH))
  return `${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}`
}

export function shareColour(share: number): 'green' | 'yellow' | 'red' {
  if (share >= NEARLY_FULL) return 'red'
  return share >= BUSY ? 'yellow' : 'green'
}
