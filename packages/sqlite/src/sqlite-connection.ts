import { Worker } from 'node:worker_threads'
import type { Activity, OpenContext } from '@poolguard/core'
import { ConnectionLostError } from './errors.ts'
import type { Answer, ConnectionSpec, Greeting, QueryAnswer, Question, Rows } from './protocol.ts'
import { SqliteError } from './sqlite-error.ts'

/** The thread is of the same format as this file's sources, or ESM beside either of the built formats. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? './worker.ts' : './worker.mjs', import.meta.url)

/** Who waits for an answer. */
interface Asked {
  readonly question: Question
  resolve(answer: RowsAnswer): void
  reject(error: Error): void
}

export interface RowsAnswer {
  readonly rows: Rows | QueryAnswer | undefined
  /** Whether a cursor has more of them. */
  readonly more: boolean
}

/**
 * A connection in a thread of its own, as the pool lends it. What is asked within one turn of the event loop goes over in one
 * message, and is answered in one: a message costs more than a short query.
 */
export class SqliteConnection {
  readonly #name: string
  readonly #spec: ConnectionSpec
  readonly #worker: Worker
  readonly #lost: () => void
  readonly #outbox: Asked[] = []
  /** What was sent, message by message, in the order of the answers. */
  readonly #sent: Asked[][] = []
  readonly #exited = Promise.withResolvers<void>()
  #asked = 0
  #ended: Error | undefined
  /** Somebody may have changed its pragmas, or attached a file. */
  changed = false
  /** The transaction on it has been ended by SQLite. */
  onTransactionEnded: ((cause: Error) => void) | undefined

  private constructor(name: string, spec: ConnectionSpec, lost: () => void) {
    this.#name = name
    this.#spec = spec
    this.#lost = lost
    this.#worker = new Worker(WORKER, { workerData: spec, name: `poolguard ${name}`, ...flags() })
    this.#worker.on('error', (error) => this.#end(error))
    this.#worker.on('exit', () => {
      this.#end(undefined)
      this.#exited.resolve()
    })
  }

  /** Starts the thread, and resolves when its database is open and set up. */
  static async open(
    name: string,
    spec: ConnectionSpec,
    { signal, lost }: OpenContext,
    warn: (message: string) => void,
  ): Promise<SqliteConnection> {
    const connection = new SqliteConnection(name, spec, lost)
    const stop = () => void connection.#worker.terminate()
    signal.addEventListener('abort', stop, { once: true })
    try {
      const greeting = await connection.#greeting()
      if (!greeting.opened) throw new SqliteError(greeting.failure, spec)
      if (greeting.warning) warn(greeting.warning)
      return connection
    } catch (error) {
      stop()
      throw error
    } finally {
      signal.removeEventListener('abort', stop)
    }
  }

  /** For whoever watches leases. */
  get activity(): Activity {
    return this.#outbox.length + this.#sent.length > 0 ? 'busy' : this.#asked
  }

  /** An idle thread keeps no process alive. */
  rest(resting: boolean): void {
    if (resting) this.#worker.unref()
    else this.#worker.ref()
  }

  /** @throws {SqliteError} where SQLite refuses; {@link ConnectionLostError} where the thread ends before it has answered. */
  ask(question: Question): Promise<RowsAnswer> {
    if (this.#ended) return Promise.reject(this.#ended)
    this.#asked++
    if (this.#outbox.length === 0) queueMicrotask(() => this.#send())
    const { promise, resolve, reject } = Promise.withResolvers<RowsAnswer>()
    this.#outbox.push({ question, resolve, reject })
    return promise
  }

  /** Resolves when the thread has ended. What is under way is waited for: SQLite cannot be stopped from outside. */
  async close(): Promise<void> {
    await this.ask(['close']).catch(() => {})
    await this.#exited.promise
  }

  #greeting(): Promise<Greeting> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', (greeting: Greeting) => {
        this.#worker.on('message', (answers: readonly Answer[]) => this.#receive(answers))
        resolve(greeting)
      })
      // What keeps a thread from starting stays so: it is no connection that was lost.
      void this.#exited.promise.then(() => reject(this.#ended?.cause ?? this.#ended))
    })
  }

  #send(): void {
    const asked = this.#outbox.splice(0)
    if (asked.length === 0) return
    this.#sent.push(asked)
    this.#worker.postMessage(asked.map(({ question }) => question))
  }

  #receive(answers: readonly Answer[]): void {
    const asked = this.#sent.shift() ?? []
    for (const [index, { resolve, reject }] of asked.entries()) {
      const answer = answers[index]
      if (!answer) continue
      if (answer[0] === 'done') resolve({ rows: answer[1], more: answer[2] })
      else {
        const error = new SqliteError(answer[1], this.#spec)
        if (!answer[1].inTransaction) this.onTransactionEnded?.(error)
        reject(error)
      }
    }
  }

  #end(cause: Error | undefined): void {
    if (this.#ended) return
    this.#ended = new ConnectionLostError(this.#name, cause)
    for (const { reject } of [...this.#sent.flat(), ...this.#outbox]) reject(this.#ended)
    this.#sent.length = 0
    this.#outbox.length = 0
    this.#lost()
  }
}

/** A thread inherits the flags of its process. One of them, for a program that is no file, Node would not have for a file. */
function flags(): { execArgv?: string[] } {
  return process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}
}
