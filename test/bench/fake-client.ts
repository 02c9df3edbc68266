import type { EventEmitter } from 'node:events'
import { Duplex } from 'node:stream'
import pg, { type ClientConfig } from 'pg'

/** What pg does when it connects, of which its types say nothing. */
interface Wired extends EventEmitter {
  readonly connection: EventEmitter & { attachListeners(stream: Duplex): void }
  _attachListeners(connection: EventEmitter): void
}
const Client = pg.Client as unknown as new (config?: ClientConfig) => Wired

type Connected = (error: null, client: FakeClient) => void

/**
 * A pg client without a server: it answers in the next microtask, so that a benchmark measures the pool alone.
 * What it answers is what the survey of a guarded pool asks for.
 */
export class FakeClient extends Client {
  readonly readyForQuery = true
  readonly _queryable = true
  _ending = false

  constructor(config?: ClientConfig) {
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
    super({ ...config, stream: () => stream as never })
    Object.assign(this, { processID: 1 })
    this.connection.attachListeners(stream)
    this._attachListeners(this.connection)
    stream.on('close', () => {})
  }

  connect(callback?: Connected): Promise<this> | undefined {
    if (!callback) return Promise.resolve(this)
    process.nextTick(callback, null, this)
    return undefined
  }

  query(): Promise<{ rows: object[] }> {
    const capacity = { maxConnections: 100, reserved: 3, roleLimit: null, databaseLimit: null }
    return Promise.resolve({ rows: [{ ...capacity, used: 1, usedByRole: 1, usedByDatabase: 1 }] })
  }

  end(callback?: () => void): Promise<void> {
    this._ending = true
    if (callback) process.nextTick(callback)
    return Promise.resolve()
  }

  ref(): void {}
  unref(): void {}
  isConnected(): boolean {
    return true
  }
}
