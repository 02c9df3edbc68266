import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml'
import { FileValue, ValueBudget } from './file-value.ts'

/**
 * The documents of a YAML file, or of a JSON file, which YAML includes. Merge keys (`<<`) and aliases are resolved.
 *
 * @throws if the text is not YAML, or expands to too many values.
 */
export function readYaml(text: string, file: string): readonly FileValue[] {
  const lineCounter = new LineCounter()
  const documents = parseAllDocuments(text, { merge: true, logLevel: 'error', lineCounter, uniqueKeys: false })
  if (!Array.isArray(documents)) return []
  const budget = new ValueBudget()
  return documents.map((document) => {
    const [error] = document.errors
    if (error) throw error

    const placeOf = (node: unknown) => {
      const offset = (node as Node | undefined)?.range?.[0]
      return { file, ...(offset !== undefined && { line: lineCounter.linePos(offset).line }) }
    }

    const read = (node: unknown, place: FileValue['place'], depth: number): FileValue => {
      budget.count(depth)
      if (isAlias(node)) return read(node.resolve(document), place, depth + 1)
      if (isMap(node)) {
        const entries = pairsOf(node, (alias) => (isAlias(alias) ? alias.resolve(document) : alias), budget, depth)
        const values = entries.map(({ key, value }) => [keyOf(key), read(value, placeOf(key), depth + 1)] as const)
        return new FileValue(place, { kind: 'map', entries: values }, node.tag)
      }
      if (isSeq(node)) {
        const items = node.items.map((item) => read(item, placeOf(item), depth + 1))
        return new FileValue(place, { kind: 'list', items }, node.tag)
      }
      const value = isScalar(node) ? node.value : undefined
      return new FileValue(place, { kind: 'scalar', value }, isScalar(node) ? node.tag : undefined)
    }
    return read(document.contents, placeOf(document.contents), 0)
  })
}

/** A map's pairs after those that it merges, so that its own win: https://yaml.org/type/merge.html */
function pairsOf(map: YAMLMap, resolve: (node: unknown) => unknown, budget: ValueBudget, depth: number): Pair[] {
  budget.count(depth)
  const merged = map.items
    .filter(({ key }) => keyOf(key) === '<<')
    .flatMap(({ value }) => {
      const target = resolve(value)
      return isSeq(target) ? target.items.map(resolve).reverse() : [target]
    })
    .filter(isMap)
    .flatMap((target) => pairsOf(target, resolve, budget, depth + 1))
  return [...merged, ...map.items.filter(({ key }) => keyOf(key) !== '<<')]
}

/** The parser marks a merge key by a symbol. */
function keyOf(key: unknown): string {
  const value = isScalar(key) ? key.value : key
  return typeof value === 'symbol' ? (value.description ?? '') : String(value)
}
