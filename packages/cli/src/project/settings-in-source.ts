import type { CodeSetting } from './project-facts.ts'

/** What is looked for, with the parentheses and line ends that tell where it stands. */
const TOKEN =
  /[()\n]|\b(?:max|poolSize)\s*:\s*(?<max>\d+)|\b(?<prepare>prepare)\s*:\s*false\b|\b(?<names>statementNameGenerator)\b/g

/** A call that has to do with pools: other things have a `max`, too, as a rate limit beside them. */
const ABOUT_POOLS = /pool|postgres|\bpg\b|source|drizzle|prisma|typeorm|\bsql\b/gi

/** A longer name is none that we look for. */
const MAX_NAME = 100

/** An open parenthesis. */
interface Call {
  /** Where the name of the call begins; of a nameless one, that of the call around it. Undefined outside of named calls. */
  readonly start: number | undefined
}

/**
 * What the text of a source says of pools, in one pass over it: the work grows with the length of the text only.
 */
export function settingsIn(text: string, file: string): CodeSetting[] {
  const code = withoutComments(text)
  const mentions = [...code.matchAll(ABOUT_POOLS)].map(({ index }) => index)
  const settings: CodeSetting[] = []
  const calls: Call[] = []
  let line = 1
  for (const { 0: token, index, groups = {} } of code.matchAll(TOKEN)) {
    if (token === '\n') line++
    else if (token === '(') calls.push({ start: startOfName(code, index) ?? calls.at(-1)?.start })
    else if (token === ')') calls.pop()
    else {
      const setting = readSetting(groups)
      const start = calls.at(-1)?.start
      const isOfPool = setting.kind !== 'max' || start === undefined || hasBetween(mentions, start, index)
      if (isOfPool) settings.push({ file, line, ...setting })
      line += token.split('\n').length - 1
    }
  }
  return settings.sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind))
}

const KINDS: readonly CodeSetting['kind'][] = ['max', 'prepare-false', 'statement-names']

function readSetting({ max, prepare }: Record<string, string | undefined>): Pick<CodeSetting, 'kind' | 'value'> {
  if (max !== undefined) return { kind: 'max', value: Number(max) }
  return { kind: prepare === undefined ? 'statement-names' : 'prepare-false', value: 0 }
}

/** Blank where comments were, so that every line keeps its number. An address in a text, `https://`, begins none. */
function withoutComments(text: string): string {
  const begin = /\/\*|(?<=^|\s)\/\//gm
  let code = ''
  let at = 0
  for (let found = begin.exec(text); found; found = begin.exec(text)) {
    const isBlock = found[0] === '/*'
    const end = text.indexOf(isBlock ? '*/' : '\n', found.index + 2)
    const after = end < 0 ? text.length : end + (isBlock ? 2 : 0)
    code += text.slice(at, found.index) + text.slice(found.index, after).replace(/[^\n]/g, ' ')
    at = after
    begin.lastIndex = after
  }
  return code + text.slice(at)
}

/** Where the name in front of a parenthesis begins, types and all: `new Pool<Row>(`. Undefined where there is none. */
function startOfName(code: string, parenthesis: number): number | undefined {
  const least = Math.max(0, parenthesis - MAX_NAME)
  let end = parenthesis
  if (code[end - 1] === '>') {
    const types = code.slice(least, parenthesis).lastIndexOf('<')
    end = least + types
    if (types < 0 || /[()]/.test(code.slice(end, parenthesis))) return undefined
  }
  let start = end
  while (start > least && /[\w$.]/.test(code[start - 1] ?? '')) start--
  return start < end ? start : undefined
}

/** Whether one of the places, which are in order, lies from `start` on and before `end`. */
function hasBetween(places: readonly number[], start: number, end: number): boolean {
  let low = 0
  let high = places.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((places[middle] ?? 0) < start) low = middle + 1
    else high = middle
  }
  return (places[low] ?? Infinity) < end
}
