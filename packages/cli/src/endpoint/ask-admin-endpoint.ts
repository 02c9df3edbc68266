import { InvalidAnswerError } from '@poolguard/core/postgres'
import { originOf } from '../connect-errors/cannot-connect.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import { t } from '../output/translate.ts'

export interface EndpointOptions {
  readonly url: URL
  /** The bearer token of the admin endpoint. */
  readonly token: string | undefined
  /** Gives up the request. */
  readonly signal?: AbortSignal
}

const TIMEOUT_MILLIS = 5_000
const MAX_BYTES = 5_000_000
/** The source of its answers, in errors. */
export const ADMIN_ENDPOINT = 'the admin endpoint'

/**
 * Asks the admin endpoint of an app once.
 *
 * @throws an error that says what to do if the app refuses, and {@link InvalidAnswerError} for another answer than JSON.
 */
export async function askAdminEndpoint({ url, token, signal }: EndpointOptions): Promise<unknown> {
  const response = await fetch(url, {
    headers: { accept: 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) },
    // The token is for this address only.
    redirect: 'manual',
    signal: AbortSignal.any([AbortSignal.timeout(TIMEOUT_MILLIS), ...(signal ? [signal] : [])]),
  })
  const text = await response.text()
  if (response.status === 401 || response.status === 403) {
    throw new Error(
      token === undefined
        ? t`HTTP ${response.status}: set POOLGUARD_TOKEN to the adminToken of the app`
        : t`HTTP ${response.status}: the app does not accept POOLGUARD_TOKEN; it must equal its adminToken`,
    )
  }
  if (response.status === 404) {
    throw new Error(
      t`HTTP 404: the app has no such route. @poolguard/fastify, @poolguard/nestjs and @poolguard/web serve /admin/db-pool-stats with admin: true and an adminToken`,
    )
  }
  if (!response.ok) throw new Error(t`HTTP ${response.status}`)
  if (text.length > MAX_BYTES) throw new InvalidAnswerError(ADMIN_ENDPOINT, 'it is larger than 5 MB')
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidAnswerError(ADMIN_ENDPOINT, 'it is not JSON')
  }
}

/** The pools of an answer. */
export function poolsOf(answer: unknown): readonly unknown[] {
  const { pools } = Object(answer) as { readonly pools?: unknown }
  if (!Array.isArray(pools)) throw new InvalidAnswerError(ADMIN_ENDPOINT, 'it has no pools')
  return pools
}

/** Why the app could not be asked, safe to print. */
export function shownError(error: unknown): string {
  return withPlainTexts(messageOf(originOf(error)))
}
