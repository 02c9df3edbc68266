export const BAR_WIDTH = 20
const NEARLY_FULL = 0.9
const BUSY = 0.7

/** A share between 0 and 1 as a bar: `#####...............`. */
export function shareBar(share: number, width: number = BAR_WIDTH): string {
  const filled = Math.min(width, Math.round(share * width))
  return `${'#'.repeat(filled)}${'.'.repeat(width - filled)}`
}

export function shareColour(share: number): 'green' | 'yellow' | 'red' {
  if (share >= NEARLY_FULL) return 'red'
  return share >= BUSY ? 'yellow' : 'green'
}
