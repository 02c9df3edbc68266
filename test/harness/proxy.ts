import { createServer, type Server, type Socket } from 'node:net'
import { loopback, onFreePort, PortTakenError } from './free-port.ts'
import { type Faults, ProxiedConnection } from './proxied-connection.ts'

export interface ProxyOptions {
  readonly target: { readonly host: string; readonly port: number }
}

/** A TCP proxy on loopback, transparent until a fault is set. Each fault holds for existing and for new connections. */
export class FaultProxy implements AsyncDisposable {
  readonly host = loopback
  readonly port: number
  #target: ProxyOptions['target']
  readonly #connections = new Set<ProxiedConnection>()
  readonly #forgotten: ProxiedConnection[] = []
  readonly #faults: Faults = { latencyMillis: 0, blackhole: false, cutAfterBytes: undefined }
  #listener: Server | undefined
  #accepted = 0

  private constructor(target: ProxyOptions['target'], port: number) {
    this.#target = target
    this.port = port
  }

  /** @internal Use `startProxy`. */
  static async start({ target }: ProxyOptions): Promise<FaultProxy> {
    return onFreePort(async (port) => {
      const proxy = new FaultProxy(target, port)
      await proxy.#listen()
      return proxy
    })
  }

  /** Connections open at the moment. */
  get connections(): number {
    return this.#connections.size
  }

  /** Connections that clients have made until now. */
  get accepted(): number {
    return this.#accepted
  }

  /** The same connection string, by way of the proxy. */
  urlFor(url: string): string {
    const through = new URL(url)
    through.hostname = this.host
    through.port = String(this.port)
    return through.href
  }

  /** Every piece of data arrives this much later, in each direction: a round trip takes twice as much longer. */
  setLatency(millis: number): void {
    this.#faults.latencyMillis = millis
  }

  /** Nothing arrives any more, not even that the other side has closed, and neither side gets an error: as when a firewall drops its state. */
  blackhole(): void {
    this.#faults.blackhole = true
  }

  /** Ends all existing connections with RST, on both sides. New ones work. */
  reset(): void {
    for (const connection of this.#connections) connection.reset()
  }

  /** What is sent on the existing connections vanishes for good, new ones work: as when a firewall forgets them after a time without traffic. */
  forget(): void {
    for (const connection of this.#connections) connection.forget()
    this.#forgotten.push(...this.#connections)
    this.#connections.clear()
  }

  /** New connections lead to another server, as when a name, a virtual address or a service follows the primary. */
  leadTo(target: ProxyOptions['target']): void {
    this.#target = target
  }

  /** Each connection is closed when this many more bytes have come from the server, be it within a message. */
  cutAfter(bytes: number): void {
    this.#faults.cutAfterBytes = bytes
    for (const connection of this.#connections) connection.countFromHere()
  }

  /** Stops listening: new connections get ECONNREFUSED, existing ones go on. */
  refuse(): void {
    this.#listener?.close()
    this.#listener = undefined
  }

  /** Ends all faults. What was swallowed stays lost; connections that have lost data, or that one side has left meanwhile, are closed. */
  async heal(): Promise<void> {
    Object.assign(this.#faults, { latencyMillis: 0, blackhole: false, cutAfterBytes: undefined } satisfies Faults)
    for (const connection of this.#connections) connection.catchUp()
    if (!this.#listener) await this.#listen()
  }

  async stop(): Promise<void> {
    this.refuse()
    for (const connection of [...this.#connections, ...this.#forgotten]) connection.destroy()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop()
  }

  #listen(): Promise<void> {
    // Half-open, because each direction ends by itself: PostgreSQL may still answer a client that has said goodbye.
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (client) => this.#accept(client))
    this.#listener = listener
    return new Promise((resolve, reject) => {
      listener.once('error', (cause) => reject(new PortTakenError(`port ${this.port} was taken`, { cause })))
      listener.listen(this.port, loopback, resolve)
    })
  }

  #accept(client: Socket): void {
    this.#accepted++
    const connection = new ProxiedConnection(client, this.#target, this.#faults)
    this.#connections.add(connection)
    connection.onClosed(() => this.#connections.delete(connection))
  }
}

export function startProxy(options: ProxyOptions): Promise<FaultProxy> {
  return FaultProxy.start(options)
}
