import type { ConnectFailure } from '@poolguard/core'
import type { LeaseActivity, OpenContext, ResourceFactory, RunningQuery } from '@poolguard/core/adapter'
import type { ConnectionSpec } from '../protocol.ts'
import { SqliteConnection } from './sqlite-connection.ts'

export interface ConnectionFactoryOptions {
  /** The pool's name. */
  readonly name: string
  readonly spec: ConnectionSpec
  readonly warn: (message: string) => void
}

/** Opens, resets and closes connections to SQLite for the engine. */
export class ConnectionFactory implements ResourceFactory<SqliteConnection> {
  readonly #options: ConnectionFactoryOptions

  constructor(options: ConnectionFactoryOptions) {
    this.#options = options
  }

  open(context: OpenContext): Promise<SqliteConnection> {
    const { name, spec, warn } = this.#options
    return SqliteConnection.open(name, spec, context, warn)
  }

  close(connection: SqliteConnection): Promise<void> {
    return connection.close()
  }

  activity(connection: SqliteConnection): LeaseActivity {
    return connection.activity
  }

  runningQuery(connection: SqliteConnection): RunningQuery | undefined {
    return connection.runningQuery
  }

  setIdle(connection: SqliteConnection, idle: boolean): void {
    connection.setIdle(idle)
  }

  reset(connection: SqliteConnection): boolean | Promise<boolean> {
    connection.onTransactionEnded = undefined
    if (!connection.changed) return true
    connection.changed = false
    return connection.ask(['set up']).then(() => true)
  }
}

/** Temporary failures: another process has locked the file, or memory is short. All other failures are permanent. */
const TEMPORARY = /^SQLITE_(?:BUSY|LOCKED|IOERR|NOMEM|PROTOCOL|INTERRUPT)/

export function classifyOpenFailure(error: unknown): ConnectFailure {
  const { code } = error as { code?: unknown }
  if (typeof code !== 'string') return 'permanent'
  return TEMPORARY.test(code) || code === 'ETIMEDOUT' || code === 'POOLGUARD_CONNECTION_LOST'
    ? 'unavailable'
    : 'permanent'
}
