import { changesSession, mayCallSetConfig } from '@poolguard/core/connection'
import type { ParameterStatus } from '../wire-client.ts'

/** Callbacks for changes that PostgreSQL does not apply to existing prepared statements. */
export interface SessionChangesOptions {
  /** A session setting has changed: the statements prepared on this connection may have another meaning now. */
  readonly onSettingsChanged: () => void
  /** A migration has run on this connection. */
  readonly onSchemaChanged: () => void
}

/** The reported settings that decide how the server reads a literal such as '2026-01-02 03:04'. */
const LITERAL_SETTINGS: ReadonlySet<string> = new Set([
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'standard_conforming_strings',
])
const SETTINGS_COMMAND = /^(?:SET|RESET)$/
const SCHEMA_COMMAND = /^(?:CREATE|ALTER) /
const TEMPORARY = /\btemp(?:orary)?\b/i

/** Detects from queries and answers that the meaning of a connection's statements has changed. */
export class SessionChanges {
  readonly #options: SessionChangesOptions
  readonly #literalSettings = new Map<string, string>()
  /** The text sent last. */
  text = ''
  /** A setting or the schema has changed, and the transaction that changed it may still be open. */
  #changed = false
  #schemaChanged = false
  #inTransaction = false

  constructor(options: SessionChangesOptions) {
    this.#options = options
  }

  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /** True if the open transaction has changed the meaning of its own statements. */
  get changedInTransaction(): boolean {
    return this.#inTransaction && this.#changed
  }

  onSend(text: string): void {
    this.text = text
    if (mayCallSetConfig(text)) this.#onSettingsCommand()
  }

  /** @param tag the command tag. */
  onCommandComplete(tag: string): void {
    if (SETTINGS_COMMAND.test(tag)) this.#onSettingsCommand()
    else if (SCHEMA_COMMAND.test(tag)) this.#onSchemaCommand()
  }

  onParameterStatus({ parameterName, parameterValue }: ParameterStatus): void {
    // Reported since PostgreSQL 18. Outside a transaction PostgreSQL itself re-analyzes prepared statements.
    if (parameterName === 'search_path') this.#changed = true
    if (!LITERAL_SETTINGS.has(parameterName)) return
    if (this.#literalSettings.get(parameterName) !== parameterValue) this.#options.onSettingsChanged()
    this.#literalSettings.set(parameterName, parameterValue)
  }

  onReady(status: string): void {
    this.#inTransaction = status !== 'I'
    if (this.#inTransaction) return
    this.#changed = false
    if (!this.#schemaChanged) return
    this.#schemaChanged = false
    this.#options.onSchemaChanged()
  }

  #onSettingsCommand(): void {
    const change = changesSession(this.text)
    if (change === 'none') return
    this.#changed = true
    if (change === 'session') this.#options.onSettingsChanged()
  }

  #onSchemaCommand(): void {
    this.#changed = true
    // A temporary table is visible only to this session, and hides a permanent table of the same name.
    if (TEMPORARY.test(this.text)) this.#options.onSettingsChanged()
    else this.#schemaChanged = true
  }
}
