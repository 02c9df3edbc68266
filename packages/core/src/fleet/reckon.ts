import type { LimitView, Member } from './fleet-view.ts'
import { shareOut, sum, type Wish } from './share-out.ts'

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

/** What experience says against the members' own figures. */
export interface Doubts {
  /** By name: no more than so many connections are believed, because more were claimed and not opened. */
  readonly caps: ReadonlyMap<string, number>
  /** Whether claims of more than a member's share count only as far as its connections are open. */
  readonly limitClaims: boolean
  /** Members that have more than their share and do not give it back. */
  readonly keepers: ReadonlySet<string>
  /** Connections that were expected and have not been opened. */
  readonly overdue: number
}

/** By so much of its open connections a member's floor may exceed them. */
const GROWTH = 1 / 2

export const NO_DOUBTS: Doubts = { caps: new Map(), limitClaims: false, keepers: new Set(), overdue: 0 }

/** What one member counts for under one limit. */
export interface Reckoned {
  readonly member: Member
  /** What it is to have. */
  readonly share: number
  /** It has so many connections, or may open them at any moment. */
  readonly claim: number
}

/** A limit, shared out among its members. */
export interface Reckoning {
  readonly budget: number
  /** The instance that looks is among them. */
  readonly members: readonly Reckoned[]
  readonly others: readonly Reckoned[]
  readonly self: Reckoned
  /** What all of them want together. */
  readonly wanted: number
  /** What nobody has claimed, this instance included. */
  readonly unclaimed: number
  /** Connections in use that belong to no member. */
  readonly foreign: number
}

/**
 * Shares a limit out. A member's figures are only its own words, so they count within bounds:
 *
 * - its demand, for no more than an equal part, which every member may have;
 * - its floor, which goes before other members' demand, for half as much again as its open connections, so that it can grow
 *   into the floor step by step; for its open connections where the floors together are more than the budget;
 * - all of it, for no more than {@link Doubts.caps}.
 *
 * What {@link Doubts.keepers} have open is theirs.
 */
export function reckon(
  { usable, members: seen, others: strangers }: LimitView,
  self: Standing,
  headroom: number,
  doubts: Doubts,
): Reckoning {
  const foreign = strangers + impostorsOf(seen, self) - doubts.overdue
  const budget = Math.max(0, usable - headroom - foreign)
  const members = withSelf(seen, self).map((member) => limited(member, doubts.caps.get(member.name)))
  const wishes = wishesWithin(budget, members, self, doubts.keepers)
  const shares = shareOut(budget, wishes)
  const reckoned = members.map((member, i): Reckoned => {
    const share = shares[i] as number
    const { open, claim } = member
    const isLimited = doubts.limitClaims && member.name !== self.name
    return { member, share, claim: isLimited ? Math.min(claim, Math.max(open, share)) : claim }
  })
  const others = reckoned.filter(({ member }) => member.name !== self.name)
  return {
    budget,
    members: reckoned,
    others,
    unclaimed: budget - Math.max(self.target, self.held) - sum(others.map(({ claim }) => claim)),
    self: reckoned.find(({ member }) => member.name === self.name) as Reckoned,
    wanted: sum(wishes.map(({ floor, demand }) => Math.max(floor, demand))),
    foreign,
  }
}

/** Connections that carry this instance's name and are not its own. */
function impostorsOf(seen: readonly Member[], { name, held }: Standing): number {
  const open = seen.find((each) => each.name === name)?.open ?? 0
  return Math.max(0, open - held)
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

function limited(member: Member, cap: number | undefined): Member {
  const { open, publication, claim } = member
  if (cap === undefined || !publication) return member
  const { floor, demand } = publication
  const most = Math.max(open, cap)
  return {
    ...member,
    publication: { ...publication, floor: Math.min(floor, most), demand: Math.min(demand, most) },
    claim: Math.min(claim, most),
  }
}

function wishesWithin(
  budget: number,
  members: readonly Member[],
  self: Standing,
  keepers: ReadonlySet<string>,
): Wish[] {
  const wishes = (growth: number) => {
    return members.map((each) => {
      const wish = each.name === self.name ? ownWish(self) : wishOf(each, each.open + Math.ceil(each.open * growth))
      return keepers.has(each.name) ? { ...wish, floor: Math.max(wish.floor, Math.min(each.open, each.claim)) } : wish
    })
  }
  const growing = wishes(GROWTH)
  return sum(growing.map(({ floor }) => floor)) <= budget ? growing : wishes(0)
}

function ownWish({ floor, demand }: Standing): Wish {
  return { floor, demand }
}

/** @param most what is believed of its floor. */
function wishOf({ open, publication }: Member, most: number): Wish {
  // A member that has told nothing is not asked to give anything back: it may be no instance at all, but named like one.
  if (!publication) return { floor: open, demand: open }
  const { floor, demand } = publication
  return { floor: Math.min(floor, Math.max(1, most)), demand: Math.max(floor, demand) }
}
