/** The time of day in local time, which people compare with their own clock: `14:03:11`. */
export function clock(time: string): string {
  return new Date(time).toLocaleTimeString('en-GB')
}
