import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'

const SAMPLE_MILLIS = 50

/** Connections of each name of an app's; parallel workers are none. */
const QUERY = `
select application_name as name, count(*)::int as open
  from pg_stat_activity where usename = 'app' and backend_type = 'client backend' group by 1`

/** Watches a fleet from outside, through a superuser's reserved slot. */
export class FleetWatch implements AsyncDisposable {
  readonly #client: pg.Client
  readonly #toShare: number
  readonly #timer: NodeJS.Timeout
  #sampling: Promise<void> = Promise.resolve()
  #open: number[] = []
  /** Most by which what the members had been given, and had, was above what there is to share. */
  overshoot = 0

  static async start(adminUrl: string, toShare: number): Promise<FleetWatch> {
    const client = new pg.Client(adminUrl)
    await client.connect()
    return new FleetWatch(client, toShare)
  }

  private constructor(client: pg.Client, toShare: number) {
    this.#client = client
    this.#toShare = toShare
    this.#timer = setInterval(() => {
      this.#sampling = this.#sampling.then(() => this.#sample())
    }, SAMPLE_MILLIS)
  }

  /** Connections of the app that are open, on average over so long from now on. */
  async meanOpen(millis: number): Promise<number> {
    this.#open = []
    await pause(millis)
    return this.#open.reduce((sum, open) => sum + open, 0) / this.#open.length
  }

  async #sample(): Promise<void> {
    const { rows } = await this.#client.query<{ name: string; open: number }>(QUERY)
    this.#open.push(rows.reduce((sum, { open }) => sum + open, 0))
    const claims = [...claimsByMember(rows).values()]
    // A newcomer's first connection comes out of the headroom.
    const given = claims.filter((claim) => claim > 1).reduce((sum, claim) => sum + claim, 0)
    this.overshoot = Math.max(this.overshoot, given - this.#toShare)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#sampling
    await this.#client.end()
  }
}

/** What each may have or has, by its latest publication. */
function claimsByMember(rows: readonly { name: string; open: number }[]): Map<string, number> {
  const members = new Map<string, { target: number; sequence: number; open: number }>()
  for (const { name, open } of rows) {
    const [, member, target, sequence] = /^(\w+#\w+)(?::t=(\d+),.*n=(\w+))?$/.exec(name) ?? []
    if (member === undefined) continue
    const known = members.get(member) ?? { target: 0, sequence: -1, open: 0 }
    const later = sequence !== undefined && Number.parseInt(sequence, 36) > known.sequence
    members.set(member, {
      ...(later ? { target: Number(target), sequence: Number.parseInt(sequence, 36) } : known),
      open: known.open + open,
    })
  }
  return new Map([...members].map(([member, { target, open }]) => [member, Math.max(target, open)]))
}
