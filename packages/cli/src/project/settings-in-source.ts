import type { CodeSetting } from './project-facts.ts'

/** The settings to find, and the parentheses and line ends that locate them. */
const TOKEN =
  /[()\n]|\b(?:max|poolSize)\s*:\s*(?<max>\d+)|\b(?<prepare>prepare)\s*:\s*false\b|\b(?<names>statementNameGenerator)\b/g

/** Names of calls that create pools; other options are called `max`, too, such as a rate limit's. */
const ABOUT_POOLS = /pool|postgres|\bpg\b|source|drizzle|prisma|typeorm|\bsql\b/gi

/** Longer names cannot match. */
const MAX_NAME = 100

/** An open parenthesis. */
interface Call {
  /** Start of the call's name; for a nameless call, of the enclosing call's. Undefined outside named calls. */
  readonly start: number | undefined
}

/**
 * Finds pool settings in one pass over a source text, in linear time.
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

/** Replaces comments with blanks, so that line numbers stay the same. `https://` does not start a comment. */
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

/** Start of the name before a parenthesis, including type arguments: `new Pool<Row>(`. Undefined without a name. */
function startOfName(code: string, parenthesis: number): number | undefined {
  const min = Math.max(0, parenthesis - MAX_NAME)
  let end = parenthesis
  if (code[end - 1] === '>') {
    const types = code.slice(min, parenthesis).lastIndexOf('<')
    end = min + types
    if (types < 0 || /[()]/.test(code.slice(end, parenthesis))) return undefined
  }
  let start = end
  while (start > min && /[\w$.]/.test(code[start - 1] ?? '')) start--
  return start < end ? start : undefined
}

/** Whether one of the sorted places is at or after `start` and before `end`. */
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
