import {
  assumedTopology,
  type ConnectFailure,
  classifyConnectFailure,
  type Lease,
  Pool,
  type PoolEvent,
  type PoolSettings,
  type PoolSnapshot,
  type ResolvedSettings,
  registerPool,
  resolveSettings,
} from '@poolguard/core'
import type { ConnectionFactory } from './connection-factory.ts'
import type { PoolSpec } from './guarded-pool-config.ts'
import type { PgConnection } from './pg-connection.ts'
import { StatementGuard } from './statement-guard.ts'
import { type Survey, survey } from './survey.ts'

/** After a look at the database that told nothing, the next one waits so long. */
const RESURVEY_MILLIS = 5_000

type Bounds = Partial<Pick<PoolSettings, 'min' | 'max'>>

/**
 * What stands behind a GuardedPool: the engine, and what it has learnt of its other end. Construction opens nothing; the
 * first caller sets off the survey, which is first in line for a connection, and its outcome sets the pool's bounds.
 */
export class PoolGuard {
  readonly engine: Pool<PgConnection>
  readonly statements: StatementGuard
  readonly #spec: PoolSpec
  /** Only pools that are used are entered: one that is made and dropped must not be kept from being collected. */
  #unregister: (() => void) | undefined
  #resolved: ResolvedSettings
  #found: Survey | undefined
  #surveying: Promise<void> | undefined
  #surveyAgainAt = 0
  /** The other end has been away since it was looked at, and may have come back as another. */
  #outdated = false
  #dirtyReleases = 0
  #resized: Bounds = {}

  constructor(spec: PoolSpec, makeFactory: (statements: StatementGuard) => ConnectionFactory) {
    this.#spec = spec
    this.#resolved = resolveSettings({ options: spec.options })
    this.statements = new StatementGuard(spec.client.lint ?? 'warn', (message) => this.warn(message))
    const assumed = assumedTopology(spec.options)
    if (assumed) this.statements.adopt(assumed)
    this.engine = new Pool({
      name: spec.name,
      settings: this.#resolved.settings,
      factory: makeFactory(this.statements),
      classify: (error) => classifyFor(spec, error),
      onEvent: (event) => this.#heard(event),
    })
  }

  /** Borrows a connection. What it throws is told at {@link Pool.acquire}. */
  acquire(): Promise<Lease<PgConnection>> {
    this.#unregister ??= registerPool(this)
    if (this.#mustSurvey) this.#surveyAfterwards()
    return this.engine.acquire()
  }

  /** Waits until the other end has been looked at; `again` where that was before something has changed. */
  async ready({ again = false }: { readonly again?: boolean } = {}): Promise<PoolSnapshot> {
    this.#unregister ??= registerPool(this)
    if (!this.#found || again) await (this.#surveying ?? this.#startSurvey())
    return this.snapshot()
  }

  /** Changes the bounds; they hold whatever a later survey finds. */
  resize(bounds: Bounds): void {
    this.engine.resize(bounds)
    this.#resized = { ...this.#resized, ...bounds }
  }

  async close(): Promise<void> {
    await this.engine.drain()
    this.#unregister?.()
    // Whoever asks afterwards does not enter it again.
    this.#unregister = () => {}
  }

  snapshot(): PoolSnapshot {
    return {
      name: this.#spec.name,
      target: this.#spec.target,
      stats: this.engine.stats(),
      dirtyReleases: this.#dirtyReleases,
      lintFindings: this.statements.findings,
      topology: this.#found?.topology ?? null,
      budget: this.#resolved.budget,
    }
  }

  /** The settings that hold, and why. */
  get resolved(): ResolvedSettings {
    return this.#resolved
  }

  /** A connection came back with a transaction open. */
  leftInTransaction(): void {
    this.#dirtyReleases++
    this.engine.emit({ type: 'dirty-release' })
  }

  warn(message: string): void {
    this.engine.emit({ type: 'warning', message })
    if (!this.#spec.options.onEvent) process.emitWarning(`pool "${this.#spec.name}": ${message}`, 'PoolguardWarning')
  }

  get #mustSurvey(): boolean {
    if (this.#found?.capacity && !this.#outdated) return false
    return !this.#surveying && performance.now() >= this.#surveyAgainAt
  }

  /** A failure is told to whoever waits for a connection anyway; here it only means to look again later. */
  #surveyAfterwards(): void {
    this.#startSurvey().catch(() => {
      this.#surveyAgainAt = performance.now() + RESURVEY_MILLIS
    })
  }

  #startSurvey(): Promise<void> {
    this.#surveying = survey(this.engine, assumedTopology(this.#spec.options))
      .then((found) => this.#adopt(found))
      .finally(() => {
        this.#surveying = undefined
      })
    return this.#surveying
  }

  #heard(event: PoolEvent): void {
    if (event.type === 'connect-failed' && event.failure === 'unavailable') this.#outdated = true
    this.#spec.options.onEvent?.(event)
  }

  #adopt(found: Survey): void {
    this.#found = found
    this.#outdated = false
    this.statements.adopt(found.topology)
    if (!found.capacity) this.#surveyAgainAt = performance.now() + RESURVEY_MILLIS
    this.#resolved = resolveSettings({ options: this.#spec.options, ...found })
    const { max, min } = this.#resolved.settings
    this.engine.resize({ max, min, ...this.#resized })
    for (const warning of this.#resolved.warnings) this.warn(warning)
  }
}

/** invalid_authorization_specification and invalid_password. */
const WRONG_PASSWORD_CODES: readonly unknown[] = ['28000', '28P01']

/** A password function may have a better answer next time: tokens expire, and secrets are rotated. */
function classifyFor({ client }: PoolSpec, error: unknown): ConnectFailure {
  const asksAgain = typeof client.password === 'function'
  const wrongPassword = WRONG_PASSWORD_CODES.includes((error as { code?: unknown } | undefined)?.code)
  return asksAgain && wrongPassword ? 'unavailable' : classifyConnectFailure(error)
}
