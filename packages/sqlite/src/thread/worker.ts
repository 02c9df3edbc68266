/** The thread of one connection: receives questions in batches and answers them in batches. */
import { getPriority, setPriority } from 'node:os'
import { parentPort, workerData } from 'node:worker_threads'
import type { Greeting, ThreadData } from '../protocol.ts'
import { type Packed, packAnswers, unpackQuestions } from '../wire.ts'
import { loadDriver } from './load-driver.ts'
import { reportFailure, Session } from './session.ts'
import type { SqliteDriver } from './sqlite-driver.ts'

if (!parentPort) throw new Error('this module must be started by a pool, as a worker thread')
const port = parentPort

/** With this nice value, the event loop gets three times as much of a core as a reader. */
const NICE_INCREMENT = 5

const { progress, ...spec }: ThreadData = workerData
if (spec.role === 'reader') lowerPriority()
const session = await open()
if (session) {
  port.on('message', (packed: Packed) => {
    const questions = unpackQuestions(packed)
    port.postMessage(packAnswers(session.answerAll(questions)))
    if (questions.some(([kind]) => kind === 'close')) port.close()
  })
}

async function open(): Promise<Session | undefined> {
  let driver: SqliteDriver | undefined
  try {
    const loaded = await loadDriver(spec.driver)
    driver = loaded.driver
    const opened = new Session(driver, spec, () => Atomics.add(progress, 0, 1))
    greet({ opened: true, driver: driver.name, warning: loaded.warning })
    return opened
  } catch (error) {
    greet({ opened: false, failure: reportFailure(driver, error, false) })
    return undefined
  }
}

function greet(greeting: Greeting): void {
  port.postMessage(greeting)
}

/**
 * With more threads than cores, the event loop gets priority over long reads, but not over the writer, for which callers queue. Only
 * Linux has priorities per thread; elsewhere this would change the priority of the process.
 */
function lowerPriority(): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, Math.min(getPriority(0) + NICE_INCREMENT, 19))
  } catch {
    // Sandboxes may not allow priorities.
  }
}
