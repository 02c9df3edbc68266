import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { InstanceOptions, Order, Report } from './instance-messages.ts'

const PROGRAM = fileURLToPath(new URL('./instance.ts', import.meta.url))

/** A process of a fleet, controlled by its parent. */
export class StartedInstance implements AsyncDisposable {
  readonly #process: ChildProcess
  readonly #exited: Promise<unknown>
  #orders = 0

  /** Resolves when the process has started; its pool is still unused. */
  static async start(options: InstanceOptions): Promise<StartedInstance> {
    const child = fork(PROGRAM, [JSON.stringify(options)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    const instance = new StartedInstance(child)
    await instance.#answer(0)
    return instance
  }

  private constructor(child: ChildProcess) {
    this.#process = child
    this.#exited = once(child, 'exit')
  }

  /** Sets the number of callers. */
  load(callers: number, text?: string): Promise<Report> {
    return this.#order({ callers, ...(text !== undefined && { text }) })
  }

  report(): Promise<Report> {
    return this.#order({})
  }

  /** Blocks its event loop. */
  block(millis: number): Promise<Report> {
    return this.#order({ blockMillis: millis })
  }

  /** SIGKILL ends it, SIGSTOP freezes it. */
  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) this.#process.kill('SIGKILL')
    await this.#exited
  }

  #order(order: Omit<Order, 'number'>): Promise<Report> {
    const number = ++this.#orders
    const answer = this.#answer(number)
    this.#process.send({ number, ...order })
    return answer
  }

  #answer(number: number): Promise<Report> {
    return new Promise((resolve, reject) => {
      const onExit = (code: unknown, signal: unknown) => reject(new Error(`the instance ended (${signal ?? code})`))
      const onMessage = (message: Report & { number: number }) => {
        if (message.number !== number) return
        this.#process.off('message', onMessage)
        this.#process.off('exit', onExit)
        resolve(message)
      }
      this.#process.on('message', onMessage)
      this.#process.once('exit', onExit)
    })
  }
}
