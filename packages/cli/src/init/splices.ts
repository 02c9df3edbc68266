import { diffLines } from 'diff'

/** A replacement in a text: `remove` characters at `at`, and `insert` in their place. */
export interface Splice {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

/**
 * The smallest replacements that turn one text into another, in order. A change within a line contains only the changed
 * characters of it, so that the record of a changed URL does not repeat its password.
 */
export function splicesBetween(from: string, to: string): Splice[] {
  const splices: Splice[] = []
  let at = 0
  const parts = diffLines(from, to)
  for (let index = 0; index < parts.length; index++) {
    const part = parts[index]
    if (!part) break
    const next = parts[index + 1]
    if (!part.added && !part.removed) at += part.value.length
    else if (part.removed && next?.added) {
      splices.push(...lineByLine(part.value, next.value, at))
      at += part.value.length
      index++
    } else {
      splices.push({ at, remove: part.removed ? part.value.length : 0, insert: part.added ? part.value : '' })
      at += part.removed ? part.value.length : 0
    }
  }
  return splices
}

export function applySplices(text: string, splices: readonly Splice[]): string {
  return [...splices]
    .sort((a, b) => b.at - a.at)
    .reduce((result, { at, remove, insert }) => result.slice(0, at) + insert + result.slice(at + remove), text)
}

function lineByLine(from: string, to: string, start: number): Splice[] {
  const [before, after] = [linesOf(from), linesOf(to)]
  if (before.length !== after.length) return [trimmed(from, to, start)]
  let at = start
  return before.flatMap((line, index) => {
    const splice = trimmed(line, after[index] ?? '', at)
    at += line.length
    return splice.remove === 0 && splice.insert === '' ? [] : [splice]
  })
}

function linesOf(text: string): string[] {
  return text.split(/(?<=\n)/)
}

/** Without the characters that both texts begin and end with. */
function trimmed(from: string, to: string, at: number): Splice {
  const shorter = Math.min(from.length, to.length)
  let start = 0
  while (start < shorter && from[start] === to[start]) start++
  let end = 0
  while (end < shorter - start && from[from.length - 1 - end] === to[to.length - 1 - end]) end++
  return { at: at + start, remove: from.length - start - end, insert: to.slice(start, to.length - end) }
}
