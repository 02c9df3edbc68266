import type { Reservation, Wire } from '../internals.ts'

/**
 * Tells whenever everything that was sent has been answered, and whether a transaction is open then. Of all that postgres.js
 * lets one see, only how it treats a reserved connection shows either: at ReadyForQuery it asks whether that is to be given
 * up after a transaction (`release`), and then either calls whoever has reserved it, or, where no transaction is open, sets
 * him to null. So the connection is always reserved, by this.
 */
export function watchReady(wire: Wire, ready: (inTransaction: boolean) => void): void {
  /** Of the transaction that `begin` of postgres.js has open here: it sends what could not be sent before. */
  let transaction: Reservation | null = null
  let asked = false

  const reservation: Reservation = () => {
    asked = false
    ready(true)
    transaction?.()
  }
  Object.defineProperty(reservation, 'release', {
    get: () => {
      asked = true
      return false
    },
  })
  Object.defineProperty(wire, 'reserved', {
    get: () => reservation,
    set: (next: Reservation | null) => {
      transaction = next
      // When the connection was closed it is set to null, too, but then nobody has asked.
      if (next || !asked) return
      asked = false
      ready(false)
    },
  })
}
