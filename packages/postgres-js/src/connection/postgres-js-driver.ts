import type { ConnectFailure } from '@poolguard/core'
import {
  type AwaitingConnection,
  type ConsoleOptions,
  classifyConnectFailure,
  type GuardedDriver,
  type Login,
  type PoolerConsole,
  type ProbeSession,
} from '@poolguard/core/adapter'
import { DriverProbeSession, type SessionHealth } from '@poolguard/core/connection'
import type { ConnectionFactory } from './connection-factory.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/** Implements the guard's driver interface for postgres.js. */
export class PostgresJsDriver implements GuardedDriver<PostgresConnection> {
  readonly factory: ConnectionFactory
  readonly classify: (error: unknown) => ConnectFailure

  constructor(factory: ConnectionFactory, passwordMayChange: boolean) {
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

  probe(connection: PostgresConnection): ProbeSession {
    return new DriverProbeSession(connection)
  }

  answerToParameter(name: string, signal: AbortSignal): Promise<string | undefined> {
    return this.factory.answerToParameter(name, signal)
  }

  parameterOf({ parameters }: PostgresConnection, name: string): string | undefined {
    return parameters.get(name)
  }

  healthOf({ health }: PostgresConnection): SessionHealth {
    return health
  }

  isLost({ lost }: PostgresConnection): boolean {
    return lost
  }

  async queryValue(connection: PostgresConnection, text: string): Promise<string | null | undefined> {
    return (await connection.askRow(text))?.[0]
  }

  awaiting(connection: PostgresConnection): AwaitingConnection {
    return connection
  }

  breakOff(connection: PostgresConnection, error: Error): void {
    connection.breakOff(error)
  }

  isInTransaction({ inTransaction }: PostgresConnection): boolean {
    return inTransaction
  }

  openConsole(connection: PostgresConnection, options: ConsoleOptions): Promise<PoolerConsole> {
    return this.factory.openConsole(connection, options)
  }
}
