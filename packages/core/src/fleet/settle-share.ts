import { defaultHeadroom } from '../budget/index.ts'
import type { FleetView, LimitView, Member } from './fleet-view.ts'
import { shareOut, sum } from './share-out.ts'

/** What an instance knows of itself when it looks. */
export interface Standing {
  /** `app#id`. */
  readonly name: string
  /** Connections that it could use. */
  readonly demand: number
  readonly floor: number
  /** Slots taken now: connections that are open, being opened, and being closed. */
  readonly held: number
  /** What it may have now. */
  readonly target: number
  /** It has joined just now, and others may be about to. */
  readonly young: boolean
  /** Connections to be left free; undefined for the default. */
  readonly headroom: number | undefined
}

/** What an instance may have of the fleet's budget, and how that was worked out. */
export interface Share {
  /** Connections that it may have now. */
  readonly target: number
  /** What it is to have as soon as others have given it back. */
  readonly entitlement: number
  /** What the others' claims leave to it. */
  readonly free: number
  /** Instances under the limit that is the tightest, of this fleet and others. */
  readonly members: number
  /** Connections that all of them can have together. */
  readonly budget: number
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
export function settleShare({ limits, servedAtOnce }: FleetView, self: Standing): Share {
  const least = Math.min(...limits.map(({ usable }) => usable))
  const headroom = self.headroom ?? defaultHeadroom(least)
  const parts = limits.map((limit) => partOf(limit, self, headroom))
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
  return { target, entitlement, free, members, budget, contended, steps: [...steps, ...more] }
}

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

function partOf({ label, usable, members: seen, others }: LimitView, self: Standing, headroom: number): Part {
  const budget = Math.max(0, usable - headroom - others)
  const members = withSelf(seen, self)
  // Who has told nothing is not asked to give anything back: it may be no instance at all, but named like one.
  const wishes = members.map(({ claim, publication }) => publication ?? { floor: claim, demand: claim })
  const shares = shareOut(budget, wishes)
  const entitlement = shares[members.findIndex(({ name }) => name === self.name)] as number
  const rest = members.filter(({ name }) => name !== self.name)
  const free = budget - sum(rest.map(({ claim }) => claim))
  const due = members.map(({ name, claim }, i) =>
    name === self.name ? self.held : Math.max(claim, shares[i] as number),
  )
  const wanted = sum(wishes.map(({ floor, demand }) => Math.max(floor, demand)))
  return {
    entitlement,
    free,
    spare: budget - sum(due),
    members: members.length,
    budget,
    contended: wanted > budget,
    steps: [
      `${label} ${usable} usable - ${headroom} headroom - ${others} of others = ${budget} to share`,
      `${members.length === 1 ? '1 instance wants' : `${members.length} instances want`} ${wanted}: ${entitlement} for this one`,
    ],
  }
}

/** With what it knows of itself better than its publication. It is there even if its name was changed by somebody. */
function withSelf(seen: readonly Member[], { name, demand, floor, held }: Standing): Member[] {
  const self: Member = {
    name,
    ownRole: true,
    ownDatabase: true,
    open: held,
    publication: { target: held, demand, floor, sequence: 0 },
    claim: held,
  }
  return [...seen.filter((each) => each.name !== name), self].sort((a, b) => (a.name < b.name ? -1 : 1))
}

function served(entitlement: number, atOnce: number): string[] {
  return entitlement < atOnce ? [] : [`no more than ${atOnce} of which could be served at once`]
}

function shortOf(target: number, entitlement: number): string[] {
  if (target < entitlement) return [`${target} until others have given back theirs`]
  return target > entitlement ? [`${target}, because nobody else wants what is open`] : []
}
