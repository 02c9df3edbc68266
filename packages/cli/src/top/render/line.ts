import { alignLeft, alignRight, cutTo, widthOf } from '../../output/layout.ts'
import { paintNow, type Style } from '../../output/paint.ts'
import { printableLine } from '../../output/printable.ts'

/** A piece of a line. Its text may come from a server: `toText` makes it safe. */
export type Span = string | { readonly text: string; readonly style?: Style | undefined }

/** One line of the screen. */
export type Line = readonly Span[]

export type Paint = (style: Style, text: string) => string

/** A piece of exactly this width, in columns of the terminal. */
export function field(
  text: string,
  width: number,
  { style, right = false }: { style?: Style | undefined; right?: boolean } = {},
): Span {
  const shown = cutTo(printableLine(text), width)
  return { text: right ? alignRight(shown, width) : alignLeft(shown, width), style }
}

/**
 * The line as the terminal gets it, no wider than the screen. Secrets are hidden and control characters escaped before the line is
 * cut, so that no half of a secret and no escape sequence is left.
 */
export function toText(line: Line, columns: number, paint: Paint = paintNow): string {
  let left = columns
  let text = ''
  for (const span of line) {
    const { text: raw, style }: Exclude<Span, string> = typeof span === 'string' ? { text: span } : span
    const shown = cutTo(printableLine(raw), left)
    left -= widthOf(shown)
    text += style === undefined || shown === '' ? shown : paint(style, shown)
  }
  return text
}
