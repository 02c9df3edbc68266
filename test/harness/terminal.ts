import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findTmux } from './find-tmux.ts'
import { forget, watchFolder, watchProcess } from './reaping.ts'
import { waitUntil } from './wait-until.ts'

export interface TerminalOptions {
  /** Default 80. */
  readonly columns?: number
  /** Default 24. */
  readonly rows?: number
  /** The whole environment of the shell. */
  readonly env?: Readonly<Record<string, string>>
}

/** A real terminal with a shell in it: tmux without its user's configuration. */
export class Terminal implements AsyncDisposable {
  readonly #program: string
  readonly #folder: string = mkdtempSync(join(tmpdir(), 'poolguard-tmux-'))
  #pid = 0

  private constructor(program: string) {
    this.#program = program
    watchFolder(this.#folder)
  }

  static async start({ columns = 80, rows = 24, env = {} }: TerminalOptions = {}): Promise<Terminal> {
    const terminal = new Terminal(await findTmux())
    const variables = Object.entries({ TERM: 'screen', ...env }).map(([name, value]) => `${name}=${value}`)
    const shell = ['env', '-i', ...variables, 'PS1=$ ', 'sh']
    await terminal.#run('new-session', '-d', '-x', String(columns), '-y', String(rows), ...shell)
    terminal.#pid = Number(await terminal.#ask('pid'))
    watchProcess(terminal.#pid, 'SIGKILL')
    await terminal.waitFor('$')
    return terminal
  }

  /** The lines on the screen, without styles. */
  screen(): Promise<string> {
    return this.#run('capture-pane', '-p')
  }

  /** The same with the escape sequences of its styles. */
  styled(): Promise<string> {
    return this.#run('capture-pane', '-p', '-e')
  }

  /** Types a text. */
  async type(text: string): Promise<void> {
    await this.#run('send-keys', '-l', text)
  }

  /** Presses keys by tmux's names: `Enter`, `Escape`, `C-c`, `BTab`. */
  async press(...keys: readonly string[]): Promise<void> {
    await this.#run('send-keys', ...keys)
  }

  /** Runs a command line in the shell. Does not wait for its end. */
  async run(command: string): Promise<void> {
    await this.type(command)
    await this.press('Enter')
  }

  async resize(columns: number, rows: number): Promise<void> {
    await this.#run('resize-window', '-x', String(columns), '-y', String(rows))
  }

  /** The modes that programs change: alternate screen, cursor, wrapping, mouse, keypad. */
  modes(): Promise<string> {
    return this.#ask('alternate_on', 'cursor_flag', 'wrap_flag', 'mouse_any_flag', 'keypad_flag', 'insert_flag')
  }

  /** The title of the window, which programs can set. */
  title(): Promise<string> {
    return this.#ask('pane_title')
  }

  /** Waits until the screen contains a text, and returns the screen. */
  async waitFor(text: string | RegExp): Promise<string> {
    let last = ''
    const shows = async () => {
      last = await this.screen()
      return typeof text === 'string' ? last.includes(text) : text.test(last)
    }
    await waitUntil(shows, { what: `${text} on the screen`, everyMillis: 50 }).catch((error: Error) => {
      throw new Error(`${error.message}; it shows:\n${last}`)
    })
    return last
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#run('kill-server').catch(() => {})
    rmSync(this.#folder, { recursive: true, force: true })
    forget({ pid: this.#pid })
    forget({ folder: this.#folder })
  }

  async #ask(...variables: readonly string[]): Promise<string> {
    return (await this.#run('display-message', '-p', variables.map((name) => `#{${name}}`).join(' '))).trim()
  }

  async #run(...args: readonly string[]): Promise<string> {
    const command = ['-S', join(this.#folder, 'socket'), '-f', '/dev/null', '-u', ...args]
    const { stdout } = await promisify(execFile)(this.#program, command, { encoding: 'utf8' })
    return stdout
  }
}
