import type { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { ClientBase, Submittable } from 'pg'

/** The message a server ends every round with: `I` idle, `T` in a transaction, `E` in a failed one. */
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
  /** Brings a value into the form in which it is sent. */
  readonly valueMapper?: ((value: unknown, index: number) => unknown) | undefined
}

/** How the rows that follow look. */
export interface RowDescription {
  readonly name: 'rowDescription'
  readonly fields: readonly object[]
}

/** The types of a statement's parameters, by OID. */
export interface ParameterDescription {
  readonly dataTypeIDs: readonly number[]
}

/** That there will be none. */
export interface NoData {
  readonly name: 'noData'
}

/** pg's connection: what carries the protocol's messages. Public, but @types/pg knows little of it. */
export interface WireConnection extends EventEmitter {
  /** Not every platform's has the optional ones. */
  readonly stream: Omit<Duplex, 'cork' | 'uncork'> &
    Partial<Pick<Socket, 'cork' | 'uncork' | 'ref' | 'timeout' | 'setTimeout' | 'bytesRead' | 'bytesWritten'>>
  /** The named statements that the server has, by name. */
  parsedStatements: Record<string, string>
  query(text: string): void
  parse(query: ParseMessage): void
  bind(config: BindMessage): void
  describe(config: { type: 'S' | 'P'; name: string }): void
  execute(config: { portal: string; rows: number | undefined }): void
  close(message: { type: 'S' | 'P'; name: string }): void
  sync(): void
  end(): void
  /** Begins to parse what a socket receives. */
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

/** A pg client with the members that pg-pool, too, goes by, and that @types/pg leaves out. */
export interface WireClient extends Omit<ClientBase, 'connect'> {
  readonly connection: WireConnection
  /** The pid announced for cancelling (BackendKeyData). */
  readonly processID: number
  readonly secretKey: number
  readonly host: string
  readonly port: number
  readonly user: string
  readonly database: string
  readonly ssl: unknown
  /** What pg made of configuration, URL and environment. */
  readonly connectionParameters: { readonly query_timeout?: number | false } & Record<string, unknown>
  /** What it will send when it connects. */
  getStartupConf(): Record<string, unknown>
  /** True while nothing is in flight. */
  readonly readyForQuery: boolean
  /** The query that it is at; `activeQuery` up to pg 8.16, and from then on under warning. */
  readonly _activeQuery?: object | null
  readonly activeQuery?: object | null
  readonly _queryable: boolean
  /** Fails what is running and what is queued. */
  _errorAllQueries(error: Error): void
  _ending: boolean
  connect(done?: (error?: Error | null) => void): unknown
  end(done?: (error?: Error | null) => void): unknown
  ref(): void
  unref(): void
  release?: (destroy?: Error | boolean) => void
}

export type { Submittable }
