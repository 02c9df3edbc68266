import { FileValue } from './file-value.ts'

/** Keys whose value replaces the base's: https://docs.docker.com/reference/compose-file/merge/ */
const REPLACED = new Set(['command', 'entrypoint', 'test'])
/** Lists of `NAME=value` that are merged by name. */
const MAPPINGS = new Set(['environment', 'labels', 'args', 'annotations'])

/** Merges an override into a compose file, as `docker compose -f base -f override` does. */
export function mergeCompose(base: FileValue, override: FileValue, key = ''): FileValue {
  if (override.tag === '!reset') return new FileValue(override.place)
  if (override.tag === '!override' || base.isMissing || REPLACED.has(key)) return override
  if (override.isMissing) return base
  const [under, over] = MAPPINGS.has(key) ? [asMap(base), asMap(override)] : [base, override]
  if (under.isMap && over.isMap) {
    const entries = new Map(under.entries)
    for (const [name, value] of over.entries) {
      const existing = entries.get(name)
      entries.set(name, existing ? mergeCompose(existing, value, name) : value)
    }
    return new FileValue(over.place, { kind: 'map', entries })
  }
  if (under.items.length > 0 && over.items.length > 0) {
    return new FileValue(over.place, { kind: 'list', items: [...under.items, ...over.items] })
  }
  return over
}

/** `[A=1, B]` as `{ A: 1, B: null }`. */
export function asMap(value: FileValue): FileValue {
  if (value.items.length === 0) return value
  const entries = value.items.flatMap((item): [string, FileValue][] => {
    const { text = '' } = item
    const equals = text.indexOf('=')
    if (equals < 0) return text === '' ? [] : [[text, new FileValue(item.place)]]
    return [[text.slice(0, equals), new FileValue(item.place, { kind: 'scalar', value: text.slice(equals + 1) })]]
  })
  return new FileValue(value.place, { kind: 'map', entries })
}
