import { existsSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/** A thread in which SQLite may be running a statement. */
export interface SqliteThread {
  /** Whether the thread still runs a statement. Must not depend on the event loop, which is blocked. */
  readonly isWorking: boolean
}

const SHELL = '/bin/sh'
/** The exit waits this long for running statements. */
const GRACE_MILLIS = 500
const POLL_MILLIS = 5

const threads = new Set<SqliteThread>()
let isInstalled = false
let hasCrashed = false

/**
 * Node waits for every thread before it exits, and JavaScript cannot interrupt SQLite: `process.exit()` would wait until a long
 * query has ended. So if a thread is still working after a grace period, this process replaces itself with a program that exits with the
 * same code, which ends every thread immediately. For SQLite this equals a crash of the process: committed transactions are safe.
 *
 * It needs `process.execve` (from Node 22.15 on, not on Windows). After an uncaught error Node waits as before: it prints the error
 * only when its threads have ended.
 *
 * @returns a function to call when the thread has ended.
 */
export function endAtExit(thread: SqliteThread): () => void {
  threads.add(thread)
  if (!isInstalled && canReplaceProcess()) {
    isInstalled = true
    process.on('uncaughtExceptionMonitor', () => {
      hasCrashed = true
    })
    process.on('exit', onExit)
  }
  return () => {
    threads.delete(thread)
  }
}

function canReplaceProcess(): boolean {
  // Replacing the process would lose V8's coverage data.
  const measured = process.env.NODE_V8_COVERAGE !== undefined
  const hasExecve = process.platform !== 'win32' && typeof process.execve === 'function'
  return isMainThread && !measured && hasExecve && existsSync(SHELL)
}

function onExit(code: number): void {
  if (hasCrashed || !isStillWorking()) return
  // Replacing the process skips the remaining listeners, so call them here.
  const listeners = process.listeners('exit')
  for (const listener of listeners.slice(listeners.indexOf(onExit) + 1)) listener.call(process, code)
  process.execve?.(SHELL, [SHELL, '-c', `exit ${Number(process.exitCode ?? code)}`], {})
}

/** Blocks the thread while waiting: during `exit`, Node runs no more callbacks. */
function isStillWorking(): boolean {
  const nothing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const until = performance.now() + GRACE_MILLIS
  while ([...threads].some(({ isWorking }) => isWorking)) {
    if (performance.now() >= until) return true
    Atomics.wait(nothing, 0, 0, POLL_MILLIS)
  }
  return false
}
