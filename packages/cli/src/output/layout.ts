import stringWidth from 'string-width'
import { ESCAPE_MARK } from './paint.ts'

/** Narrower terminals get lines of this width. */
const MIN_WIDTH = 40
/** Longer lines are hard to read. */
const MAX_WIDTH = 110

/** The width for prose: the terminal's. Without a terminal, lines have no limit, so that programs such as grep find phrases. */
export function textWidth(columns: number | undefined = process.stdout.columns): number {
  return columns === undefined ? Infinity : Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns))
}

/**
 * Wraps prose behind a label, and indents the next lines to the end of the label. Text in backticks and lines that are already
 * indented, such as commands, keep their length: a person pastes them.
 */
export function wrapBehind(label: string, text: string, width: number = textWidth()): string {
  const indent = ' '.repeat(widthOf(label))
  const lines = text
    .split('\n')
    .flatMap((line) => (line.startsWith(' ') ? [line] : wrapLine(line, width - indent.length)))
  return lines.map((line, index) => `${index === 0 ? label : indent}${line}`.trimEnd()).join('\n')
}

/** Columns of a terminal: Chinese characters take two, colours none. */
export function widthOf(text: string): number {
  return stringWidth(text.replaceAll(ESCAPE_MARK, '\u001b'))
}

/** Fills a cell of a table up to a width, in columns of the terminal. */
export function alignLeft(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - widthOf(text)))
}

export function alignRight(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - widthOf(text))) + text
}

/** Cuts a line to a width, in columns of the terminal. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let cut = ''
  let left = width
  for (const { segment } of new Intl.Segmenter().segment(text)) {
    left -= widthOf(segment)
    if (left < 0) break
    cut += segment
  }
  return cut
}

function wrapLine(line: string, width: number): readonly string[] {
  if (width === Infinity) return [line]
  const lines: string[] = []
  let last = ''
  for (const unit of unitsOf(line)) {
    if (last === '' || widthOf(last + unit.trimEnd()) <= width) {
      last += unit
    } else {
      lines.push(last.trimEnd())
      last = unit
    }
  }
  return [...lines, last]
}

/** The pieces of a line that stay whole: words with their spaces, text in backticks, and single Chinese characters. */
function unitsOf(line: string): readonly string[] {
  const units: string[] = []
  for (const [atom] of line.matchAll(/`[^`]*`|./gsu)) {
    const unit = units.at(-1)
    if (unit === undefined || mayBreak(unit, atom)) units.push(atom)
    else units[units.length - 1] = unit + atom
  }
  return units
}

/** Chinese has no spaces: a line may end between two characters, but not before a comma and not after a parenthesis. */
function mayBreak(before: string, after: string): boolean {
  if (before.endsWith(' ')) return after !== ' '
  if (after === ' ' || CLOSING.test(after) || OPENING.test(before)) return false
  return CHINESE_END.test(before) || CHINESE_START.test(after)
}

const CLOSING = /^[，。；：、？！）》」』”’]/u
const OPENING = /[（《「『“‘]$/u
const CHINESE_START = /^[\p{Script=Han}（《「『]/u
const CHINESE_END = /[\p{Script=Han}，。；：、？！）》」』]$/u
