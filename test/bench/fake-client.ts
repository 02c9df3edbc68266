import { EventEmitter } from 'node:events'

/** What is put between pg and its wire, which nothing goes over here. */
class FakeConnection extends EventEmitter {
  parse(): void {}
  bind(): void {}
  describe(): void {}
  execute(): void {}
}

/**
 * A pg client without a server: it answers in the next microtask, so that a benchmark measures the pool alone.
 * What it answers is what the survey of a guarded pool asks for.
 */
export class FakeClient extends EventEmitter {
  readonly connection: EventEmitter = new FakeConnection()
  readonly processID = 1
  readonly readyForQuery = true
  readonly _queryable = true
  _ending = false

  connect(callback?: (error: null, client: this) => void): Promise<this> | undefined {
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
