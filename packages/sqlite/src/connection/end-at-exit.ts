import { existsSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/** A thread that SQLite may be busy in. */
export interface SqliteThread {
  /** Whether it still works on something. Asked while the event loop stands still. */
  readonly isWorking: boolean
}

const SHELL = '/bin/sh'
/** Short statements are waited for, as without this. */
const GRACE_MILLIS = 500
const POLL_MILLIS = 5

const threads = new Set<SqliteThread>()
let isInstalled = false
let hasCrashed = false

/**
 * Node waits for every thread before it exits, and no JavaScript can interrupt SQLite: `process.exit()` would wait until a long
 * query has ended. So if a thread still works after a grace period, this process replaces itself with a program that exits with the
 * same code; that ends every thread at once. For SQLite this is a crash of the process: it loses nothing that was committed.
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
  // What V8 has counted would be lost.
  const measured = process.env.NODE_V8_COVERAGE !== undefined
  return isMainThread && !measured && typeof process.execve === 'function' && existsSync(SHELL)
}

function onExit(code: number): void {
  if (hasCrashed || !isStillWorking()) return
  // Listeners that come after this one would not be called any more.
  const listeners = process.listeners('exit')
  for (const listener of listeners.slice(listeners.indexOf(onExit) + 1)) listener.call(process, code)
  process.execve?.(SHELL, [SHELL, '-c', `exit ${Number(process.exitCode ?? code)}`], {})
}

/** Waits on the spot: no callback is called any more. */
function isStillWorking(): boolean {
  const nothing = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const until = performance.now() + GRACE_MILLIS
  while ([...threads].some(({ isWorking }) => isWorking)) {
    if (performance.now() >= until) return true
    Atomics.wait(nothing, 0, 0, POLL_MILLIS)
  }
  return false
}
