import { PGBOUNCER_CONSOLE } from '../../../packages/core/src/topology/index.ts'

const PLAUSIBLE = [0, 1, 3, 20, 60, 100, 1_000, 262_143]
const ABSURD = [-1, 0.5, 2 ** 31, 2 ** 53, 1e300, 'NaN', '', null, true, [], {}, 'x'.repeat(500)]
const NAMES = [
  'orders#aaaaaa:t=9999,d=9999,m=9999,n=1',
  'orders#aaaaab:t=0,d=0,n=zzzzz',
  'x#aaaaaa',
  'psql',
  '',
  '\u001b[2J',
  null,
]

/** What a hostile server or pooler answers to the questions of discovery and of fleets. */
export class HostileAnswers {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** The answer to a query for one value. */
  value(): string | undefined {
    const json = JSON.stringify({ capacity: this.#capacity(), rows: this.#members(), parallelWorkers: this.number() })
    return this.#pick([
      json,
      json,
      json,
      JSON.stringify(this.#capacity()),
      json.slice(0, 40),
      '',
      'null',
      '[]',
      undefined,
    ])
  }

  /** A number in most answers, and often one that could be true. */
  number(): unknown {
    return this.#pick(this.#random() < 0.9 ? PLAUSIBLE : ABSURD)
  }

  name(): string | null {
    return this.#pick(NAMES)
  }

  /** True half of the time. */
  coin(): boolean {
    return this.#random() < 0.5
  }

  /** Rows of a pooler's console, as texts. */
  shown(what: string): Record<string, string | null>[] {
    const text = () => {
      const number = this.number()
      return typeof number === 'object' ? null : String(number)
    }
    const database = this.#pick(['app', PGBOUNCER_CONSOLE, ''])
    const rows: Record<string, Record<string, string | null>> = {
      VERSION: { version: this.#pick(['PgBouncer 1.24.1', 'PgBouncer', '', null]) },
      CONFIG: { key: 'max_client_conn', value: text(), default: text(), changeable: 'yes' },
      DATABASES: { name: database, host: null, port: text(), database, pool_size: text(), pool_mode: this.name() },
      CLIENTS: { type: 'C', user: 'app', database, state: 'active', application_name: this.name(), ptr: text() },
    }
    return Array.from({ length: this.#pick([0, 1, 1, 3]) }, () => rows[what] ?? {})
  }

  /** Half of them could be true. */
  #capacity(): Record<string, unknown> {
    const isPossible = this.coin()
    const number = (possible: readonly number[]) => (isPossible ? this.#pick(possible) : this.number())
    const limit = () => (this.coin() ? null : number([1, 20, 1_000]))
    const used = () => number([0, 1, 5])
    return {
      ...{ maxConnections: number([10, 60, 100, 1_000, 262_143]), reserved: number([0, 3]) },
      ...{ roleLimit: limit(), databaseLimit: limit(), used: used(), usedByRole: used(), usedByDatabase: used() },
    }
  }

  #members(): Record<string, unknown>[] {
    return Array.from({ length: this.#pick([0, 1, 2, 5]) }, () => {
      const whose = { role: this.name(), ownRole: this.coin(), ownDatabase: this.coin(), readable: this.coin() }
      return { name: this.name(), ...whose, count: this.#pick([1, 1, 3, this.number()]), groups: null }
    })
  }

  #pick<T>(values: readonly T[]): T {
    return values[Math.floor(this.#random() * values.length)] as T
  }
}
