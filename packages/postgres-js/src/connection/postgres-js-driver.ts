import type { ConnectFailure } from '@poolguard/core'
import {
  type ConsoleOptions,
  classifyConnectFailure,
  type GuardedDriver,
  type Login,
  type PoolerConsole,
} from '@poolguard/core/adapter'
import { ConnectionDriver } from '@poolguard/core/connection'
import type { ConnectionFactory } from './connection-factory.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/** Implements the guard's driver interface for postgres.js. */
export class PostgresJsDriver
  extends ConnectionDriver<PostgresConnection>
  implements GuardedDriver<PostgresConnection>
{
  readonly factory: ConnectionFactory
  readonly classify: (error: unknown) => ConnectFailure

  constructor(factory: ConnectionFactory, passwordMayChange: boolean) {
    super()
    this.factory = factory
    this.classify = (error) => classifyConnectFailure(error, { passwordMayChange })
  }

  peerOf({ peer }: PostgresConnection): string {
    return peer
  }

  loginOf(): Login {
    return this.factory.login
  }

  localPortOf({ localPort }: PostgresConnection): number | undefined {
    return localPort
  }

  answerToParameter(name: string, signal: AbortSignal): Promise<string | undefined> {
    return this.factory.answerToParameter(name, signal)
  }

  isLost({ lost }: PostgresConnection): boolean {
    return lost
  }

  breakOff(connection: PostgresConnection, error: Error): void {
    connection.breakOff(error)
  }

  openConsole(connection: PostgresConnection, options: ConsoleOptions): Promise<PoolerConsole> {
    return this.factory.openConsole(connection, options)
  }
}
