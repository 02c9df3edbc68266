import { InvalidAnswerError, RowReader } from '@poolguard/core/postgres'
import { originOf } from '../connect-errors/cannot-connect.ts'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import { shownAddress } from './http-address.ts'

/** One pool of an app, from its admin endpoint. */
export interface AppPool {
  readonly name: string
  readonly target: string
  /** `healthy`, `warning` or `critical`. */
  readonly status: string
  readonly inUse: number
  readonly idle: number
  readonly waiting: number
  readonly max: number
  readonly timeouts: number
  /** Checkouts that are suspected leaks and still out. */
  readonly suspectedLeaks: number
}

/** Code of an app that wastes connections, as its insight describes it. */
export interface AppFinding {
  readonly kind: string
  readonly label: string | null
  readonly text: string
  /** The line: `src/checkout.ts:88`. */
  readonly site: string | null
  readonly usedShare: number
  readonly count: number
}

/** The insight of the pools of an app. */
export interface AppInsight {
  readonly url: string
  /** Set if the app could not be asked. */
  readonly error?: string
  readonly pools: readonly { readonly name: string; readonly findings: readonly AppFinding[] }[]
}

/** The pools of one process of an app at one moment. */
export interface AppSample {
  /** ISO 8601. */
  readonly time: string
  /** Of the worst pool. */
  readonly status: string
  readonly pools: readonly AppPool[]
}

/** A request that failed. */
export interface AppMissed {
  readonly time: string
  readonly error: string
}

export interface EndpointOptions {
  readonly url: URL
  /** The bearer token of the admin endpoint. */
  readonly token: string | undefined
  /** Gives up the request. */
  readonly signal?: AbortSignal
}

const TIMEOUT_MILLIS = 5_000
const MAX_BYTES = 5_000_000
const SOURCE = 'the admin endpoint'

/** Asks the admin endpoint once. Never rejects: an error is a sample too. */
export async function readPoolStats(options: EndpointOptions): Promise<AppSample | AppMissed> {
  const time = new Date().toISOString()
  try {
    return { time, ...withPlainTexts(readAnswer(await request(options))) }
  } catch (error) {
    return { time, error: shownError(error) }
  }
}

/** Asks the admin endpoint for the findings of the pools. Never rejects. */
export async function readAppInsight(options: EndpointOptions): Promise<AppInsight> {
  const url = shownAddress(options.url)
  try {
    return withPlainTexts({ url, pools: poolsOf(await request(options)).map(readFindings) })
  } catch (error) {
    return { url, pools: [], error: shownError(error) }
  }
}

function shownError(error: unknown): string {
  return withPlainTexts(messageOf(originOf(error)))
}

async function request({ url, token, signal }: EndpointOptions): Promise<unknown> {
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
  if (text.length > MAX_BYTES) throw new InvalidAnswerError(SOURCE, 'it is larger than 5 MB')
  try {
    return JSON.parse(text)
  } catch {
    throw new InvalidAnswerError(SOURCE, 'it is not JSON')
  }
}

/** @throws {InvalidAnswerError} for anything but the JSON of the admin endpoint. */
function readAnswer(answer: unknown): Omit<AppSample, 'time'> {
  const row = new RowReader(SOURCE, answer)
  return { status: row.text('status'), pools: poolsOf(answer).map(readPool) }
}

function poolsOf(answer: unknown): readonly unknown[] {
  const { pools } = Object(answer) as { readonly pools?: unknown }
  if (!Array.isArray(pools)) throw new InvalidAnswerError(SOURCE, 'it has no pools')
  return pools
}

function readFindings(answer: unknown): AppInsight['pools'][number] {
  const name = new RowReader(SOURCE, answer).text('name')
  const { insight } = answer as { readonly insight?: { readonly findings?: unknown } | null }
  const findings = Array.isArray(insight?.findings) ? insight.findings : []
  return { name, findings: findings.map(readFinding) }
}

function readFinding(answer: unknown): AppFinding {
  const row = new RowReader(SOURCE, answer)
  const { label, site, usedShare } = answer as Record<string, unknown>
  return {
    kind: row.text('kind'),
    label: typeof label === 'string' ? label : null,
    text: row.text('text'),
    site: typeof site === 'string' ? site : null,
    usedShare: typeof usedShare === 'number' ? usedShare : 0,
    count: row.integer('count'),
  }
}

function readPool(answer: unknown): AppPool {
  const pool = new RowReader(SOURCE, answer)
  const { stats, health } = answer as { readonly stats?: unknown; readonly health?: unknown }
  const counts = new RowReader(SOURCE, stats)
  return {
    name: pool.text('name'),
    target: pool.text('target'),
    status: health === undefined ? 'healthy' : new RowReader(SOURCE, health).text('status'),
    inUse: counts.integer('active'),
    idle: counts.integer('idle'),
    waiting: counts.integer('waiting'),
    max: counts.integer('max'),
    timeouts: counts.integer('timeouts'),
    suspectedLeaks: counts.integer('suspectedLeaks'),
  }
}
