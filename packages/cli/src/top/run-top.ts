import { setTimeout as pause } from 'node:timers/promises'
import { INTERRUPTING_SIGNALS } from '../output/interruptible.ts'
import { printableLine } from '../output/printable.ts'
import { readKey } from './read-key.ts'
import { reduce } from './reduce.ts'
import { toText } from './render/line.ts'
import { render } from './render/render.ts'
import { Screen } from './screen.ts'
import { type Effect, initialState, type TopEvent, type TopState } from './state.ts'
import { Watched, type WatchedOptions } from './watched.ts'

export interface RunOptions {
  /** Shown in the first line. */
  readonly address: string
  readonly intervalSeconds: number
}

/** A process that a shell can continue is stopped at once. */
const STOP_TIMEOUT_MILLIS = 300

const SIGNALS = [...INTERRUPTING_SIGNALS, 'SIGHUP'] as const

/** Shows what is watched until the user quits, or until a signal ends it. Leaves the terminal as it was. */
export async function runTop(watched: WatchedOptions, options: RunOptions): Promise<void> {
  const running = new RunningTop(new Watched(watched), options)
  try {
    await running.run()
  } finally {
    running.stop()
  }
}

class RunningTop {
  readonly #watched: Watched
  readonly #intervalMillis: number
  readonly #screen: Screen
  readonly #quit = new AbortController()
  #state: TopState
  /** Ends the pause before the next sample. */
  #wake = new AbortController()

  constructor(watched: Watched, { address, intervalSeconds }: RunOptions) {
    this.#watched = watched
    this.#intervalMillis = intervalSeconds * 1_000
    this.#screen = new Screen(process.stdin, process.stdout, {
      onKey: (text, key) => this.#dispatch(readKey(text, key)),
      onResize: (size) => this.#dispatch({ type: 'resize', size }),
      onHangup: this.#stop,
    })
    this.#state = initialState(printableLine(address), this.#screen.size)
  }

  async run(): Promise<void> {
    for (const signal of SIGNALS) process.on(signal, this.#stop)
    this.#screen.enter()
    this.#draw()
    const { promise: over, resolve } = Promise.withResolvers<void>()
    this.#quit.signal.addEventListener('abort', () => resolve(), { once: true })
    // A sample of a server that does not answer takes seconds.
    await Promise.race([this.#takeSamples(), over])
  }

  async #takeSamples(): Promise<void> {
    while (!this.#quit.signal.aborted) {
      const sample = await this.#watched.sample(this.#quit.signal)
      this.#dispatch({ type: 'sample', sample })
      this.#wake = new AbortController()
      const signal = AbortSignal.any([this.#quit.signal, this.#wake.signal])
      await pause(this.#intervalMillis, undefined, { signal }).catch(() => {})
    }
  }

  stop(): void {
    for (const signal of SIGNALS) process.off(signal, this.#stop)
    this.#screen.leave()
  }

  readonly #stop = (): void => {
    this.#quit.abort()
    this.#screen.leave()
  }

  #dispatch(event: TopEvent | undefined): void {
    if (!event) return
    const { state, effects } = reduce(this.#state, event)
    this.#state = state
    for (const effect of effects) this.#perform(effect)
    this.#draw()
  }

  #draw(): void {
    const { columns } = this.#state.size
    this.#screen.draw(render(this.#state).map((line) => toText(line, columns)))
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'quit':
        this.#stop()
        break
      case 'suspend':
        this.#suspend()
        break
      case 'repaint':
        this.#screen.erase()
        break
      case 'read details':
        void this.#readDetails(effect)
        break
      case 'signal':
        void this.#signal(effect)
        break
    }
  }

  async #readDetails({ session }: Extract<Effect, { type: 'read details' }>): Promise<void> {
    const details = await this.#watched.details(session)
    this.#dispatch({ type: 'details', session, details })
  }

  async #signal({ signal, session }: Extract<Effect, { type: 'signal' }>): Promise<void> {
    const result = await this.#watched.signal(signal, session)
    this.#dispatch({ type: 'signalled', signal, session, result })
    this.#wake.abort()
  }

  /** Gives the terminal back to the shell until it continues this process, as other programs do at Ctrl-Z. */
  #suspend(): void {
    if (process.platform === 'win32') return
    this.#screen.leave()
    process.once('SIGCONT', this.#resume)
    // The whole job, as the terminal does: npx waits for this process.
    process.kill(0, 'SIGTSTP')
    // Without a shell's job control, as under `ssh -t` and `docker exec -it`, nothing stops and no SIGCONT comes.
    setTimeout(this.#resume, STOP_TIMEOUT_MILLIS).unref()
  }

  readonly #resume = (): void => {
    process.off('SIGCONT', this.#resume)
    if (this.#quit.signal.aborted) return
    this.#screen.enter()
    this.#dispatch({ type: 'resize', size: this.#screen.size })
  }
}
