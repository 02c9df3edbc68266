import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ReaperOrder } from './reaper-orders.ts'

let reaper: ChildProcess | undefined

/** From now on the process is ended with `signal` should this process end without saying `forget`. */
export function watchProcess(pid: number, signal: NodeJS.Signals): void {
  tell({ watch: { pid, signal } })
}

/** From now on the folder is removed should this process end without saying `forget`. Say so before making it. */
export function watchFolder(folder: string): void {
  tell({ watch: { folder } })
}

export function forget(what: { readonly pid: number } | { readonly folder: string }): void {
  tell({ forget: what })
}

function tell(order: ReaperOrder): void {
  reaper ??= startReaper()
  reaper.stdin?.write(`${JSON.stringify(order)}\n`)
}

function startReaper(): ChildProcess {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts')], {
    // A session of its own: the terminal's Ctrl-C must end the tests, not those who clean up after them.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
    cwd: tmpdir(),
    // A test runner's loader or a debugger has no business there.
    env: { ...process.env, NODE_OPTIONS: '' },
    windowsHide: true,
  })
  child.unref()
  const stdin = child.stdin as Socket
  stdin.unref()
  // Writing fails only if the reaper was killed; then it needs no message.
  stdin.on('error', () => {})
  child.on('error', (error) => console.warn('servers are not cleaned up after a crash:', error))
  return child
}
