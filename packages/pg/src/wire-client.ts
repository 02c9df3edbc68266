import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ClientBase, Submittable } from 'pg'

/** The last message of every round: `I` idle, `T` in a transaction, `E` in a failed transaction. */
interface ReadyForQuery {
  readonly status: 'I' | 'T' | 'E'
}

interface CommandComplete {
  /** The command tag. */
  readonly text: string
}

export interface ParameterStatus {
  readonly parameterName: string
  readonly parameterValue: string
}

export interface ParseMessage {
  readonly text: string
  readonly name?: string | undefined
  readonly types?: readonly string[] | undefined
}

export interface BindMessage {
  readonly portal: string
  readonly statement?: string | undefined
  readonly values?: readonly unknown[] | undefined
  readonly binary: boolean
  /** Converts a value to its wire format. */
  readonly valueMapper?: ((value: unknown, index: number) => unknown) | undefined
}

/** The columns of the rows that follow. */
export interface RowDescription {
  readonly name: 'rowDescription'
  readonly fields: readonly object[]
}

/** The types of a statement's parameters, by OID. */
export interface ParameterDescription {
  readonly dataTypeIDs: readonly number[]
}

/** Sent instead of a row description if the statement returns no rows. */
export interface NoData {
  readonly name: 'noData'
}

/** pg's `Connection`, which sends and receives the protocol's messages. It is public, but @types/pg declares little of it. */
export interface WireConnection extends EventEmitter {
  /** The optional members do not exist on every platform. */
  readonly stream: Omit<Duplex, 'cork' | 'uncork'> &
    Partial<
      Pick<Socket, 'cork' | 'uncork' | 'ref' | 'timeout' | 'setTimeout' | 'bytesRead' | 'bytesWritten' | 'localPort'>
    >
  /** The texts of the statements prepared on the server, by name. */
  parsedStatements: Record<string, string>
  query(text: string): void
  parse(query: ParseMessage): void
  bind(config: BindMessage): void
  describe(config: { type: 'S' | 'P'; name: string }): void
  execute(config: { portal: string; rows: number | undefined }): void
  close(message: { type: 'S' | 'P'; name: string }): void
  sync(): void
  end(): void
  /** Starts parsing the data of a socket. */
  attachListeners(stream: Duplex): void
  connect(portOrPath: number | string, host?: string): void
  requestSsl(): void
  cancel(processID: number, secretKey: number): void
  on(event: 'readyForQuery', listener: (message: ReadyForQuery) => void): this
  on(event: 'commandComplete', listener: (message: CommandComplete) => void): this
  on(event: 'errorMessage', listener: (error: unknown) => void): this
  on(event: 'parameterStatus', listener: (message: ParameterStatus) => void): this
  on(event: string, listener: (...args: never[]) => void): this
}

/** A pg client with members that pg-pool also uses and @types/pg does not declare. */
export interface WireClient extends Omit<ClientBase, 'connect'> {
  readonly connection: WireConnection
  /** The pid for cancel requests (BackendKeyData). */
  readonly processID: number
  readonly secretKey: number
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  /** From the configuration, the environment or `pg.defaults`. */
  readonly password: string | null
  readonly ssl: unknown
  /** pg 8.22 and later: `direct` starts TLS without asking the server first. */
  readonly sslNegotiation?: string
  /** pg's merge of configuration, URL and environment. */
  readonly connectionParameters: { readonly query_timeout?: number | false } & Record<string, unknown>
  /** The startup parameters. */
  getStartupConf(): Record<string, unknown>
  /** pg 8.23 and later: whether a query is sent before the one ahead of it has been answered. pg reads it for every query. */
  pipeline?: boolean
  /** True while no query is in flight. */
  readonly readyForQuery: boolean
  /** The running query. Named `activeQuery` up to pg 8.16; reading the old name is deprecated since. */
  readonly _activeQuery?: object | null
  readonly activeQuery?: object | null
  readonly _queryable: boolean
  /** True until the login has ended. */
  readonly _connecting: boolean
  /** Rejects the running and the queued queries. */
  _errorAllQueries(error: Error): void
  _ending: boolean
  connect(done?: (error?: Error | null) => void): unknown
  end(done?: (error?: Error | null) => void): unknown
  ref(): void
  unref(): void
  release?: (destroy?: Error | boolean) => void
}

export type { Submittable }
