import { Worker } from 'node:worker_threads'
import { type Activity, type OpenContext, type RunningQuery, showStatement } from '@poolguard/core/adapter'
import { ConnectionLostError, SqliteError, withCallersStack } from '../errors.ts'
import type { ConnectionSpec, Done, Greeting, Question, ThreadData } from '../protocol.ts'
import { type Packed, packQuestions, unpackAnswers } from '../wire.ts'
import { endAtExit } from './end-at-exit.ts'

/** The thread is of the same format as this file's sources, or ESM beside either of the built formats. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? '../thread/worker.ts' : './worker.mjs', import.meta.url)

/** A question, and who waits for its answer. */
export interface Asked {
  readonly question: Question
  resolve(done: Done): void
  reject(error: unknown): void
}

/** What goes over in one message, and is answered in one. */
interface Sent {
  readonly asked: readonly Asked[]
  /** Called before any of them is answered. */
  readonly answered: (() => void) | undefined
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
  /** In the order of the answers. */
  readonly #sent: Sent[] = []
  readonly #exited = Promise.withResolvers<void>()
  readonly #progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #asked = 0
  #heard = 0
  #ended: ConnectionLostError | undefined
  /** Somebody may have changed its pragmas, or attached a file. */
  changed = false
  /** The transaction on it has been ended by SQLite. */
  onTransactionEnded: ((cause: Error) => void) | undefined

  private constructor(name: string, spec: ConnectionSpec, lost: () => void) {
    this.#name = name
    this.#spec = spec
    this.#lost = lost
    const workerData: ThreadData = { ...spec, progress: this.#progress }
    this.#worker = new Worker(WORKER, { workerData, name: `poolguard ${name}`, ...flags() })
    this.#worker.on('error', (error) => this.#end(error))
    const forget = endAtExit(this)
    this.#worker.on('exit', () => {
      forget()
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
    try {
      const greeting = await connection.#greeting()
      // Not before it: a thread that is ended while it loads better-sqlite3 takes the process with it.
      signal.throwIfAborted()
      if (!greeting.opened) throw new SqliteError(greeting.failure, spec)
      if (greeting.warning) warn(greeting.warning)
      return connection
    } catch (error) {
      void connection.#worker.terminate()
      throw error
    }
  }

  /** For whoever watches leases: changes with every question and every answer. */
  get activity(): Activity {
    return this.#asked + Atomics.load(this.#progress, 0)
  }

  /** The statement that the thread is at. */
  get runningQuery(): RunningQuery | undefined {
    const asked = this.#sent[0]?.asked ?? this.#outbox
    const current = asked[this.progress] ?? asked.at(-1)
    return current && { key: current, describe: () => describeQuestion(current.question) }
  }

  /** Whether the thread has not done with all that it was asked; its answers may not have been heard yet. */
  get isWorking(): boolean {
    return Atomics.load(this.#progress, 0) !== (this.#asked | 0)
  }

  /** How many of the message that it is at it has done with. */
  get progress(): number {
    return (Atomics.load(this.#progress, 0) - this.#heard) | 0
  }

  /** An idle thread keeps no process alive. */
  setIdle(idle: boolean): void {
    if (idle) this.#worker.unref()
    else this.#worker.ref()
  }

  /** @throws {SqliteError} where SQLite refuses; {@link ConnectionLostError} where the thread ends before it has answered. */
  async ask(question: Question): Promise<Done> {
    const { promise, resolve, reject } = Promise.withResolvers<Done>()
    if (this.#outbox.length === 0) queueMicrotask(() => this.#empty())
    this.#outbox.push({ question, resolve, reject })
    try {
      return await promise
    } catch (error) {
      throw withCallersStack(error)
    }
  }

  /** Asks several at once. What each of them fails with is told at {@link ask}. */
  askAll(asked: readonly Asked[], answered?: () => void): void {
    this.#empty()
    this.#send({ asked, answered })
  }

  /** Resolves when the thread has ended. What is under way is waited for: SQLite cannot be stopped from outside. */
  async close(): Promise<void> {
    await this.ask(['close']).catch(() => {})
    await this.#exited.promise
  }

  #greeting(): Promise<Greeting> {
    return new Promise((resolve, reject) => {
      this.#worker.once('message', (greeting: Greeting) => {
        this.#worker.on('message', (answers: Packed) => this.#receive(answers))
        resolve(greeting)
      })
      // What keeps a thread from starting stays so: it is no connection that was lost.
      void this.#exited.promise.then(() => reject(this.#ended?.cause ?? this.#ended))
    })
  }

  #empty(): void {
    if (this.#outbox.length > 0) this.#send({ asked: this.#outbox.splice(0), answered: undefined })
  }

  #send(sent: Sent): void {
    if (this.#ended) {
      this.#fail(sent)
      return
    }
    this.#asked += sent.asked.length
    this.#sent.push(sent)
    this.#worker.postMessage(packQuestions(sent.asked.map(({ question }) => question)))
  }

  #receive(packed: Packed): void {
    const { asked = [], answered } = this.#sent.shift() ?? {}
    this.#heard += asked.length
    answered?.()
    for (const [index, answer] of unpackAnswers(packed).entries()) {
      const waiting = asked[index]
      if (!waiting) continue
      if (!('failure' in answer)) {
        waiting.resolve(answer)
        continue
      }
      const error = new SqliteError(answer.failure, this.#spec)
      if (!answer.failure.inTransaction) this.onTransactionEnded?.(error)
      waiting.reject(error)
    }
  }

  #end(cause: Error | undefined): void {
    if (this.#ended) return
    this.#ended = new ConnectionLostError(this.#name, cause)
    // First of all, so that it is not lent again when those give it back who have lost it.
    this.#lost()
    for (const sent of this.#sent.splice(0)) this.#fail(sent)
    this.#empty()
  }

  /** Each gets an error of his own, whose stack leads to him. */
  #fail({ asked, answered }: Sent): void {
    answered?.()
    for (const { reject } of asked) reject(new ConnectionLostError(this.#name, this.#ended?.cause))
  }
}

function describeQuestion([kind, , sql]: Question): string {
  return typeof sql === 'string' ? showStatement(sql) : kind
}

/** A thread inherits the flags of its process. One of them, for a program that is no file, Node would not have for a file. */
function flags(): { execArgv?: string[] } {
  return process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}
}
