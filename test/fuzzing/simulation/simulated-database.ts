import type { Clock } from '../../../packages/core/src/clock.ts'
import type { OpenContext, ResourceFactory } from '../../../packages/core/src/pool/resource-factory.ts'
import { FULL, REFUSED, SimulatedNetwork } from './simulated-network.ts'

/** A connection to the simulated database. */
export interface SimulatedConnection {
  readonly id: number
  /** `cut` connections are gone without a message, as after a NAT timeout. */
  state: 'alive' | 'killed' | 'cut' | 'closed'
  /** Whether the pool knows that it is lost. */
  isReportedLost: boolean
  /** Whether the pool has begun to close it. */
  isClosing: boolean
  /** When it was last released or validated, or was opened. */
  usedAt: number
  /** When it was opened, or last answered a validation. */
  provenAt: number
  readonly lost: (error?: unknown) => void
}

interface DatabaseOptions {
  readonly clock: Clock
  readonly random: () => number
  readonly connectTimeoutMillis: number
  /** Called before a connection is opened. */
  readonly onOpen: () => void
}

/** A server, the network to it, and their faults. Connections occupy slots as its pool must count them. */
export class SimulatedDatabase implements ResourceFactory<SimulatedConnection> {
  readonly network: SimulatedNetwork
  readonly connections = new Set<SimulatedConnection>()
  /** Connections that are open, being opened or being closed. */
  readonly slots = new Set<number>()
  /** When a loss was last reported to the pool. */
  lastLossAt = -Infinity
  readonly #options: DatabaseOptions
  #opened = 0

  constructor(options: DatabaseOptions) {
    this.#options = options
    this.network = new SimulatedNetwork(options.clock, options.random)
  }

  async open({ signal, lost }: OpenContext): Promise<SimulatedConnection> {
    this.#options.onOpen()
    const id = this.#opened++
    this.slots.add(id)
    const { promise: aborted, reject } = Promise.withResolvers<never>()
    signal.addEventListener('abort', () => reject(signal.reason))
    try {
      await Promise.race([this.#login(), aborted])
    } catch (error) {
      this.slots.delete(id)
      throw error
    }
    const { clock } = this.#options
    const isNew = { state: 'alive', isReportedLost: false, isClosing: false } as const
    const connection: SimulatedConnection = { id, ...isNew, usedAt: clock.now(), provenAt: clock.now(), lost }
    this.connections.add(connection)
    return connection
  }

  async #login(): Promise<void> {
    const { network } = this
    await network.trip()
    if (network.availability === 'refusing') throw REFUSED
    if (network.availability === 'full') throw FULL
    await network.trip()
  }

  async validate(connection: SimulatedConnection): Promise<boolean> {
    await this.network.trip()
    if (connection.state === 'cut') return new Promise(() => {})
    await this.network.trip()
    connection.usedAt = this.#options.clock.now()
    connection.provenAt = this.#options.clock.now()
    return connection.state === 'alive'
  }

  reset(connection: SimulatedConnection): boolean | Promise<boolean> {
    connection.usedAt = this.#options.clock.now()
    return connection.id % 2 === 0 || this.validate(connection)
  }

  /** A pool stops waiting for an answer after the timeout, and then the slot counts as free. */
  async close(connection: SimulatedConnection): Promise<void> {
    connection.isClosing = true
    const { clock, connectTimeoutMillis } = this.#options
    clock.after(connectTimeoutMillis, () => this.#free(connection))
    await this.network.trip()
    if (connection.state === 'cut') return new Promise(() => {})
    if (connection.state === 'alive') connection.state = 'closed'
    await this.network.trip()
    this.#free(connection)
  }

  /** Ends a connection, of which the pool hears after a while. */
  kill(connection: SimulatedConnection): void {
    if (connection.state !== 'alive') return
    connection.state = 'killed'
    void this.network.trip().then(() => {
      this.#free(connection)
      connection.isReportedLost = true
      if (!connection.isClosing) this.lastLossAt = this.#options.clock.now()
      connection.lost(new Error('terminating connection due to administrator command'))
    })
  }

  #free(connection: SimulatedConnection): void {
    this.slots.delete(connection.id)
    this.connections.delete(connection)
  }
}
