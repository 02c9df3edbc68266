import type { LimitView, Member } from './fleet-view.ts'
import { type ShareRequest, shareOut, sum } from './share-out.ts'

/** This instance's own figures for an exchange. */
export interface Standing {
  /** `app#id`. */
  readonly name: string
  /** Connections that it could use. */
  readonly demand: number
  readonly floor: number
  /** Slots taken now: connections that are open, being opened, or being closed. */
  readonly held: number
  /** Its current max. */
  readonly target: number
  /** It has just joined, and other instances may be about to join. */
  readonly young: boolean
  /** Connections to leave free; undefined for the default. */
  readonly headroom: number | undefined
}

/** Observations that contradict the figures of instances. */
export interface Doubts {
  /** By name: the maximum that counts, for instances that claimed more and did not open it. */
  readonly claimCaps: ReadonlyMap<string, number>
  /** By name: the demand and floor that count, for instances that did not open what was reserved for them. */
  readonly requestCaps: ReadonlyMap<string, number>
  /** Whether claims above an instance's share count only up to its open connections. */
  readonly limitClaims: boolean
  /** Instances that hold more than their share and do not give it back. */
  readonly keepers: ReadonlySet<string>
  /** Connections that instances were about to open and did not. */
  readonly overdue: number
}

/** The floor of an instance may exceed its open connections by this part of them. */
const GROWTH = 1 / 2

export const NO_DOUBTS: Doubts = {
  claimCaps: new Map(),
  requestCaps: new Map(),
  limitClaims: false,
  keepers: new Set(),
  overdue: 0,
}

/** The calculated figures of one instance under one limit. */
export interface Reckoned {
  readonly member: Member
  /** The connections that it is entitled to. */
  readonly share: number
  /** Connections to count for it: it holds them, or may open them at any moment. */
  readonly claim: number
}

/** A limit and the calculated figures of its instances. */
export interface Reckoning {
  readonly budget: number
  /** Includes this instance. */
  readonly members: readonly Reckoned[]
  readonly others: readonly Reckoned[]
  readonly self: Reckoned
  /** Total demand. */
  readonly wanted: number
  /** Connections that no instance claims, this one included. */
  readonly unclaimed: number
  /** Connections in use that belong to no instance. */
  readonly foreign: number
}

/**
 * Calculates the shares of a limit. The figures of an instance are unverified, so they count within bounds:
 *
 * - its demand up to an equal part of the connections, which every instance may have;
 * - its floor, which takes precedence over other instances' demand, up to 1.5 times its open connections, so that it can grow
 *   into the floor step by step; only up to its open connections if the floors together exceed the connections to share;
 * - its claim up to {@link Doubts.claimCaps}, its demand and floor up to {@link Doubts.requestCaps}.
 *
 * {@link Doubts.keepers} keep their open connections.
 */
export function reckon(
  { usable, members: seen, others: unmanaged }: LimitView,
  self: Standing,
  headroom: number,
  doubts: Doubts,
): Reckoning {
  const foreign = unmanaged + impostorsOf(seen, self) - doubts.overdue
  const budget = Math.max(0, usable - headroom - foreign)
  const members = withSelf(seen, self).map((member) => limited(member, doubts))
  const requests = requestsWithin(budget, members, self, doubts.keepers)
  const shares = shareOut(budget, requests)
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
    wanted: sum(requests.map(({ floor, demand }) => Math.max(floor, demand))),
    foreign,
  }
}

/** Connections that carry this instance's name but are not its own. */
function impostorsOf(seen: readonly Member[], { name, held }: Standing): number {
  const open = seen.find((each) => each.name === name)?.open ?? 0
  return Math.max(0, open - held)
}

/** Replaces this instance's publication with its current figures. Includes it even if another client has changed its name. */
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

function limited(member: Member, { claimCaps, requestCaps }: Doubts): Member {
  const { name, open, publication, claim } = member
  if (!publication) return member
  const requestCap = Math.max(open, requestCaps.get(name) ?? Infinity)
  const { floor, demand } = publication
  return {
    ...member,
    publication: { ...publication, floor: Math.min(floor, requestCap), demand: Math.min(demand, requestCap) },
    claim: Math.min(claim, Math.max(open, claimCaps.get(name) ?? Infinity)),
  }
}

function requestsWithin(
  budget: number,
  members: readonly Member[],
  self: Standing,
  keepers: ReadonlySet<string>,
): ShareRequest[] {
  const requests = (growth: number) => {
    return members.map((each) => {
      const request =
        each.name === self.name ? ownRequest(self) : requestOf(each, each.open + Math.ceil(each.open * growth))
      return keepers.has(each.name)
        ? { ...request, floor: Math.max(request.floor, Math.min(each.open, each.claim)) }
        : request
    })
  }
  const growing = requests(GROWTH)
  return sum(growing.map(({ floor }) => floor)) <= budget ? growing : requests(0)
}

function ownRequest({ floor, demand }: Standing): ShareRequest {
  return { floor, demand }
}

/** @param most upper bound for its floor. */
function requestOf({ open, publication }: Member, most: number): ShareRequest {
  // An instance without a publication need not give connections back: it may be another client with a similar name.
  if (!publication) return { floor: open, demand: open }
  const { floor, demand } = publication
  return { floor: Math.min(floor, Math.max(1, most)), demand: Math.max(floor, demand) }
}
