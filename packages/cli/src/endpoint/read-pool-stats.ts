import { RowReader } from '@poolguard/core/postgres'
import { withPlainTexts } from '../output/printable.ts'
import { ADMIN_ENDPOINT, askAdminEndpoint, type EndpointOptions, poolsOf, shownError } from './ask-admin-endpoint.ts'
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
  /** Empty for a pool without lanes. */
  readonly lanes: readonly AppLane[]
}

/** One lane of a pool: its callers have a limit and a queue of their own. */
export interface AppLane {
  readonly name: string
  /** Connections that its callers have. */
  readonly active: number
  /** The most that they may have. */
  readonly max: number
  readonly waiting: number
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

/** Asks the admin endpoint once. Never rejects: an error is a sample too. */
export async function readPoolStats(options: EndpointOptions): Promise<AppSample | AppMissed> {
  const time = new Date().toISOString()
  try {
    return { time, ...withPlainTexts(readAnswer(await askAdminEndpoint(options))) }
  } catch (error) {
    return { time, error: shownError(error) }
  }
}

/** Asks the admin endpoint for the findings of the pools. Never rejects. */
export async function readAppInsight(options: EndpointOptions): Promise<AppInsight> {
  const url = shownAddress(options.url)
  try {
    return withPlainTexts({ url, pools: poolsOf(await askAdminEndpoint(options)).map(readFindings) })
  } catch (error) {
    return { url, pools: [], error: shownError(error) }
  }
}

/** @throws {InvalidAnswerError} for anything but the JSON of the admin endpoint. */
function readAnswer(answer: unknown): Omit<AppSample, 'time'> {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
  return { status: row.text('status'), pools: poolsOf(answer).map(readPool) }
}

function readFindings(answer: unknown): AppInsight['pools'][number] {
  const name = new RowReader(ADMIN_ENDPOINT, answer).text('name')
  const { insight } = answer as { readonly insight?: { readonly findings?: unknown } | null }
  const findings = Array.isArray(insight?.findings) ? insight.findings : []
  return { name, findings: findings.map(readFinding) }
}

/** @throws {InvalidAnswerError} for anything but a finding. */
export function readFinding(answer: unknown): AppFinding {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
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
  const pool = new RowReader(ADMIN_ENDPOINT, answer)
  const { stats, health } = answer as { readonly stats?: unknown; readonly health?: unknown }
  const counts = new RowReader(ADMIN_ENDPOINT, stats)
  return {
    name: pool.text('name'),
    target: pool.text('target'),
    status: health === undefined ? 'healthy' : new RowReader(ADMIN_ENDPOINT, health).text('status'),
    inUse: counts.integer('active'),
    idle: counts.integer('idle'),
    waiting: counts.integer('waiting'),
    max: counts.integer('max'),
    timeouts: counts.integer('timeouts'),
    suspectedLeaks: counts.integer('suspectedLeaks'),
    lanes: readLanes(stats),
  }
}

/**
 * The lanes in the figures of a pool.
 *
 * @throws {InvalidAnswerError} if a lane has other figures.
 */
export function readLanes(stats: unknown): readonly AppLane[] {
  const { lanes } = Object(stats) as { readonly lanes?: unknown }
  if (typeof lanes !== 'object' || lanes === null) return []
  return Object.entries(lanes).map(([name, lane]) => {
    const row = new RowReader(ADMIN_ENDPOINT, lane)
    return { name, active: row.integer('active'), max: row.integer('max'), waiting: row.integer('waiting') }
  })
}
