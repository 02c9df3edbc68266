import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const POOL = new URL('../index.ts', import.meta.url).href

export interface ChildOptions {
  readonly uid?: number
  readonly execArgv?: readonly string[]
}

/** Another process with `SqlitePool` at hand, that runs a program and is ended with the test. */
export function startChild(program: string, options: ChildOptions = {}): ChildProcess {
  const { uid, execArgv = [] } = options
  const source = `import { SqlitePool } from '${POOL}'\n${program}`
  const child = spawn(process.execPath, [...execArgv, '--eval', source], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // Where the packages are found.
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    ...(uid !== undefined && { uid, gid: uid }),
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

/** Resolves when the child has said something on stdout. */
export async function saidBy(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the child has no stdout')
  const [said] = await once(child.stdout, 'data')
  return String(said).trim()
}

/** How it has ended, and what it has said until then. */
export async function endOf(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  if (!child.stdout || !child.stderr) throw new Error('the child has no output')
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, stdout: stdout.trim(), stderr }
}
