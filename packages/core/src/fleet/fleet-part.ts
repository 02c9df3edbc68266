import { FleetLimit, type FleetNotice, type LimitComparison, type LimitGuide } from '../adaptive/index.ts'
import { decodeNotice, encodeNotice, MAX_TOTAL } from './fleet-notice.ts'
import type { FleetView, LimitView, Member } from './fleet-view.ts'
import { type ShareRequest, shareOut, sum } from './share-out.ts'

/** An instance's own figures. */
export interface OwnFigures {
  /** `app#id`. */
  readonly name: string
  readonly demand: number
  readonly floor: number
  /** Connections that all instances may open together. */
  readonly sharedConnections: number | undefined
}

/**
 * The part of one instance in the adaptive limit of its fleet. All instances divide the total by the figures that they publish, as
 * they divide the connections that they may open.
 */
export class FleetPart implements LimitGuide {
  readonly #limit: FleetLimit
  /** Milliseconds since 1970. */
  readonly #now: () => number
  /** Of all instances of the app, by name; undefined while this one has not joined. */
  #requests: readonly ShareRequest[] | undefined
  #rank = 0
  #isLeader = false

  constructor(initial: number, now: () => number = Date.now) {
    this.#limit = new FleetLimit(initial)
    this.#now = now
  }

  /** How many connections this instance may use now. */
  get limit(): number {
    return this.#partOf(this.#limit.totalAt(this.#now()))
  }

  /** Its part of the best total that is known. */
  get base(): number {
    return this.#partOf(this.#limit.base)
  }

  /** The best total that is known, of all instances together. */
  get total(): number {
    return this.#limit.base
  }

  get last(): LimitComparison | undefined {
    return this.#limit.last
  }

  get isProbing(): boolean {
    return this.#limit.isComparing(this.#now())
  }

  /** The fleet decides on the bounds. */
  setBounds(): void {}

  /** The meter leaves out what is not measured. */
  discard(): void {}

  update(sample: Parameters<LimitGuide['update']>[0]): number {
    this.#limit.update(this.#now(), sample)
    return this.limit
  }

  /** What to publish. */
  get notice(): string {
    return encodeNotice(this.#limit.notice(this.#now()))
  }

  /** How long to wait for the next exchange of notices. */
  millisToExchange(random: number): number {
    const now = this.#now()
    return this.#limit.nextExchange(now, this.#isLeader, random) - now
  }

  /** Reads the notices of the other instances. Returns the view in which no instance wants more than its part, and this one's part. */
  read(view: FleetView, self: OwnFigures): { readonly view: FleetView; readonly demand: number } {
    const now = this.#now()
    const [first] = view.limits
    const app = appOf(self.name)
    const others = (first?.members ?? []).filter(({ name }) => name !== self.name && appOf(name) === app)
    const members = [...others.map(figuresOf), self].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    // An instance without waiting callers does not exchange figures often enough to lead.
    const leader = members.find(({ demand, floor }) => demand > floor) ?? members[0]
    this.#isLeader = leader?.name === self.name
    this.#rank = members.findIndex(({ name }) => name === self.name)
    this.#requests = members.map(({ demand }) => ({ floor: 1, demand }))
    const available = Math.min(self.sharedConnections ?? first?.usable ?? 1, MAX_TOTAL)
    this.#limit.read(now, {
      notices: others.flatMap(({ publication }) => noticeOf(publication?.notice, now)),
      isLeader: this.#isLeader,
      bounds: { min: members.length, max: Math.max(members.length, available) },
      demand: sum(members.map(({ demand }) => demand)),
    })
    const parts = shareOut(this.#limit.maxTotalAt(now), this.#requests)
    const partByName = new Map(members.map(({ name }, i) => [name, parts[i] as number]))
    const limits = view.limits.map((limit) => withDemands(limit, partByName))
    return { view: { ...view, limits }, demand: Math.max(self.floor, parts[this.#rank] as number) }
  }

  /** The instance has left its fleet, so that its static limit applies. */
  leave(): void {
    this.#requests = undefined
  }

  #partOf(total: number): number {
    return this.#requests ? (shareOut(total, this.#requests)[this.#rank] as number) : Infinity
  }
}

function appOf(member: string): string {
  return member.slice(0, member.lastIndexOf('#'))
}

function figuresOf({ name, open, publication }: Member): Pick<OwnFigures, 'name' | 'demand' | 'floor'> {
  return { name, demand: publication?.demand ?? open, floor: publication?.floor ?? 1 }
}

function noticeOf(text: string | undefined, now: number): FleetNotice[] {
  return text === undefined ? [] : [decodeNotice(text, now)]
}

function withDemands(limit: LimitView, parts: ReadonlyMap<string, number>): LimitView {
  const members = limit.members.map((member) => {
    const { publication } = member
    const part = parts.get(member.name)
    if (!publication || part === undefined) return member
    return { ...member, publication: { ...publication, demand: Math.min(publication.demand, part) } }
  })
  return { ...limit, members }
}
