/** A position in the write-ahead log: LSNs of different clusters or timelines cannot be compared. */
export interface WalPosition {
  /** The same for a primary and its physical standbys. */
  readonly systemId: string
  readonly timeline: number
  readonly lsn: bigint
}

/** @returns undefined for a text that is no LSN, such as `0/16B3748`. */
export function parseLsn(text: string): bigint | undefined {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i.exec(text) ?? []
  return high === undefined ? undefined : (BigInt(`0x${high}`) << 32n) | BigInt(`0x${low}`)
}

/**
 * Whether a server that has replayed up to a position has everything that was written up to another one. On another timeline it may have other
 * records at the same LSN.
 */
export function covers(replayed: WalPosition | undefined, written: WalPosition): boolean {
  return replayed !== undefined && isComparable(replayed, written) && replayed.lsn >= written.lsn
}

/** Whether two positions belong to the same history. */
export function isComparable(one: WalPosition, other: WalPosition): boolean {
  return one.systemId === other.systemId && one.timeline === other.timeline
}
