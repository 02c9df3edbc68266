import type { CloseReason } from '@poolguard/core'

/** What `log` is told of a connection that is closed, as far as there is one in the words of pg-pool. */
export const CLOSE_MESSAGES: Readonly<Record<CloseReason, string>> = {
  idle: 'remove idle client',
  lifetime: 'remove expired client',
  uses: 'remove expended client',
  surplus: 'remove idle client beyond max',
  unfit: 'remove client that cannot be used again',
  lost: 'remove client whose connection was lost',
  'given-up': 'remove client released with an error',
  drain: 'remove client of the ended pool',
}
