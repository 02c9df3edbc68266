import { PoolguardError } from '../poolguard-error.ts'
import { stackOf } from './borrower.ts'
import type { TrackedLease } from './lease.ts'

/** When a checkout began and ended, to the millisecond. */
export interface EndedCheckout {
  readonly acquiredMillisAgo: number
  readonly releasedMillisAgo: number
  /** Where it was acquired, a frame a line; null where stacks are not captured. */
  readonly acquiredStack: string | null
}

/** A connection was released a second time. The second release did nothing. */
export class AlreadyReleasedError extends PoolguardError {
  static {
    AlreadyReleasedError.prototype.name = 'AlreadyReleasedError'
  }

  readonly code = 'POOLGUARD_ALREADY_RELEASED'

  /** @param driverMessage what the driver itself says of it, with which the message begins. */
  constructor(driverMessage: string, pool: string, checkout: EndedCheckout) {
    super(
      `${driverMessage} ${describeCheckout(pool, checkout)}, so this call does nothing. ` +
        'Release each checkout once, in one finally block; the stack shows the second release.',
    )
    this.stack += describeAcquisition(checkout)
  }
}

/** A query was sent on a connection that its caller had released. It was not run. */
export class QueryAfterReleaseError extends PoolguardError {
  static {
    QueryAfterReleaseError.prototype.name = 'QueryAfterReleaseError'
  }

  readonly code = 'POOLGUARD_QUERY_AFTER_RELEASE'

  constructor(pool: string, checkout: EndedCheckout) {
    super(
      `Query on a client that has been released to the pool. ${describeCheckout(pool, checkout)}, and another caller may ` +
        'be using the connection now. Await every query before the release, and keep no reference to the client or the ' +
        'transaction after it.',
    )
    this.stack += describeAcquisition(checkout)
  }
}

export function endedCheckoutOf({ since, endedAt, borrower }: TrackedLease<unknown>, now: number): EndedCheckout {
  return { acquiredMillisAgo: now - since, releasedMillisAgo: now - endedAt, acquiredStack: stackOf(borrower) }
}

function describeCheckout(pool: string, { acquiredMillisAgo, releasedMillisAgo }: EndedCheckout): string {
  const [acquired, released] = [Math.round(acquiredMillisAgo), Math.round(releasedMillisAgo)]
  return `Pool "${pool}": this checkout began ${acquired} ms ago and ended ${released} ms ago`
}

function describeAcquisition({ acquiredStack }: EndedCheckout): string {
  return acquiredStack === null ? '' : `\nThe checkout was acquired\n${acquiredStack}`
}
