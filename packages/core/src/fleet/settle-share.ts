import { defaultHeadroom } from '../budget/index.ts'
import type { FleetView, LimitView } from './fleet-view.ts'
import { type Doubts, NO_DOUBTS, type Reckoning, reckon, type Standing } from './reckon.ts'
import { sum } from './share-out.ts'

export type { Standing } from './reckon.ts'

/** What an instance may have of the fleet's budget, and how that was worked out. */
export interface FleetShare {
  /** Connections that it may have now. */
  readonly maxConnections: number
  /** What it is to have as soon as others have given it back. */
  readonly entitlement: number
  /** What the others' claims leave to it. */
  readonly free: number
  /** Instances under the limit that is the tightest, of this fleet and others. */
  readonly instances: number
  /** Connections that all of them can have together. */
  readonly sharedConnections: number
  /** Somebody wants more than it is to have. */
  readonly contended: boolean
  /** The arithmetic, a line each, to be shown to whoever asks why. */
  readonly steps: readonly string[]
}

/**
 * Works out what an instance may have after a look.
 *
 * It goes down to what it is entitled to at once, but keeps what it has open beyond that as long as nobody is short of it.
 * It goes up only as far as the others' claims leave the budget free, and while it is young half of the way, so that the
 * first of many that start together does not take what it would have to give back in the next moment. So whatever the order in which they look, no step up
 * takes the sum of claims over the budget.
 */
export function settleShare({ limits, servedAtOnce }: FleetView, self: Standing, judge: Judge = believe): FleetShare {
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
  const target =
    has < entitlement
      ? Math.max(has, Math.min(entitlement, has + room))
      : Math.max(entitlement, Math.min(self.held, self.held + spare))
  const { members, budget, contended, steps } = tightest
  const more = [...served(entitlement, servedAtOnce), ...shortOf(target, entitlement)]
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

/** Shares a limit out with what is to be doubted of its members. */
export type Judge = (limit: LimitView, reckon: (doubts: Doubts) => Reckoning) => Reckoning

const believe: Judge = (_limit, reckon) => reckon(NO_DOUBTS)

interface Part {
  readonly entitlement: number
  /** What the others' claims leave. */
  readonly free: number
  /** What is left when everybody has what it is to have, this one what it holds; below 0 what others are short of. */
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
      `${label} ${usable} usable - ${headroom} headroom - ${foreign} of others = ${budget} to share`,
      `${members.length === 1 ? '1 instance wants' : `${members.length} instances want`} ${wanted}: ${entitlement} for this one`,
    ],
  }
}

function served(entitlement: number, atOnce: number): string[] {
  return entitlement < atOnce ? [] : [`no more than ${atOnce} of which could be served at once`]
}

function shortOf(target: number, entitlement: number): string[] {
  if (target < entitlement) return [`${target} until others have given back theirs`]
  return target > entitlement ? [`${target}, because nobody else wants what is open`] : []
}
