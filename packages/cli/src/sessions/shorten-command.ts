import { redact } from '@poolguard/core/adapter'

/** Enough to recognise a program. */
const MAX_LENGTH = 40
/** Other words are data, such as JSON. */
const PLAIN = /^[\w./:@=,+-]+$/
/** Options of Node that take the next word as their value. */
const WITH_VALUE = /^(?:-r|--require|--import|--loader|--experimental-loader|-C|--conditions)$/

/**
 * The program of a command line, with the names of its files instead of their paths, and without options and data.
 *
 * @example
 * shortenCommand(['/usr/bin/node', '-r', 'dotenv/config', '/srv/orders/dist/main.js']) // 'node dist/main.js'
 */
export function shortenCommand(words: readonly string[]): string {
  const [program = '', ...rest] = words
  const shown = rest.filter(
    (word, index) => PLAIN.test(word) && !word.startsWith('-') && !WITH_VALUE.test(rest[index - 1] ?? ''),
  )
  const line = redact([fileOf(program, 1), ...shown.map((word) => fileOf(word, 2))].join(' '))
  return line.length <= MAX_LENGTH ? line : `${line.slice(0, MAX_LENGTH - 3)}...`
}

/** The last parts of a path. */
function fileOf(word: string, parts: number): string {
  return word.startsWith('/') ? word.split('/').slice(-parts).join('/') : word
}
