import type { FleetShare } from '../fleet/index.ts'
import { type Pool, type PoolSettings, validatePoolSettings } from '../pool/index.ts'
import {
  defaultsFor,
  limitSettings,
  MAX_DISCOVERED,
  type OwnSettings,
  type PlannedBudget,
  type ResolvedSettings,
  type SettingsOptions,
} from '../settings/index.ts'
import type { DiscoveryResult } from './discovery/detection.ts'

export type Bounds = Partial<Pick<PoolSettings, 'min' | 'max'>>

/** Limits the warnings, because they may quote a server that sends a different text every time. */
const MAX_WARNINGS = 50

/** Sets a pool's bounds from the discovered limits, the plan or the fleet's share, and the user's own bounds. */
export class PoolBounds {
  readonly #own: OwnSettings
  readonly #engine: Pick<Pool<unknown>, 'resize' | 'settings'>
  readonly #warn: (message: string) => void
  readonly #warned = new Set<string>()
  #discovered: DiscoveryResult | undefined
  #planned: PlannedBudget | undefined
  #share: FleetShare | undefined
  /** Why the fleet's instances cannot see each other. */
  #fleetUnavailable: string | undefined
  #isPgBouncer = false
  #resized: Bounds = {}
  #settings: ResolvedSettings

  /** @param warn is called once for each option that the pool cannot apply as given. */
  constructor(own: OwnSettings, engine: Pick<Pool<unknown>, 'resize' | 'settings'>, warn: (message: string) => void) {
    this.#own = own
    this.#engine = engine
    this.#warn = warn
    this.#settings = limitSettings(own)
  }

  /** The settings in effect, and the reasons. */
  get settings(): ResolvedSettings {
    return this.#settings
  }

  /** The bounds that the user has set; otherwise the bounds of a pool that discovers its limits. */
  get requested(): { readonly min: number; readonly max: number } {
    const { pool, preset } = this.#own.options
    // The max of a preset is intentional; the default max is not, so it does not bound a share.
    const ceiling = pool?.max ?? (preset && defaultsFor(preset).max)
    const min = this.#resized.min ?? pool?.min ?? 0
    return { min, max: this.#resized.max ?? ceiling ?? Math.max(MAX_DISCOVERED, min) }
  }

  /**
   * Applies the result of discovery.
   *
   * @param planned the budget that follows from the discovered capacity, for a pool with `instances`.
   */
  applyDiscovery(discovered: DiscoveryResult, planned: PlannedBudget | undefined): void {
    this.#discovered = discovered
    this.#planned = planned
    this.#isPgBouncer = false
    this.#limit()
    if (!this.#isShared) this.#applyStaticBounds()
    this.#emitWarnings()
  }

  /** Whether statements would share connections if the server or pooler is one that allows it. */
  get wantsPipelining(): boolean {
    const { options, pipelineUnsupported, values } = this.#own
    return values.pipeline !== 'off' && pipelineUnsupported === undefined && !isGiven(options)
  }

  /** Whether only the identity of the pooler is missing for statements to share connections. */
  get needsPoolerName(): boolean {
    const topology = this.#discovered?.topology
    return this.wantsPipelining && topology?.kind === 'pooler' && topology.pooler.name === 'unknown'
  }

  /** The pooler does not report its name, but was identified. */
  applyPgBouncer(): void {
    this.#isPgBouncer = true
    this.#limit()
  }

  /** Applies the fleet's share. */
  applyShare(max: number, share: FleetShare | undefined): void {
    this.#fleetUnavailable = undefined
    this.#share = share && { ...share, maxConnections: max }
    this.#limit()
    this.#applyBounds(share ? this.#settings.values.max : max)
    this.#emitWarnings()
  }

  /** Applies the static limit, because the fleet's instances cannot see each other. */
  useStaticLimit(why: string): void {
    this.#fleetUnavailable = why
    this.#share = undefined
    this.#limit()
    this.#applyStaticBounds()
    this.#emitWarnings()
  }

  /**
   * Changes the bounds. Later discoveries do not change them.
   *
   * @throws {InvalidOptionError} for invalid bounds.
   */
  resize(bounds: Bounds): void {
    const resized = { ...this.#resized, ...bounds }
    const shared = this.#isShared
    if (shared) validatePoolSettings(resized)
    else this.#engine.resize(bounds)
    this.#resized = resized
    // The share remains an upper bound.
    if (shared) this.#applyBounds(this.#engine.settings.max)
  }

  /** Whether a fleet determines the max. */
  get #isShared(): boolean {
    const isAvailable = this.#fleetUnavailable === undefined && this.#discovered?.topology.kind !== 'unknown'
    return this.#own.options.fleet !== undefined && isAvailable
  }

  #limit(): void {
    this.#settings = limitSettings(this.#own, {
      ...this.#discovered,
      planned: this.#planned,
      share: this.#share,
      fleetUnavailable: this.#fleetUnavailable,
      isPgBouncer: this.#isPgBouncer,
    })
  }

  #applyStaticBounds(): void {
    this.#applyBounds(this.#resized.max ?? this.#settings.values.max)
  }

  #applyBounds(max: number): void {
    this.#engine.resize({ max, min: Math.min(this.#resized.min ?? this.#settings.values.min, max) })
  }

  #emitWarnings(): void {
    for (const warning of this.#settings.warnings) {
      if (this.#warned.has(warning) || this.#warned.size >= MAX_WARNINGS) continue
      this.#warned.add(warning)
      this.#warn(warning)
    }
  }
}

/** The user has named the pooler's mode, so nothing is detected. */
function isGiven({ pooler = 'auto' }: SettingsOptions): boolean {
  return pooler !== 'auto'
}
