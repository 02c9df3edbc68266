import { emitKeypressEvents, type Interface, type Key } from 'node:readline'
import type { ReadStream, WriteStream } from 'node:tty'
import type { ScreenSize } from './state.ts'

/**
 * Escape sequences of terminals.
 *
 * @see https://invisible-island.net/xterm/ctlseqs/ctlseqs.html
 */
const ENTER_ALTERNATE_SCREEN = '\u001b[?1049h'
const LEAVE_ALTERNATE_SCREEN = '\u001b[?1049l'
const HIDE_CURSOR = '\u001b[?25l'
const SHOW_CURSOR = '\u001b[?25h'
/** A line that is wider than the terminal counts it must not move the next ones. */
const NO_WRAP = '\u001b[?7l'
const WRAP = '\u001b[?7h'
const PLAIN_STYLE = '\u001b[0m'
const ERASE_SCREEN = '\u001b[2J'
const ERASE_LINE = '\u001b[2K'

/** A lone Escape is a key of its own if no other byte follows within this time. */
const ESCAPE_TIMEOUT_MILLIS = 100

/** What a terminal without a known size has. */
const DEFAULT_SIZE: ScreenSize = { columns: 80, rows: 24 }

export interface ScreenHandlers {
  readonly onKey: (text: string | undefined, key: Key) => void
  readonly onResize: (size: ScreenSize) => void
  /** The terminal is gone. */
  readonly onHangup: () => void
}

/**
 * The whole terminal, from `enter` to `leave`. If the process ends in another way, by an exception or `process.exit`, the terminal
 * is as it was before, too.
 */
export class Screen implements Disposable {
  readonly #input: ReadStream
  readonly #output: WriteStream
  readonly #handlers: ScreenHandlers
  /** The lines on the terminal; undefined if it is not ours. */
  #shown: readonly string[] | undefined

  constructor(input: ReadStream, output: WriteStream, handlers: ScreenHandlers) {
    this.#input = input
    this.#output = output
    this.#handlers = handlers
  }

  get size(): ScreenSize {
    const { columns, rows } = this.#output
    return { columns: columns || DEFAULT_SIZE.columns, rows: rows || DEFAULT_SIZE.rows }
  }

  enter(): void {
    if (this.#shown) return
    // Node prints an exception after this event.
    process.on('uncaughtExceptionMonitor', this.#leave).on('exit', this.#leave)
    this.#shown = []
    this.#input.setRawMode(true)
    emitKeypressEvents(this.#input, { escapeCodeTimeout: ESCAPE_TIMEOUT_MILLIS } as unknown as Interface)
    this.#input.on('keypress', this.#onKey).on('end', this.#onHangup).on('error', this.#onHangup).resume()
    this.#output.on('resize', this.#onResize).on('error', this.#onHangup)
    this.#output.write(ENTER_ALTERNATE_SCREEN + HIDE_CURSOR + NO_WRAP + ERASE_SCREEN)
  }

  /** Shows the lines. Writes only those that have changed. */
  draw(lines: readonly string[]): void {
    const before = this.#shown
    if (!before) return
    const changed = lines.flatMap((line, row) =>
      line === before[row] ? [] : [`\u001b[${row + 1};1H${ERASE_LINE}${line}${PLAIN_STYLE}`],
    )
    this.#shown = lines
    if (changed.length > 0) this.#output.write(changed.join(''))
  }

  /** Forgets what the terminal shows: the next `draw` writes every line. */
  erase(): void {
    if (!this.#shown) return
    this.#shown = []
    this.#output.write(ERASE_SCREEN)
  }

  leave(): void {
    this.#leave()
  }

  [Symbol.dispose](): void {
    this.#leave()
  }

  readonly #leave = (): void => {
    if (!this.#shown) return
    this.#shown = undefined
    process.off('uncaughtExceptionMonitor', this.#leave).off('exit', this.#leave)
    this.#input.off('keypress', this.#onKey).off('end', this.#onHangup).off('error', this.#onHangup)
    this.#output.off('resize', this.#onResize).off('error', this.#onHangup)
    this.#output.write(PLAIN_STYLE + WRAP + SHOW_CURSOR + LEAVE_ALTERNATE_SCREEN)
    this.#input.setRawMode(false)
    this.#input.pause()
  }

  readonly #onKey = (text: string | undefined, key: Key): void => this.#handlers.onKey(text, key)
  readonly #onHangup = (): void => this.#handlers.onHangup()
  readonly #onResize = (): void => {
    this.erase()
    this.#handlers.onResize(this.size)
  }
}
