import { t } from '../output/translate.ts'
import type { Amount, Place } from '../project/workload.ts'
import type { ConnectionLimit } from './connection-limit.ts'
import type { PoolUse } from './pool-use.ts'
import type { ConnectionSum } from './sum-connections.ts'

/** A number to change so that the sum fits. */
export interface FittingChange {
  readonly what: string
  readonly from: number
  readonly to: number
  /** Undefined if no file sets the number yet. */
  readonly place: Place | undefined
}

/** A line that can be changed, and how many connections each unit of its number costs. */
interface Term {
  readonly what: string
  readonly value: number
  readonly weight: number
  readonly place: Place | undefined
}

/**
 * Finds the numbers that bring a sum within its limit: of the largest pool alone, otherwise of all pools. Leaves the headroom
 * free where that is possible. Empty if even one connection for each pool is too much.
 */
export function changesThatFit(sum: ConnectionSum, limit: ConnectionLimit): readonly FittingChange[] {
  const terms = poolTerms(sum)
  for (const room of [limit.usable - limit.headroom, limit.usable]) {
    const changes = oneChange(terms, sum.total, room) ?? allChanges(terms, sum.total, room)
    if (changes) return changes
  }
  return []
}

/** Numbers of instances or processes that fit with the pools as they are: those of the workload with the most connections first. */
export function instancesThatFit(sum: ConnectionSum, limit: ConnectionLimit): readonly FittingChange[] {
  const rows = sum.rows.filter(({ through }) => through === undefined).toSorted((a, b) => b.connections - a.connections)
  return rows
    .flatMap((row) => {
      const { surge, instances, processes } = row.workload
      const room = limit.usable - (sum.total - row.connections)
      const each = row.connections / Math.max(1, row.processes)
      const fitting = (amount: Amount, connectionsWith: (value: number) => number): FittingChange[] => {
        const { setting, place, value } = amount
        if (setting === undefined || !place) return []
        const to = largestBelow(value, (candidate) => connectionsWith(candidate) <= room)
        return to === undefined ? [] : [{ what: setting, from: value, to, place }]
      }
      return [
        ...fitting(surge, (value) => each * processes.value * (instances.most.value + value)),
        ...fitting(instances.most, (value) => each * processes.value * (value + surgeFor(surge, value))),
        ...fitting(processes, (value) => each * value * (instances.most.value + surge.value)),
      ]
    })
    .slice(0, 2)
}

function surgeFor({ share, value }: Amount, instances: number): number {
  return share === undefined ? Math.min(value, instances) : Math.ceil(instances * share)
}

/** The largest number of at least 1 below a value that fits; the sum only grows with the number. */
function largestBelow(value: number, fits: (candidate: number) => boolean): number | undefined {
  let [low, high] = [0, value - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if (fits(middle)) low = middle
    else high = middle - 1
  }
  return low >= 1 ? low : undefined
}

function poolTerms({ rows, poolers }: ConnectionSum): readonly Term[] {
  const terms = new Map<string, Term>()
  for (const { pools, processes, through } of rows) {
    if (through !== undefined) continue
    for (const pool of pools.filter(({ isGuarded, library }) => !isGuarded && library !== 'migrations')) {
      add(terms, { what: nameOf(pool), value: pool.max, weight: processes * pool.pools, place: pool.place })
    }
  }
  for (const { settings, processes, connections } of poolers) {
    const place = settings.places?.get('default_pool_size')
    const value = connections / processes / settings.databases
    add(terms, { what: 'default_pool_size', value, weight: processes * settings.databases, place })
  }
  return [...terms.values()].toSorted((a, b) => b.weight * b.value - a.weight * a.value)
}

/** Several workloads can open the pool of one line. */
function add(terms: Map<string, Term>, term: Term): void {
  const key = `${term.place?.file}:${term.place?.line}:${term.what}`
  terms.set(key, { ...term, weight: term.weight + (terms.get(key)?.weight ?? 0) })
}

function nameOf({ setBy, library }: PoolUse): string {
  if (!setBy.startsWith('the default')) return setBy
  return library === 'prisma' ? 'connection_limit of DATABASE_URL' : t`max of ${library}`
}

/** The largest pool alone, if it keeps at least half of its size. */
function oneChange(terms: readonly Term[], total: number, room: number): readonly FittingChange[] | undefined {
  const [largest] = terms
  if (!largest) return undefined
  const to = Math.floor((room - (total - largest.weight * largest.value)) / largest.weight)
  return to >= Math.max(1, largest.value / 2) ? [changeOf(largest, to)] : undefined
}

/** Every pool gets the same part of its size, and at least one connection. */
function allChanges(terms: readonly Term[], total: number, room: number): readonly FittingChange[] | undefined {
  const changeable = terms.reduce((sum, { weight, value }) => sum + weight * value, 0)
  const left = room - (total - changeable)
  if (terms.reduce((sum, { weight }) => sum + weight, 0) > left) return undefined
  const changed = terms.map((term) => ({ term, to: Math.max(1, Math.floor((term.value * left) / changeable)) }))
  // Pools that keep one connection take more than their part, which the largest ones give up.
  while (changed.reduce((sum, { term, to }) => sum + term.weight * to, 0) > left) {
    const largest = changed.reduce((a, b) => (b.to > a.to ? b : a))
    largest.to--
  }
  return changed.filter(({ term, to }) => to !== term.value).map(({ term, to }) => changeOf(term, to))
}

function changeOf({ what, value, place }: Term, to: number): FittingChange {
  return { what, from: value, to, place }
}
