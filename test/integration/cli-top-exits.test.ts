import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { describeWithTerminal, startPostgres, Terminal, waitUntil } from '../harness/index.ts'
import { openTop, topCommand } from './open-top.ts'
import { cleanEnvironment, POOLGUARD, runPoolguard } from './run-poolguard.ts'

const THROWING = fileURLToPath(new URL('./throwing-screen.ts', import.meta.url))
const describe = await describeWithTerminal()

describe('the terminal after poolguard top', () => {
  /** Finds the process of this test. */
  const MARK = `--interval 0.2${process.pid}`
  /** How the program ends, by a command line of the shell, and what is done to it. */
  const ends: readonly (readonly [string, (terminal: Terminal) => Promise<unknown>])[] = [
    ['q', (terminal) => terminal.press('q')],
    ['Ctrl-C', (terminal) => terminal.press('C-c')],
    ['SIGTERM', () => signalTop('SIGTERM')],
    ['SIGHUP', () => signalTop('SIGHUP')],
    ['SIGINT', () => signalTop('SIGINT')],
  ]

  function signalTop(signal: NodeJS.Signals): Promise<unknown> {
    return waitUntil(
      () => {
        const found = execFileSync('ps', ['-A', '-o', 'pid=', '-o', 'args='], { encoding: 'utf8' })
          .split('\n')
          .find((line) => line.includes(`${POOLGUARD} top`) && line.includes(MARK) && !line.includes(' sh '))
        return found && process.kill(Number.parseInt(found, 10), signal)
      },
      { what: 'the process of top' },
    )
  }

  /** The modes of the terminal and of its line discipline. */
  async function stateOf(terminal: Terminal): Promise<string> {
    await terminal.run('clear; stty -g')
    const [settings = ''] = (await terminal.waitFor(/^[\w=]+(:[\w=]+)+$/m)).match(/^[\w=:]+:[\w=:]+$/m) ?? []
    await terminal.run('clear')
    await terminal.waitFor(/^\$\s*$/)
    return `${await terminal.modes()} ${settings}`
  }

  test('is as it was before, after each way to end', async () => {
    await using server = await startPostgres()
    await using terminal = await Terminal.start({ env: cleanEnvironment({ DATABASE_URL: server.url }) })
    const before = await stateOf(terminal)

    for (const [name, end] of ends) {
      await terminal.run(`echo "earlier"; ${topCommand(MARK)}; echo "code $?"`)
      await terminal.waitFor('Applications')
      await end(terminal)
      const after = await terminal.waitFor('code 0')

      expect(after, name).toContain('earlier')
      expect(after, name).not.toContain('Applications')
      expect(await stateOf(terminal), name).toBe(before)
    }
  })

  test.each([
    ['an exception', 'thrown while the screen was full'],
    ['a rejection', 'rejected while the screen was full'],
    ['process.exit', 'code 3'],
  ])('is as it was before, after %s, which is shown', async (end, text) => {
    await using terminal = await Terminal.start({ columns: 200, env: cleanEnvironment() })
    const before = await stateOf(terminal)
    await terminal.run(`"${process.execPath}" "${THROWING}" "${end}"; echo "code $?"`)
    const after = await terminal.waitFor(/code [13]/)

    expect(after).toContain(text)
    expect(after).not.toContain('a full screen')
    expect(await stateOf(terminal)).toBe(before)
  })

  test('belongs to the shell between Ctrl-Z and fg', async () => {
    await using server = await startPostgres()
    const terminal = await openTop(server.url)
    await terminal.waitFor('Applications')
    const inside = await terminal.modes()
    await terminal.press('C-z')
    await terminal.waitFor(/Stopped|Suspended/)
    expect(await terminal.modes()).not.toBe(inside)
    await terminal.run('fg; echo "code $?"')
    await terminal.waitFor('Applications')
    expect(await terminal.modes()).toBe(inside)
    await terminal.press('q')
    await terminal.waitFor('code 0')
  })

  test('is full again after Ctrl-Z if no shell can continue the program', async () => {
    await using server = await startPostgres()
    await using terminal = await Terminal.start({ env: cleanEnvironment({ DATABASE_URL: server.url }) })
    await terminal.run(`exec ${topCommand()}`)
    await terminal.waitFor('Applications')
    const inside = await terminal.modes()
    await terminal.press('C-z')
    // Keys are lost until the screen is back.
    const takesKeys = async () => {
      await terminal.press('3')
      return (await terminal.screen()).includes('[3 Sessions]')
    }
    await waitUntil(takesKeys, { what: 'the table of key 3', everyMillis: 100 })
    expect(await terminal.modes()).toBe(inside)
  })
})

test.each([
  ['no terminal', [], {}, 'top needs a terminal for input and output. poolguard monitor prints a line for each sample'],
  ['--json', ['--json'], {}, 'use poolguard monitor --json'],
])('given %s, says what to use instead', async (_, args, env, says) => {
  const { code, stdout, stderr } = await runPoolguard(['top', 'postgres://127.0.0.1:1/x', ...args], { env })

  expect(code).toBe(2)
  expect(stdout + stderr).toContain(says)
})

describe('without what it needs', () => {
  test.each([
    ['TERM=dumb', 'TERM=dumb', '', 'top cannot show a full screen on this terminal (TERM=dumb)'],
    ['no server', '', 'postgres://app:s3cret@127.0.0.1:1/x', 'ECONNREFUSED'],
    ['an app as the database', '', 'http://127.0.0.1:3000', 'as --app'],
  ])('given %s, says so and leaves the terminal alone', async (_, variables, url, says) => {
    await using terminal = await Terminal.start({ columns: 200, env: cleanEnvironment() })
    const modes = await terminal.modes()
    await terminal.run(`${variables} ${topCommand(url || 'postgres://127.0.0.1:1/x')}; echo "code $?"`)
    const screen = await terminal.waitFor('code 2')

    expect(screen).toContain(says)
    expect(await terminal.modes()).toBe(modes)
  })
})
