import wrapAnsi from 'wrap-ansi'

/** Narrower terminals get lines of this width. */
const MIN_WIDTH = 40
/** Longer lines are hard to read. */
const MAX_WIDTH = 110

/** A space inside of `backticks`, where a line must not end. */
const KEPT_SPACE = '\u00a0'

/** The width for prose: the terminal's. Without a terminal, lines have no limit, so that programs such as grep find phrases. */
export function textWidth(columns: number | undefined = process.stdout.columns): number {
  return columns === undefined ? Infinity : Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns))
}

/**
 * Wraps prose behind a label, and indents the next lines to the end of the label. Text in backticks and lines that are already
 * indented, such as commands, keep their length: a person pastes them.
 */
export function wrapBehind(label: string, text: string, width: number = textWidth()): string {
  const indent = ' '.repeat(label.length)
  const lines = text
    .split('\n')
    .flatMap((line) => (line.startsWith(' ') ? [line] : wrapLine(line, width - indent.length)))
  return lines.map((line, index) => `${index === 0 ? label : indent}${line}`.trimEnd()).join('\n')
}

function wrapLine(line: string, width: number): readonly string[] {
  if (width === Infinity) return [line]
  const kept = line.replaceAll(/`[^`]*`/g, (quoted) => quoted.replaceAll(' ', KEPT_SPACE))
  return wrapAnsi(kept, width, { hard: false }).replaceAll(KEPT_SPACE, ' ').split('\n')
}
