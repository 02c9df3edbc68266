import type { CloseReason, ConnectFailure } from '@poolguard/core'
import {
  type ConsoleOptions,
  classifyConnectFailure,
  type GuardedDriver,
  type Login,
  type PoolerConsole,
} from '@poolguard/core/adapter'
import { ConnectionDriver } from '@poolguard/core/connection'
import { type GuardedPoolConfig, readConfig } from '../guarded-pool-config.ts'
import type { ClientFactory } from './client-factory.ts'
import type { ConnectionFactory } from './connection-factory.ts'
import type { PgConnection } from './pg-connection.ts'
import { PgBouncerConsole } from './pgbouncer-console.ts'

/** Implements the guard's driver interface for pg. */
export class PgDriver extends ConnectionDriver<PgConnection> implements GuardedDriver<PgConnection> {
  readonly factory: ConnectionFactory
  readonly classify: (error: unknown) => ConnectFailure
  readonly #clients: ClientFactory
  readonly #config: GuardedPoolConfig

  constructor(factory: ConnectionFactory, clients: ClientFactory, config: GuardedPoolConfig) {
    super()
    this.factory = factory
    this.#clients = clients
    this.#config = config
    this.classify = (error) => classifyConnectFailure(error, { passwordMayChange: clients.passwordMayChange })
  }

  /** Undefined if the app opens the socket itself (a cloud provider's connector): host and port then say nothing about the server. */
  peerOf({ client: { host, port, database, user }, server }: PgConnection): string | undefined {
    return this.#config.stream ? undefined : `${server?.address ?? host}:${port}/${database}?user=${user}`
  }

  loginOf({ client: { user, database } }: PgConnection): Login {
    return { user, database }
  }

  localPortOf({ client }: PgConnection): number | undefined {
    return client.connection.stream.localPort
  }

  answerToParameter(name: string, signal: AbortSignal): Promise<string | undefined> {
    return this.factory.answerToParameter(name, signal)
  }

  isLost({ usable }: PgConnection): boolean {
    return !usable
  }

  onClosing(connection: PgConnection, reason: CloseReason): void {
    this.factory.onClosing(connection, reason)
  }

  breakOff({ client }: PgConnection, error: Error): void {
    client.connection.stream.destroy(error)
  }

  async openConsole({ client, server }: PgConnection, options: ConsoleOptions): Promise<PoolerConsole> {
    const { url } = options
    const { host, port } = client
    const config =
      url === undefined ? await this.#clients.loginConfig(server ?? { host, port }) : readConfig({ url }).client
    const console = await PgBouncerConsole.open(config, options)
    console.unref()
    return console
  }
}
