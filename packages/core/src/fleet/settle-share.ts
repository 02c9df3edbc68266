import { defaultHeadroom } from '../budget/index.ts'
import type { FleetView, LimitView } from './fleet-view.ts'
import { type Doubts, NO_DOUBTS, type Reckoning, reckon, type Standing } from './reckon.ts'
import { sum } from './share-out.ts'

export type { Standing } from './reckon.ts'

/** The connections that an instance may have, and the calculation. */
export interface FleetShare {
  /** Connections that it may have now. */
  readonly maxConnections: number
  /** Connections that it may have as soon as other instances have given them back. */
  readonly entitlement: number
  /** The connections that the claims of other instances leave free. */
  readonly free: number
  /** Instances under the tightest limit, of this fleet and others. */
  readonly instances: number
  /** Connections that all instances share. */
  readonly sharedConnections: number
  /** Whether the total demand exceeds the connections to share. */
  readonly contended: boolean
  /** The steps of the calculation, one line each. */
  readonly steps: readonly string[]
}

/**
 * Calculates the share of an instance after an exchange.
 *
 * The share shrinks to the entitlement immediately, but includes open connections beyond it as long as no other instance lacks
 * them. It grows only into connections that no other instance claims; a young instance grows half of the way, so that the first of
 * many that start together does not take connections that it would have to give back right away. So in whatever order the instances
 * exchange, no increase raises the sum of claims above the connections to share.
 */
export function settleShare({ limits, servedAtOnce }: FleetView, self: Standing, judge: Judge = trustAll): FleetShare {
  const least = Math.min(...limits.map(({ usable }) => usable))
  const headroom = self.headroom ?? defaultHeadroom(least)
  const parts = limits.map((limit) => {
    return partOf(
      limit,
      self,
      headroom,
      judge(limit, (doubts) => reckon(limit, self, headroom, doubts)),
    )
  })
  const tightest = parts.reduce((a, b) => (b.entitlement < a.entitlement ? b : a))
  const { entitlement } = tightest
  const free = Math.min(...parts.map((part) => part.free))
  const spare = Math.min(...parts.map((part) => part.spare))
  const has = Math.max(self.target, self.held)
  const room = self.young ? Math.ceil((free - has) / 2) : free - has
  const due =
    has < entitlement
      ? Math.max(has, Math.min(entitlement, has + room))
      : Math.max(entitlement, Math.min(self.held, self.held + spare))
  // A connection beyond the max, which was opened out of the headroom to ask for more, is no part of the share.
  const target = Math.min(due, Math.max(self.target, free))
  const { members, budget, contended, steps } = tightest
  const more = [...describeServed(entitlement, servedAtOnce), ...describeDifference(target, entitlement)]
  return {
    maxConnections: target,
    entitlement,
    free,
    instances: members,
    sharedConnections: budget,
    contended,
    steps: [...steps, ...more],
  }
}

/** Calculates the shares of a limit, taking doubts about its instances into account. */
export type Judge = (limit: LimitView, reckon: (doubts: Doubts) => Reckoning) => Reckoning

const trustAll: Judge = (_limit, reckon) => reckon(NO_DOUBTS)

interface Part {
  readonly entitlement: number
  /** The connections that the claims of other instances leave free. */
  readonly free: number
  /** budget - open connections of this instance - the larger of claim and share of each other; negative: connections that they lack. */
  readonly spare: number
  readonly members: number
  readonly budget: number
  readonly contended: boolean
  readonly steps: readonly string[]
}

function partOf({ label, usable }: LimitView, { held }: Standing, headroom: number, reckoning: Reckoning): Part {
  const { budget, members, others, self, wanted, foreign } = reckoning
  const entitlement = self.share
  const free = budget - sum(others.map(({ claim }) => claim))
  const due = held + sum(others.map(({ claim, share }) => Math.max(claim, share)))
  return {
    entitlement,
    free,
    spare: budget - due,
    members: members.length,
    budget,
    contended: wanted > budget,
    steps: [
      `${label} ${usable} usable - ${headroom} headroom - ${foreign} used by others = ${budget} to share`,
      `${members.length === 1 ? '1 instance wants' : `${members.length} instances want`} ${wanted}: ${entitlement} for this one`,
    ],
  }
}

function describeServed(entitlement: number, servedAtOnce: number): string[] {
  return entitlement < servedAtOnce ? [] : [`the pooler serves no more than ${servedAtOnce} of these at the same time`]
}

function describeDifference(target: number, entitlement: number): string[] {
  if (target < entitlement) return [`${target} until other instances have given connections back`]
  return target > entitlement ? [`${target}, because no other instance needs the open connections`] : []
}
