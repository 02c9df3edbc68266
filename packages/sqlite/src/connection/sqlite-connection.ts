import { Worker } from 'node:worker_threads'
import { type LeaseActivity, type OpenContext, type RunningQuery, showStatement } from '@poolguard/core/adapter'
import { ConnectionLostError, SqliteError, withCallersStack } from '../errors.ts'
import type { ConnectionSpec, Done, Greeting, Question, ThreadData } from '../protocol.ts'
import { type Packed, packQuestions, unpackAnswers } from '../wire.ts'
import { endAtExit } from './end-at-exit.ts'

/** The worker is TypeScript if this file is; in the built packages it is always ESM. */
const WORKER = new URL(import.meta.url.endsWith('.ts') ? '../thread/worker.ts' : './worker.mjs', import.meta.url)

/** A question, and the functions that settle its promise. */
export interface Asked {
  readonly question: Question
  resolve(done: Done): void
  reject(error: unknown): void
}

/** The questions of one message, which the thread also answers in one message. */
interface Sent {
  readonly asked: readonly Asked[]
  /** Called before the first answer is delivered. */
  readonly answered: (() => void) | undefined
}

/**
 * A pooled connection, which runs in its own thread. All questions of one turn of the event loop go over in one message, and the
 * thread answers in one message: a message costs more than a short query.
 */
export class SqliteConnection {
  readonly #name: string
  readonly #spec: ConnectionSpec
  readonly #worker: Worker
  readonly #onLost: () => void
  readonly #outbox: Asked[] = []
  /** In the order in which the thread answers. */
  readonly #sent: Sent[] = []
  readonly #exited = Promise.withResolvers<void>()
  readonly #progress = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  #asked = 0
  #received = 0
  #ended: ConnectionLostError | undefined
  /** A caller may have changed its pragmas or attached a file. */
  changed = false
  /** Called when SQLite itself has ended the transaction. */
  onTransactionEnded: ((cause: Error) => void) | undefined

  private constructor(name: string, spec: ConnectionSpec, onLost: () => void) {
    this.#name = name
    this.#spec = spec
    this.#onLost = onLost
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
      // Check only now: terminating a thread while it loads better-sqlite3 crashes the process.
      signal.throwIfAborted()
      if (!greeting.opened) throw new SqliteError(greeting.failure, spec)
      if (greeting.warning) warn(greeting.warning)
      return connection
    } catch (error) {
      void connection.#worker.terminate()
      throw error
    }
  }

  /** Changes with every question and every answer; leak detection compares it. */
  get activity(): LeaseActivity {
    return this.#asked + Atomics.load(this.#progress, 0)
  }

  /** The statement that the thread is running. */
  get runningQuery(): RunningQuery | undefined {
    const asked = this.#sent[0]?.asked ?? this.#outbox
    const current = asked[this.progress] ?? asked.at(-1)
    return current && { key: current, describe: () => describeQuestion(current.question) }
  }

  /** Whether the thread has unfinished questions, regardless of whether its answers have been received yet. */
  get isWorking(): boolean {
    return Atomics.load(this.#progress, 0) !== (this.#asked | 0)
  }

  /** How many questions of the current message the thread has finished. */
  get progress(): number {
    return (Atomics.load(this.#progress, 0) - this.#received) | 0
  }

  /** An idle thread must not keep the process alive. */
  setIdle(idle: boolean): void {
    if (idle) this.#worker.unref()
    else this.#worker.ref()
  }

  /** @throws {SqliteError} if SQLite fails; {@link ConnectionLostError} if the thread ends before it has answered. */
  async ask(question: Question): Promise<Done> {
    const { promise, resolve, reject } = Promise.withResolvers<Done>()
    if (this.#outbox.length === 0) queueMicrotask(() => this.#flush())
    this.#outbox.push({ question, resolve, reject })
    try {
      return await promise
    } catch (error) {
      throw withCallersStack(error)
    }
  }

  /** Sends several questions in one message. Each can fail as in {@link ask}. */
  askAll(asked: readonly Asked[], answered?: () => void): void {
    this.#flush()
    this.#send({ asked, answered })
  }

  /** Resolves when the thread has ended. Waits for the running statement, because SQLite cannot be stopped from outside. */
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
      // If the thread fails to start, report the cause: this is not a lost connection.
      void this.#exited.promise.then(() => reject(this.#ended?.cause ?? this.#ended))
    })
  }

  #flush(): void {
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
    this.#received += asked.length
    answered?.()
    for (const [index, answer] of unpackAnswers(packed).entries()) {
      const pending = asked[index]
      if (!pending) continue
      if (!('failure' in answer)) {
        pending.resolve(answer)
        continue
      }
      const error = new SqliteError(answer.failure, this.#spec)
      if (!answer.failure.inTransaction) this.onTransactionEnded?.(error)
      pending.reject(error)
    }
  }

  #end(cause: Error | undefined): void {
    if (this.#ended) return
    this.#ended = new ConnectionLostError(this.#name, cause)
    // Notify the pool first, so that it does not lend this connection again when its callers release it.
    this.#onLost()
    for (const sent of this.#sent.splice(0)) this.#fail(sent)
    this.#flush()
  }

  /** Each caller gets its own error, so that the stack leads to that caller. */
  #fail({ asked, answered }: Sent): void {
    answered?.()
    for (const { reject } of asked) reject(new ConnectionLostError(this.#name, this.#ended?.cause))
  }
}

function describeQuestion([kind, , sql]: Question): string {
  return typeof sql === 'string' ? showStatement(sql) : kind
}

/** A thread inherits the flags of its process. Node rejects --input-type for a program in a file, so drop the flags then. */
function flags(): { execArgv?: string[] } {
  return process.execArgv.some((flag) => flag.startsWith('--input-type')) ? { execArgv: [] } : {}
}
