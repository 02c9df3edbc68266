const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
] as const

/** A duration for people: `74 s`, `5 min`, `3 h`, `2 d`. Units begin at twice their size, so that the number stays exact enough. */
export function describeSeconds(seconds: number): string {
  const [size, unit] = UNITS.find(([each]) => seconds >= 2 * each) ?? [1, 's']
  return `${Math.floor(seconds / size)} ${unit}`
}
