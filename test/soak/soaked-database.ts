import { setTimeout as pause } from 'node:timers/promises'
import { CREATE_LEDGER, readLedger } from '../fault-table/ledger.ts'
import type { Held } from '../fault-table/messages.ts'
import type { Stack } from '../fault-table/stack.ts'
import { reconcile } from '../fault-table/verdict.ts'
import { WorkerProcess } from '../fault-table/worker-process.ts'
import { superuser } from '../harness/credentials.ts'
import { type FaultProxy, type PostgresServer, queryOnce, startProxy } from '../harness/index.ts'
import { growthOf } from './findings.ts'

/** Ids of one process begin here; those of the next one as much higher. */
const IDS_OF_A_PROCESS = 1_000_000_000
/** How long after a fault each process may take until it writes again. */
const RECOVERY_MILLIS = 20_000
/** More than a worker waits for its callers. */
const MEASURE_MILLIS = 30_000
/** Sessions that the network has lost end by then. */
const SESSIONS_MILLIS = 20_000

interface Instance {
  readonly proxy: FaultProxy
  readonly worker: WorkerProcess
  readonly samples: Held[]
}

export interface DatabaseOptions {
  readonly server: PostgresServer
  /** The database, which is created. */
  readonly name: string
  readonly stack: Stack
  readonly processes: number
  /** The most sessions that all processes together may have. */
  readonly maxSessions: number
  /** Sets the database's connection limit. */
  readonly connectionLimit?: number
}

/** A database, the processes of one stack that write to it, and what was found wrong with them. */
export class SoakedDatabase implements AsyncDisposable {
  readonly findings: string[] = []
  readonly recoveries: number[] = []
  commits = 0
  readonly #options: DatabaseOptions
  readonly #instances: readonly Instance[]

  private constructor(options: DatabaseOptions, instances: readonly Instance[]) {
    this.#options = options
    this.#instances = instances
  }

  static async start(options: DatabaseOptions): Promise<SoakedDatabase> {
    const { server, name, stack, processes, connectionLimit = -1 } = options
    await server.query(`create database ${name} owner app connection limit ${connectionLimit}`)
    const url = server.urlFor({ database: name })
    await queryOnce(url, CREATE_LEDGER)
    const instances = await Promise.all(
      Array.from({ length: processes }, async (_, n): Promise<Instance> => {
        const proxy = await startProxy({ target: server })
        const worker = new WorkerProcess(stack, proxy.urlFor(url), 1 + n * IDS_OF_A_PROCESS)
        return { proxy, worker, samples: [] }
      }),
    )
    await Promise.all(instances.map(({ worker }) => worker.atWork()))
    return new SoakedDatabase(options, instances)
  }

  get name(): string {
    return this.#options.stack.name
  }

  get instances(): readonly Pick<Instance, 'proxy' | 'worker'>[] {
    return this.#instances
  }

  /** Errors that the callers have got. */
  get failures(): number {
    return this.#instances.reduce((sum, { worker }) => sum + worker.errors.length, 0)
  }

  /** The heap of the first process at the first and at the last sample, in MB. */
  get heapMegabytes(): readonly number[] {
    const samples = this.#instances[0]?.samples ?? []
    return [samples[0], samples.at(-1)].map((held) => Math.round((held?.heapBytes ?? 0) / 1e5) / 10)
  }

  /** Each process writes again. */
  async awaitRecovery(fault: string): Promise<void> {
    const healedAt = performance.now()
    await Promise.all(
      this.#instances.map(async ({ worker }) => {
        const isBack = await worker.until(() => worker.committedAt > healedAt, RECOVERY_MILLIS)
        if (isBack) this.recoveries.push(worker.committedAt - healedAt)
        else if (worker.hasCrashed)
          this.findings.push(`after ${fault}: a process has ended: ${worker.stderr.slice(-500)}`)
        else this.findings.push(`after ${fault}: no write for ${RECOVERY_MILLIS / 1000} s`)
      }),
    )
  }

  /** Stops the callers for a moment, measures what the processes hold, and compares the table with what they know to be committed. */
  async check(): Promise<void> {
    for (const { worker } of this.#instances) worker.ask({ type: 'pause' })
    await Promise.all(this.#instances.map((instance) => this.#measure(instance)))
    await this.#reconcile()
    await this.#countSessions(this.#options.maxSessions)
    for (const { worker } of this.#instances) worker.ask({ type: 'resume' })
  }

  async #measure({ worker, samples }: Instance): Promise<void> {
    worker.measured = undefined
    worker.ask({ type: 'measure' })
    await worker.until(() => worker.measured !== undefined, MEASURE_MILLIS)
    const { measured } = worker as { measured: WorkerProcess['measured'] }
    if (!measured) return void this.findings.push('a process does not answer')
    if (measured.hungCallers > 0) this.findings.push(`${measured.hungCallers} callers got no answer`)
    samples.push(measured.held)
  }

  /** The table is emptied, so that a long run needs no more memory than a short one. */
  async #reconcile(): Promise<void> {
    // The database's connection limit does not apply to a superuser.
    const url = this.#options.server.urlFor({ user: superuser.user, database: this.#options.name })
    const rows = await readLedger({ query: (sql) => queryOnce(url, sql) })
    const committed = new Map(this.#instances.flatMap(({ worker }) => [...worker.committed]))
    const { lost, torn } = reconcile({ committed, rows })
    if (lost.length > 0) this.findings.push(`${lost.length} committed writes are lost, such as ${lost[0]}`)
    if (torn.length > 0) this.findings.push(`${torn.length} writes have too many rows, such as ${torn[0]}`)
    this.commits += committed.size
    await queryOnce(url, 'truncate ledger')
    for (const { worker } of this.#instances) worker.committed.clear()
  }

  async #countSessions(allowed: number): Promise<void> {
    const deadline = performance.now() + SESSIONS_MILLIS
    const count = async () => {
      const [row] = await this.#options.server.query<{ count: number }>(
        'select count(*)::int as count from pg_stat_activity where datname = $1',
        [this.#options.name],
      )
      return row?.count ?? 0
    }
    let sessions = await count()
    while (sessions > allowed && performance.now() < deadline) {
      await pause(100)
      sessions = await count()
    }
    if (sessions > allowed) this.findings.push(`${sessions} sessions on the server instead of at most ${allowed}`)
  }

  /** Ends the processes, and looks for what they have left behind, and for growth. */
  async end(): Promise<void> {
    for (const { worker } of this.#instances) worker.ask({ type: 'stop' })
    for (const { worker, samples } of this.#instances) {
      await worker.until(() => worker.exit !== undefined, 2 * MEASURE_MILLIS)
      if (!worker.stopped?.closed) this.findings.push('a pool did not end')
      this.findings.push(...growthOf(samples))
      const unclear = worker.errors.filter(({ code }) => code === undefined).map(({ text }) => text)
      for (const text of new Set(unclear)) this.findings.push(`an error without a code: ${text}`)
    }
    await this.#countSessions(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#instances.flatMap(({ worker, proxy }) => [worker.end(), proxy.stop()]))
  }
}
