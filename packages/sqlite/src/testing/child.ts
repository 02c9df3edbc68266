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

/** Starts another process that runs a program with `SqlitePool` imported, and ends it with the test. */
export function startChild(program: string, options: ChildOptions = {}): ChildProcess {
  const { uid, execArgv = [] } = options
  const source = `import { SqlitePool } from '${POOL}'\n${program}`
  const child = spawn(process.execPath, [...execArgv, '--eval', source], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // The folder from which Node resolves packages.
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    ...(uid !== undefined && { uid, gid: uid }),
  })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

/** Resolves with the child's first output on stdout. */
export async function saidBy(child: ChildProcess): Promise<string> {
  if (!child.stdout) throw new Error('the child has no stdout')
  const [said] = await once(child.stdout, 'data')
  return String(said).trim()
}

/** Resolves with the child's exit code and output. */
export async function endOf(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  if (!child.stdout || !child.stderr) throw new Error('the child has no output')
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { code, stdout: stdout.trim(), stderr }
}
