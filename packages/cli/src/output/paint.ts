import { randomBytes } from 'node:crypto'
import { styleText } from 'node:util'

export type Style = Parameters<typeof styleText>[0]

/**
 * Represents the escape character in text that is not printed yet. It is random, so that no name from a server or a project
 * can pass an escape sequence through {@link printable}.
 */
export const ESCAPE_MARK: string = `<${randomBytes(12).toString('hex')}>`

/** Colours a text if standard output is a terminal and NO_COLOR is not set. */
export function paint(style: Style, text: string): string {
  return paintNow(style, text).replaceAll('\u001b', ESCAPE_MARK)
}

/** The same with the terminal's own escape sequences, for text that is safe to print already. */
export function paintNow(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true })
}
