import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

/** Colours a text where standard output shows colours: on a terminal, and without NO_COLOR. */
export function paint(style: Style, text: string): string {
  return styleText(style, text, { stream: process.stdout, validateStream: true })
}
