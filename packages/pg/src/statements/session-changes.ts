import { changesSession, mayCallSetConfig } from '@poolguard/core/adapter'
import type { ParameterStatus } from '../wire-client.ts'

/** What to do about changes that PostgreSQL does not follow up in prepared statements. */
export interface SessionChangesOptions {
  /** A setting of the session has changed: what is prepared on this connection may be read differently now. */
  readonly settingsChanged: () => void
  /** A migration has run on this connection. */
  readonly schemaChanged: () => void
}

/** What the server reports of itself that says how a text, or a literal such as '2026-01-02 03:04', is read. */
const READING_LITERALS: ReadonlySet<string> = new Set([
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'standard_conforming_strings',
])
const SETTINGS_COMMAND = /^(?:SET|RESET)$/
const SCHEMA_COMMAND = /^(?:CREATE|ALTER) /
const TEMPORARY = /\btemp(?:orary)?\b/i

/** Notices when the statements of one connection come to mean something else, by what is sent and what the server answers. */
export class SessionChanges {
  readonly #options: SessionChangesOptions
  readonly #readBy = new Map<string, string>()
  /** What was sent last. */
  text = ''
  /** A setting or the schema has changed, and the transaction that did it may still be open. */
  #changed = false
  #schemaChanged = false
  #inTransaction = false

  constructor(options: SessionChangesOptions) {
    this.#options = options
  }

  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /** Whether the transaction that is open has changed what its own statements mean. */
  get changedInTransaction(): boolean {
    return this.#inTransaction && this.#changed
  }

  sending(text: string): void {
    this.text = text
    if (mayCallSetConfig(text)) this.#noticeSettings()
  }

  /** @param tag of the command that the server has completed. */
  completed(tag: string): void {
    if (SETTINGS_COMMAND.test(tag)) this.#noticeSettings()
    else if (SCHEMA_COMMAND.test(tag)) this.#noticeSchema()
  }

  reported({ parameterName, parameterValue }: ParameterStatus): void {
    // Reported from PostgreSQL 18 on; outside a transaction PostgreSQL itself analyses statements again.
    if (parameterName === 'search_path') this.#changed = true
    if (!READING_LITERALS.has(parameterName)) return
    if (this.#readBy.get(parameterName) !== parameterValue) this.#options.settingsChanged()
    this.#readBy.set(parameterName, parameterValue)
  }

  ready(status: string): void {
    this.#inTransaction = status !== 'I'
    if (this.#inTransaction) return
    this.#changed = false
    if (!this.#schemaChanged) return
    this.#schemaChanged = false
    this.#options.schemaChanged()
  }

  #noticeSettings(): void {
    const change = changesSession(this.text)
    if (change === 'none') return
    this.#changed = true
    if (change === 'session') this.#options.settingsChanged()
  }

  #noticeSchema(): void {
    this.#changed = true
    // Only this session sees a temporary table, which may stand before another one of its name.
    if (TEMPORARY.test(this.text)) this.#options.settingsChanged()
    else this.#schemaChanged = true
  }
}
