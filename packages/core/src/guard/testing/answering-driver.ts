import { EXCHANGE_QUERY, TRY_LOCK_QUERY } from '../../fleet/index.ts'
import { SessionHealth, SharedHealth } from '../../postgres-errors/index.ts'
import type { ShowRow } from '../../topology/index.ts'
import { showConfig, showDatabase } from '../../topology/testing/show-rows.ts'
import type { GuardedConnections } from '../guarded-connections.ts'
import type { AwaitingConnection, ConsoleOptions, GuardedDriver, Login, PoolerConsole } from '../guarded-driver.ts'
import type { PoolGuard } from '../pool-guard.ts'

/** A row in JSON. */
export type JsonRow = Record<string, unknown>

/** Answers of the server or pooler. They are correct until a test changes one. */
export interface Answers {
  pid: unknown
  capacity: JsonRow
  rows: JsonRow[]
  parallelWorkers: unknown
  config: ShowRow[]
  databases: ShowRow[]
  clients: (applicationName: string) => ShowRow[]
}

export function honestAnswers(): Answers {
  return {
    pid: 7,
    capacity: {
      maxConnections: 100,
      reserved: 3,
      roleLimit: null,
      databaseLimit: null,
      used: 1,
      usedByRole: 1,
      usedByDatabase: 1,
    },
    rows: [{ name: 'psql', role: 'app', ownRole: true, ownDatabase: true, readable: true, count: 1, groups: null }],
    parallelWorkers: 8,
    config: showConfig({
      max_client_conn: 100,
      max_user_connections: 0,
      max_user_client_connections: 0,
      pool_mode: 'transaction',
    }),
    databases: [showDatabase({ name: 'app' })],
    clients: (application_name) => [{ database: 'app', user: 'app', application_name }],
  }
}

export interface AnsweringConnection {
  readonly name: string
}

/** A driver that answers immediately from memory. `mode` is the pool mode of a PgBouncer in front; without it, a server. */
export class AnsweringDriver implements GuardedDriver<AnsweringConnection> {
  readonly factory: GuardedDriver<AnsweringConnection>['factory']
  /** The maximum number of open connections so far. */
  mostOpen = 0
  readonly #answers: Answers
  readonly #mode: string | undefined

  constructor(
    guard: PoolGuard<AnsweringConnection>,
    connections: GuardedConnections<AnsweringConnection>,
    answers: Answers,
    mode?: string,
  ) {
    this.#answers = answers
    this.#mode = mode
    let open = 0
    this.factory = {
      open: async () => {
        open++
        this.mostOpen = Math.max(this.mostOpen, open)
        const connection = { name: guard.applicationName ?? '' }
        await connections.inspect(connection)
        return connection
      },
      close: async () => void open--,
    }
  }

  peerOf(): undefined {
    return undefined
  }

  loginOf(): Login {
    return { user: 'app', database: 'app' }
  }

  probe(): ReturnType<GuardedDriver<AnsweringConnection>['probe']> {
    const parameters = new Map(
      this.#mode === undefined
        ? []
        : [
            ['pgbouncer.version', '1.26.0'],
            ['pgbouncer.pool_mode', this.#mode],
          ],
    )
    const { pid, capacity } = this.#answers
    return {
      parameters,
      announcedPid: 7,
      identify: async () => ({
        pid: pid as number,
        chosenName: '',
        serverName: null,
        along: JSON.stringify(capacity),
      }),
      backendPid: async () => pid as number,
      begin: async () => pid as number,
      rollback: async () => {},
    }
  }

  localPortOf(): number | undefined {
    return undefined
  }

  parameterOf(): undefined {
    return undefined
  }

  healthOf(): SessionHealth {
    return new SessionHealth(new SharedHealth(), 0)
  }

  isLost(): boolean {
    return false
  }

  async queryValue(_connection: AnsweringConnection, text: string): Promise<string | null | undefined> {
    const { capacity, rows, parallelWorkers } = this.#answers
    if (text === EXCHANGE_QUERY) return JSON.stringify({ capacity, rows, parallelWorkers })
    if (text === TRY_LOCK_QUERY) return 'true'
    return text.startsWith('select (select pg_catalog.row_to_json(capacity)') ? JSON.stringify(capacity) : undefined
  }

  awaiting(): AwaitingConnection {
    return { announcedPid: 0, isUnread: false }
  }

  breakOff(): void {}

  isInTransaction(): boolean {
    return false
  }

  async openConsole({ name }: AnsweringConnection, { applicationName }: ConsoleOptions): Promise<PoolerConsole> {
    const { config, databases, clients } = this.#answers
    const answers = { CONFIG: config, DATABASES: databases, CLIENTS: clients(name), VERSION: [] }
    return {
      user: 'app',
      applicationName,
      closed: new Promise(() => {}),
      show: async (what) => answers[what],
      [Symbol.asyncDispose]: async () => {},
    }
  }
}
