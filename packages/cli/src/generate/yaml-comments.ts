import { type Document, isMap, type Pair, Scalar } from 'yaml'

/** A comment above the key at a path. */
export type YamlComment = readonly [path: readonly (string | number)[], comment: string]

/** Adds the comments whose keys exist. */
export function addComments(document: Document, comments: readonly YamlComment[]): void {
  for (const [path, comment] of comments) {
    const key = keyAt(document, path)
    if (key) key.commentBefore = ` ${comment}`
  }
}

function keyAt(document: Document, path: readonly (string | number)[]): Scalar | undefined {
  const parent = path.length === 1 ? document.contents : document.getIn(path.slice(0, -1))
  if (!isMap(parent)) return undefined
  const pair: Pair | undefined = parent.items.find(({ key }) => key instanceof Scalar && key.value === path.at(-1))
  return pair?.key instanceof Scalar ? pair.key : undefined
}
