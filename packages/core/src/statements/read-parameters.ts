import { StatementReader } from './statement-reader.ts'

/**
 * How a statement uses one of its parameters.
 *
 * - `cast`: always with an explicit type, as in `$1::date`, so that no table determines the type.
 * - `plain`: an operand of a comparison, or an item of a list.
 * - `resolved`: an argument of a function or another operator, for which a migration may add a better match.
 */
export type ParameterUse = 'cast' | 'plain' | 'resolved'

const COMPARISONS: ReadonlySet<string> = new Set(['=', '<>', '!=', '<', '>', '<=', '>='])
/** Words before a parenthesis that is not a call. */
const LISTS: ReadonlySet<string> = new Set(
  'values in any some all row and or not where on select set when then else from having union case by using returning'.split(
    ' ',
  ),
)

/** The first character of a word, as the tokenizer reads it: any beyond ASCII is a letter. */
const BEGINS_WORD = /^[\w\x80-\uffff]/

/** How a text uses its parameters, by number. */
export function readParameterUses(text: string): ReadonlyMap<number, ParameterUse> {
  const uses = new Map<number, ParameterUse>()
  const reader = new StatementReader(text, false)
  /** The kind of each open parenthesis. */
  const open: ('cast' | 'call' | 'list')[] = []
  let before = ''
  for (reader.next(); reader.kind !== 'end'; ) {
    const token = reader.text.slice(reader.start, reader.end).toLowerCase()
    const { kind } = reader
    if (token === '(' || token === '[') open.push(token === '[' ? 'call' : openerOf(before))
    else if (token === ')' || token === ']') open.pop()
    reader.next()
    if (kind === 'parameter') add(uses, Number(token.slice(1)), useOf(before, reader, open.at(-1)))
    before = kind === 'name' || kind === 'string' ? 'name' : token
  }
  return uses
}

/** If a parameter is used in several ways, the one with the fewest guarantees counts. */
function add(uses: Map<number, ParameterUse>, number: number, use: ParameterUse): void {
  const known = uses.get(number) ?? use
  uses.set(number, known === use ? use : known === 'resolved' || use === 'resolved' ? 'resolved' : 'plain')
}

function openerOf(before: string): 'cast' | 'call' | 'list' {
  if (before === 'cast') return 'cast'
  return BEGINS_WORD.test(before) && !LISTS.has(before) ? 'call' : 'list'
}

/** @param reader positioned at the token after the parameter. */
function useOf(before: string, reader: StatementReader, opener: 'cast' | 'call' | 'list' | undefined): ParameterUse {
  if (before === '(' && opener === 'cast' && reader.isWord('as')) return 'cast'
  if (reader.kind === 'operator') {
    const operator = reader.text.slice(reader.start, reader.end)
    if (operator.startsWith('::')) return 'cast'
    if (!COMPARISONS.has(operator)) return 'resolved'
  }
  if (/^\W/.test(before) && !COMPARISONS.has(before) && before !== '(' && before !== ',') return 'resolved'
  return (before === '(' || before === ',') && opener === 'call' ? 'resolved' : 'plain'
}
