import type { FleetShare } from '../fleet/index.ts'
import { type Pool, type PoolSettings, validatePoolSettings } from '../pool/index.ts'
import {
  defaultsFor,
  MAX_DISCOVERED,
  type ResolvedSettings,
  resolveSettings,
  type SettingsOptions,
} from '../settings/index.ts'
import type { DiscoveryResult } from './discovery/discover-topology.ts'

export type Bounds = Partial<Pick<PoolSettings, 'min' | 'max'>>

/** Calculates a pool's bounds from the discovered limits, the plan or the fleet's share, and the user's own bounds. */
export class PoolBounds {
  readonly #options: SettingsOptions
  readonly #engine: () => Pick<Pool<unknown>, 'resize' | 'settings'>
  #discovered: DiscoveryResult | undefined
  #share: FleetShare | undefined
  /** Why the fleet's instances cannot see each other. */
  #fleetUnavailable: string | undefined
  #isPgBouncer = false
  #resized: Bounds = {}
  readonly #pipelineUnsupported: string | undefined
  #settings: ResolvedSettings

  /**
   * @throws {InvalidOptionError} names the option and the value.
   */
  constructor(
    options: SettingsOptions,
    engine: () => Pick<Pool<unknown>, 'resize' | 'settings'>,
    pipelineUnsupported?: string | undefined,
  ) {
    this.#options = options
    this.#engine = engine
    this.#pipelineUnsupported = pipelineUnsupported
    this.#settings = resolveSettings({ options, pipelineUnsupported })
  }

  /** The settings in effect, and the reasons. */
  get settings(): ResolvedSettings {
    return this.#settings
  }

  /** The bounds that the user has set; otherwise the bounds of a pool that discovers its limits. */
  get requested(): { readonly min: number; readonly max: number } {
    const { pool, preset } = this.#options
    // The max of a preset is intentional; the default max is not, so it does not bound a share.
    const ceiling = pool?.max ?? (preset && defaultsFor(preset).max)
    const min = this.#resized.min ?? pool?.min ?? 0
    return { min, max: this.#resized.max ?? ceiling ?? Math.max(MAX_DISCOVERED, min) }
  }

  /** Applies the result of discovery. */
  applyDiscovery(discovered: DiscoveryResult): void {
    this.#discovered = discovered
    this.#isPgBouncer = false
    this.#resolve()
    if (!this.#isShared) this.#applyStaticBounds()
  }

  /** Whether only the identity of the pooler is missing for statements to share connections. */
  get needsPoolerName(): boolean {
    const { pipeline = 'off' } = this.#options.pool ?? {}
    const topology = this.#discovered?.topology
    if (pipeline === 'off' || this.#pipelineUnsupported !== undefined || topology?.kind !== 'pooler') return false
    return topology.pooler.name === 'unknown' && !isGiven(this.#options)
  }

  /** The pooler does not report its name, but was identified. */
  applyPgBouncer(): void {
    this.#isPgBouncer = true
    this.#resolve()
  }

  /** Applies the fleet's share. */
  applyShare(max: number, share: FleetShare | undefined): void {
    this.#fleetUnavailable = undefined
    this.#share = share && { ...share, maxConnections: max }
    this.#resolve()
    this.#applyBounds(max)
  }

  /** Applies the static limit, because the fleet's instances cannot see each other. */
  useStaticLimit(why: string): void {
    this.#fleetUnavailable = why
    this.#share = undefined
    this.#resolve()
    this.#applyStaticBounds()
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
    else this.#engine().resize(bounds)
    this.#resized = resized
    // The share remains an upper bound.
    if (shared) this.#applyBounds(this.#engine().settings.max)
  }

  /** Whether a fleet determines the max. */
  get #isShared(): boolean {
    const isAvailable = this.#fleetUnavailable === undefined && this.#discovered?.topology.kind !== 'unknown'
    return this.#options.fleet !== undefined && isAvailable
  }

  #resolve(): void {
    this.#settings = resolveSettings({
      options: this.#options,
      ...this.#discovered,
      share: this.#share,
      fleetUnavailable: this.#fleetUnavailable,
      pipelineUnsupported: this.#pipelineUnsupported,
      isPgBouncer: this.#isPgBouncer,
    })
  }

  #applyStaticBounds(): void {
    this.#applyBounds(this.#resized.max ?? this.#settings.values.max)
  }

  #applyBounds(max: number): void {
    this.#engine().resize({ max, min: Math.min(this.#resized.min ?? this.#settings.values.min, max) })
  }
}

/** The user has named the pooler's mode, so nothing is detected. */
function isGiven({ pooler = 'auto' }: SettingsOptions): boolean {
  return pooler !== 'auto'
}
