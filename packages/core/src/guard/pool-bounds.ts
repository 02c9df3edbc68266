import type { Share } from '../fleet/index.ts'
import type { Pool } from '../pool/index.ts'
import { type PoolSettings, validatePoolSettings } from '../pool/index.ts'
import {
  defaultsFor,
  MAX_DISCOVERED,
  type ResolvedSettings,
  resolveSettings,
  type SettingsOptions,
} from '../settings/index.ts'
import type { Survey } from './discovery/discover-topology.ts'

export type Bounds = Partial<Pick<PoolSettings, 'min' | 'max'>>

/** How many connections a pool may have: what was found, and then a plan or a fleet, say it, within what the user has set since. */
export class PoolBounds {
  readonly #options: SettingsOptions
  readonly #engine: () => Pick<Pool<unknown>, 'resize' | 'settings'>
  #found: Survey | undefined
  #share: Share | undefined
  /** Why the fleet's instances cannot see each other. */
  #unseen: string | undefined
  #resized: Bounds = {}
  #settings: ResolvedSettings

  /**
   * @throws {InvalidOptionError} names the option and the value.
   */
  constructor(options: SettingsOptions, engine: () => Pick<Pool<unknown>, 'resize' | 'settings'>) {
    this.#options = options
    this.#engine = engine
    this.#settings = resolveSettings({ options })
  }

  /** The settings that hold, and why. */
  get settings(): ResolvedSettings {
    return this.#settings
  }

  /** What the user has set; without a bound, the most that a pool opens by what it finds. */
  get wished(): { readonly min: number; readonly max: number } {
    const { pool, preset } = this.#options
    // A preset's max is there for a reason; the default is not.
    const ceiling = pool?.max ?? (preset && defaultsFor(preset).max)
    const min = this.#resized.min ?? pool?.min ?? 0
    return { min, max: this.#resized.max ?? ceiling ?? Math.max(MAX_DISCOVERED, min) }
  }

  /** The other end has been looked at. */
  adopt(found: Survey): void {
    this.#found = found
    this.#resolve()
    if (!this.#isShared) this.#boundAlone()
  }

  /** The fleet says how many it may have. */
  adoptShare(max: number, share: Share | undefined): void {
    this.#unseen = undefined
    this.#share = share && { ...share, maxConnections: max }
    this.#resolve()
    this.#bound(max)
  }

  /** The fleet's instances cannot see each other: what is given holds. */
  standAlone(why: string): void {
    this.#unseen = why
    this.#share = undefined
    this.#resolve()
    this.#boundAlone()
  }

  /**
   * Changes the bounds; they hold whatever is found later.
   *
   * @throws {InvalidOptionError} for bounds that cannot be meant.
   */
  resize(bounds: Bounds): void {
    const resized = { ...this.#resized, ...bounds }
    const shared = this.#isShared
    if (shared) validatePoolSettings(resized)
    else this.#engine().resize(bounds)
    this.#resized = resized
    // The share stays a bound, too.
    if (shared) this.#bound(this.#engine().settings.max)
  }

  /** Whether a fleet says how many connections it may have. */
  get #isShared(): boolean {
    const seen = this.#unseen === undefined && this.#found?.topology.kind !== 'unknown'
    return this.#options.fleet !== undefined && seen
  }

  #resolve(): void {
    const [share, unseen] = [this.#share, this.#unseen]
    this.#settings = resolveSettings({ options: this.#options, ...this.#found, share, unseen })
  }

  #boundAlone(): void {
    this.#bound(this.#resized.max ?? this.#settings.values.max)
  }

  #bound(max: number): void {
    this.#engine().resize({ max, min: Math.min(this.#resized.min ?? this.#settings.values.min, max) })
  }
}
