import { describeTopology, type Topology } from '@poolguard/core'
import { InvalidAnswerError, RowReader } from '@poolguard/core/postgres'
import type { PoolReading } from '@poolguard/web/adapter'
import { ADMIN_ENDPOINT, askAdminEndpoint, type EndpointOptions, poolsOf } from './ask-admin-endpoint.ts'
import { readFinding, readLanes } from './read-pool-stats.ts'

/** A pool of an app with what the live page shows of it. */
export interface AppPoolDetails extends Omit<PoolReading, 'id' | 'history' | 'isControlled'> {
  readonly stats: PoolReading['stats'] & { readonly wait: Waits }
}

/** A histogram of waits. */
export interface Waits {
  readonly count: number
  readonly sumMillis: number
  readonly buckets: readonly number[]
}

type Borrowed = PoolReading['callers']['borrowed'][number]
type Waiting = PoolReading['callers']['waiting'][number]
type Json = Readonly<Record<string, unknown>>

/**
 * Asks the admin endpoint for the pools, with their callers.
 *
 * @throws as {@link askAdminEndpoint}; {@link InvalidAnswerError} for anything but the JSON of the admin endpoint.
 */
export async function readAppPools(options: EndpointOptions): Promise<readonly AppPoolDetails[]> {
  return poolsOf(await askAdminEndpoint(options)).map(readPool)
}

function readPool(answer: unknown): AppPoolDetails {
  const pool = new RowReader(ADMIN_ENDPOINT, answer)
  const { stats, health, topology, fleet, insight, callers } = answer as Json
  return {
    name: pool.text('name'),
    target: pool.text('target'),
    server: readServer(topology),
    ...readHealth(health),
    stats: readStats(stats),
    lanes: readLanes(stats),
    fleet: fleet === null || fleet === undefined ? null : readFleet(fleet),
    findings: listOf(fieldsOf(insight).findings).map(readFinding),
    callers: {
      borrowed: listOf(fieldsOf(callers).borrowed).map(readBorrowed),
      waiting: listOf(fieldsOf(callers).waiting).map(readWaiting),
    },
  }
}

function readServer(topology: unknown): string | null {
  if (!topology) return null
  try {
    return describeTopology(topology as Topology)
  } catch {
    // The app has another version, which names what this one does not know.
    return null
  }
}

function readHealth(health: unknown): Pick<AppPoolDetails, 'status' | 'reasons'> {
  const { status, reasons } = fieldsOf(health)
  if (status !== 'healthy' && status !== 'warning' && status !== 'critical') return { status: 'healthy', reasons: [] }
  return { status, reasons: listOf(reasons).map(String) }
}

function readStats(answer: unknown): AppPoolDetails['stats'] {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
  const names = [
    'max',
    'limit',
    'total',
    'idle',
    'active',
    'connecting',
    'waiting',
    'timeouts',
    'suspectedLeaks',
  ] as const
  const counts = Object.fromEntries(names.map((name) => [name, row.integer(name)])) as Record<
    (typeof names)[number],
    number
  >
  return { ...counts, acquired: row.number('acquired'), wait: readWaits(fieldsOf(answer).wait) }
}

function readWaits(answer: unknown): Waits {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
  const { buckets } = fieldsOf(answer)
  if (!Array.isArray(buckets) || !buckets.every(Number.isFinite))
    throw new InvalidAnswerError(ADMIN_ENDPOINT, 'a histogram has no buckets')
  return { count: row.number('count'), sumMillis: row.number('sumMillis'), buckets }
}

function readFleet(answer: unknown): NonNullable<AppPoolDetails['fleet']> {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
  return {
    instance: row.text('instance'),
    maxConnections: row.integer('maxConnections'),
    demand: row.integer('demand'),
    instances: row.integer('instances'),
    sharedConnections: row.integer('sharedConnections'),
    ...(fieldsOf(answer).adaptiveLimit !== undefined && { adaptiveLimit: row.number('adaptiveLimit') }),
  }
}

function readBorrowed(answer: unknown): Borrowed {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
  const { query } = fieldsOf(answer)
  return {
    id: row.integer('id'),
    label: row.textOrNull('label'),
    lane: row.textOrNull('lane'),
    heldMillis: row.number('heldMillis'),
    quietMillis: row.number('quietMillis'),
    ...(query !== undefined && { query: readQuery(query) }),
    stack: row.textOrNull('stack'),
    inTransaction: row.flag('inTransaction'),
    lastStatement: row.textOrNull('lastStatement'),
    suspected: row.flag('suspected'),
  }
}

function readQuery(answer: unknown): NonNullable<Borrowed['query']> {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
  return { text: row.textOrNull('text'), runningMillis: row.number('runningMillis') }
}

function readWaiting(answer: unknown): Waiting {
  const row = new RowReader(ADMIN_ENDPOINT, answer)
  return { label: row.textOrNull('label'), lane: row.textOrNull('lane'), waitedMillis: row.number('waitedMillis') }
}

/** The fields of an object; none of anything else. */
function fieldsOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {}
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}
