import type { AutomaticStatements } from '@poolguard/core/adapter'
import { ConnectionStatements } from '@poolguard/core/connection'
import type { WireConnection } from '../wire-client.ts'
import { Rounds } from './rounds.ts'
import type { Rows } from './sent-query.ts'
import { SessionChanges } from './session-changes.ts'

/** One connection on which statements are prepared: what the sender of its queries and the reader of the answers share. */
export class PreparingSession {
  readonly wire: WireConnection
  /** The original methods of pg's connection. */
  readonly pg: Pick<WireConnection, 'query' | 'parse' | 'bind' | 'describe' | 'execute' | 'sync' | 'emit'>
  readonly statements: AutomaticStatements
  readonly prepared: ConnectionStatements<Rows>
  readonly changes: SessionChanges
  readonly rounds: Rounds = new Rounds()

  constructor(wire: WireConnection, statements: AutomaticStatements) {
    this.wire = wire
    this.pg = {
      query: wire.query.bind(wire),
      parse: wire.parse.bind(wire),
      bind: wire.bind.bind(wire),
      describe: wire.describe.bind(wire),
      execute: wire.execute.bind(wire),
      sync: wire.sync.bind(wire),
      emit: wire.emit.bind(wire),
    }
    this.statements = statements
    this.prepared = new ConnectionStatements<Rows>(statements)
    this.changes = new SessionChanges({
      onSettingsChanged: () => this.prepared.invalidateAll(),
      onSchemaChanged: () => statements.invalidateAll(),
    })
  }
}
