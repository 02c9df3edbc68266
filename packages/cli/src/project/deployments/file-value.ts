import { t } from '../../output/translate.ts'
import type { Place } from '../workload.ts'

/** The number of values that a file may have; hand-written configuration has fewer. */
const MAX_VALUES = 100_000
const MAX_DEPTH = 100

/** A value's parts, from a format's parser. */
export type Parts =
  | { readonly kind: 'scalar'; readonly value: unknown }
  | { readonly kind: 'map'; readonly entries: Iterable<readonly [key: string, value: FileValue]> }
  | { readonly kind: 'list'; readonly items: readonly FileValue[] }

/**
 * A value of a configuration file, with the place of each of its parts. A missing value is a `FileValue`, too, so that a
 * path through a file needs no checks: `file.at('services', 'api', 'deploy').at('replicas').text`.
 */
export class FileValue {
  readonly place: Place
  readonly isMissing: boolean
  /** A tag such as `!reset`, which changes how compose files are merged. */
  readonly tag: string | undefined
  readonly #scalar: unknown
  readonly #entries: ReadonlyMap<string, FileValue>
  readonly #items: readonly FileValue[]

  constructor(place: Place, parts?: Parts, tag?: string) {
    this.place = place
    this.tag = tag
    this.isMissing = parts === undefined || (parts.kind === 'scalar' && parts.value == null)
    this.#scalar = parts?.kind === 'scalar' ? parts.value : undefined
    this.#entries = new Map(parts?.kind === 'map' ? parts.entries : [])
    this.#items = parts?.kind === 'list' ? parts.items : []
  }

  /** The value of a key below this value; missing if there is none. */
  at(...keys: readonly string[]): FileValue {
    let value: FileValue = this
    for (const key of keys) value = value.#entries.get(key) ?? new FileValue(value.place)
    return value
  }

  /** The keys and values of a map; none for other values. */
  get entries(): readonly (readonly [key: string, value: FileValue])[] {
    return [...this.#entries]
  }

  /** The items of a list; none for other values. */
  get items(): readonly FileValue[] {
    return this.#items
  }

  get isMap(): boolean {
    return this.#entries.size > 0
  }

  /** A scalar as text; undefined for maps, lists and null. */
  get text(): string | undefined {
    return this.#scalar == null ? undefined : String(this.#scalar)
  }

  /** A whole number of at most nine digits; undefined for everything else. */
  get count(): number | undefined {
    return this.text !== undefined && /^\d{1,9}$/.test(this.text) ? Number(this.text) : undefined
  }

  /** The items of a list, or the single value, as texts. */
  get texts(): readonly string[] {
    const values = this.#items.length > 0 ? this.#items : [this]
    return values.flatMap(({ text }) => text ?? [])
  }
}

/** Bounds the size of one file's values. A parser counts each value that it creates, and goes one level down for its parts. */
export class ValueBudget {
  #values = 0

  /** @throws if the file has too many values, or nests them too deeply. */
  count(depth: number): void {
    if (++this.#values > MAX_VALUES || depth > MAX_DEPTH) throw new Error(t`too many values`)
  }
}
